"""The udev rules: correct for every deck, without effect on other devices, valid for udev; and the install command."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from openbalance_hid.deck.products import product_ids
from openbalance_hid.deck.udev_rules import (
    GROUP,
    GroupMembership,
    RulesKind,
    RulesState,
    install_command,
    installed_rules,
    program_words,
    render_rules,
    rules_name,
)

ROOT = Path(__file__).parents[2]
KINDS = pytest.mark.parametrize("kind", RulesKind)
PROGRAM = ("/home/ann/.local/bin/openbalance-hid",)

# udev(7): the keys and operators that our rules may use. None runs a program or changes another device.
WORDS = {
    "ACTION": {"==", "!="},
    "SUBSYSTEM": {"==", "!="},
    "SUBSYSTEMS": {"=="},
    "ATTRS": {"=="},
    "TAG": {"+="},
    "GROUP": {"="},
    "MODE": {"="},
    "GOTO": {"="},
    "LABEL": {"="},
}
PARENT_WORDS = {"SUBSYSTEMS", "ATTRS"}  # udev(7): all of one rule must match the same device, the node itself or a parent
TOKEN = re.compile(r'([A-Z]+)(?:\{(\w+)\})?(==|!=|\+=|=)"([^"\\]*)"')


@dataclass(frozen=True)
class Token:
    word: str
    attribute: str
    operator: str
    value: str


@dataclass
class Device:
    """As udev sees it: subsystem and attributes, the node first, then its parents."""

    chain: list[tuple[str, dict[str, str]]]
    action: str = "add"


def parse(text: str) -> list[list[Token]]:
    """Stricter than udev: one rule a line, ", " between tokens, no continuation, no key that we do not need."""
    assert text.endswith("\n")
    rules = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        tokens = []
        for part in line.split(", "):
            match = TOKEN.fullmatch(part)
            assert match, f"not a token: {part}"
            token = Token(match[1], match[2] or "", match[3], match[4])
            assert token.operator in WORDS[token.word], part
            assert bool(token.attribute) == (token.word == "ATTRS"), part
            tokens.append(token)
        rules.append(tokens)
    return rules


def granted(text: str, device: Device) -> dict[str, str]:
    """Return what udev would do to the node, by udev(7)."""
    result: dict[str, str] = {}
    label = ""
    for rule in parse(text):
        if label and Token("LABEL", "", "=", label) not in rule:
            continue
        label = ""
        if all(matches_node(token, device) for token in rule) and matches_a_parent(rule, device):
            result |= {token.word: token.value for token in rule if token.word in ("TAG", "GROUP", "MODE")}
            label = next((token.value for token in rule if token.word == "GOTO"), "")
    assert label == "", "a jump to nowhere"
    return result


def matches_node(token: Token, device: Device) -> bool:
    known = {"ACTION": device.action, "SUBSYSTEM": device.chain[0][0]}
    return token.word not in known or (known[token.word] == token.value) == (token.operator == "==")


def matches_a_parent(rule: list[Token], device: Device) -> bool:
    wanted = [token for token in rule if token.word in PARENT_WORDS]
    return not wanted or any(
        all((subsystem if token.word == "SUBSYSTEMS" else attributes.get(token.attribute)) == token.value for token in wanted)
        for subsystem, attributes in device.chain
    )


def hidraw(vendor: str, product: str, action: str = "add") -> Device:
    """A hidraw node with the parents that Linux gives it: HID device, USB interface, USB device, its hub."""
    usb = {"idVendor": vendor, "idProduct": product}
    hub = {"idVendor": "1d6b", "idProduct": "0002"}
    return Device([("hidraw", {}), ("hid", {}), ("usb", {"bInterfaceClass": "03"}), ("usb", usb), ("usb", hub)], action)


GRANTS = {RulesKind.DESKTOP: {"TAG": "uaccess"}, RulesKind.HEADLESS: {"GROUP": "plugdev", "MODE": "0660"}}


# --- the rules ---


@KINDS
@pytest.mark.parametrize("action", ["add", "change", "bind"])
def test_every_deck_that_the_library_drives_may_be_opened(kind: RulesKind, action: str) -> None:
    text = render_rules(kind)
    for vendor, product in product_ids():
        assert granted(text, hidraw(f"{vendor:04x}", f"{product:04x}", action)) == GRANTS[kind]


@KINDS
def test_no_other_product_is_touched(kind: RulesKind) -> None:
    text = render_rules(kind)
    named = {token.value for rule in parse(text) for token in rule if token.attribute == "idProduct"}
    assert named == {f"{product:04x}" for _, product in product_ids()}  # no pattern, no product more
    assert granted(text, hidraw("0fd9", "0066")) == {}  # a Cam Link of the same vendor
    assert granted(text, hidraw("046d", "0080")) == {}  # the MK.2's number at another vendor


@KINDS
def test_nothing_but_the_hidraw_node_is_touched(kind: RulesKind) -> None:
    deck = {"idVendor": "0fd9", "idProduct": "0080"}
    text = render_rules(kind)
    assert granted(text, Device([("usb", deck)])) == {}
    assert granted(text, Device([("input", {}), ("hid", {}), ("usb", deck)])) == {}
    assert granted(text, Device([("hidraw", {}), ("hid", {}), ("bluetooth", deck)])) == {}


@KINDS
def test_a_hub_of_the_vendor_does_not_lend_its_number_to_what_hangs_on_it(kind: RulesKind) -> None:
    hub, keyboard = {"idVendor": "0fd9", "idProduct": "0066"}, {"idVendor": "1234", "idProduct": "0080"}
    assert granted(render_rules(kind), Device([("hidraw", {}), ("hid", {}), ("usb", keyboard), ("usb", hub)])) == {}


@KINDS
def test_a_disconnected_deck_is_left_alone(kind: RulesKind) -> None:
    assert granted(render_rules(kind), hidraw("0fd9", "0080", "remove")) == {}


def test_the_desktop_rules_come_before_the_rule_that_acts_on_their_tag() -> None:
    assert rules_name(RulesKind.DESKTOP) < "73-seat-late.rules"


@KINDS
def test_the_file_names_its_users_and_the_command_that_made_it(kind: RulesKind) -> None:
    head = render_rules(kind).split("\n\n")[0]
    option = " --headless" if kind is RulesKind.HEADLESS else ""
    assert "openbalance-hid" in head
    assert f"`openbalance-hid udev print{option}`" in head
    assert ("sits at this machine" in head) == (kind is RulesKind.DESKTOP)
    assert (f"group {GROUP}" in head) == (kind is RulesKind.HEADLESS)


@KINDS
def test_the_files_for_packagers_are_fresh(kind: RulesKind) -> None:
    assert (ROOT / "udev" / rules_name(kind)).read_text(encoding="utf-8") == render_rules(kind)


def test_every_rules_file_is_rendered() -> None:
    assert {file.name for file in (ROOT / "udev").glob("*.rules")} == {rules_name(kind) for kind in RulesKind}


@KINDS
def test_udev_accepts_the_rules(kind: RulesKind, tmp_path: Path) -> None:
    parse(render_rules(kind))
    file = tmp_path / rules_name(kind)
    file.write_text(render_rules(kind))
    if udevadm_verifies():
        done = subprocess.run(["udevadm", "verify", "--resolve-names=never", str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def udevadm_verifies() -> bool:
    """`udevadm verify` came with systemd 254."""
    if shutil.which("udevadm") is None:
        return False
    return subprocess.run(["udevadm", "verify", "--help"], capture_output=True).returncode == 0


# --- what is installed ---


def places(tmp_path: Path) -> tuple[Path, Path]:
    strong, weak = tmp_path / "etc", tmp_path / "lib"
    (strong / "rules.d").mkdir(parents=True)
    (weak / "rules.d").mkdir(parents=True)
    return strong, weak


@KINDS
def test_the_state_is_that_of_the_file_that_udev_reads(kind: RulesKind, tmp_path: Path) -> None:
    strong, weak = places(tmp_path)
    in_strong, in_weak = (place / "rules.d" / rules_name(kind) for place in (strong, weak))
    where = (tmp_path / "nowhere", strong, weak)
    assert installed_rules(kind, where) == (RulesState.MISSING, None)
    in_weak.write_text(render_rules(kind))
    assert installed_rules(kind, where) == (RulesState.CURRENT, in_weak)
    in_strong.write_text(render_rules(kind).replace("0fd9", "0fda", 1))
    assert installed_rules(kind, where) == (RulesState.DIFFERENT, in_strong)
    in_strong.write_bytes(b"\xff")
    assert installed_rules(kind, where) == (RulesState.DIFFERENT, in_strong)
    in_strong.write_text(render_rules(kind))
    assert installed_rules(kind, where) == (RulesState.CURRENT, in_strong)


def test_a_masked_file_is_different(tmp_path: Path) -> None:
    strong, weak = places(tmp_path)
    (weak / "rules.d" / rules_name(RulesKind.DESKTOP)).write_text(render_rules(RulesKind.DESKTOP))
    mask = strong / "rules.d" / rules_name(RulesKind.DESKTOP)
    mask.symlink_to("/dev/null")
    assert installed_rules(RulesKind.DESKTOP, (strong, weak)) == (RulesState.DIFFERENT, mask)


def test_a_file_that_cannot_be_read_is_unreadable(tmp_path: Path) -> None:
    strong, weak = places(tmp_path)
    file = strong / "rules.d" / rules_name(RulesKind.DESKTOP)
    file.mkdir()
    assert installed_rules(RulesKind.DESKTOP, (strong, weak)) == (RulesState.UNREADABLE, file)


# --- the command ---


def test_the_command_prints_as_the_user_and_writes_as_root() -> None:
    assert install_command(RulesKind.DESKTOP, PROGRAM, is_root=False) == (
        """sh -c 'text=$(/home/ann/.local/bin/openbalance-hid udev print) && printf "%s\\n" "$text\""""
        " | sudo tee /etc/udev/rules.d/70-openbalance-hid.rules >/dev/null'"
        " && sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=hidraw"
    )


def test_the_command_for_root_has_no_sudo() -> None:
    assert install_command(RulesKind.DESKTOP, PROGRAM, is_root=True) == (
        """sh -c 'text=$(/home/ann/.local/bin/openbalance-hid udev print) && printf "%s\\n" "$text\""""
        " | tee /etc/udev/rules.d/70-openbalance-hid.rules >/dev/null'"
        " && udevadm control --reload && udevadm trigger --subsystem-match=hidraw"
    )


@pytest.mark.parametrize(
    ("member", "first"),
    [
        (GroupMembership("ann", True, True), "sh -c 'text=$(/home/ann/.local/bin/openbalance-hid udev print --headless) && "),
        (GroupMembership("ann", True, False), "sudo usermod --append --groups plugdev ann && sh -c "),
        (GroupMembership("a b", True, False), "sudo usermod --append --groups plugdev 'a b' && sh -c "),
        (
            GroupMembership("ann", False, False),
            "sudo groupadd --system plugdev && sudo usermod --append --groups plugdev ann && sh -c ",
        ),
    ],
)
def test_the_headless_command_makes_group_and_member_before_udev_reads_the_rules(member: GroupMembership, first: str) -> None:
    command = install_command(RulesKind.HEADLESS, PROGRAM, is_root=False, member=member)
    assert command.startswith(first)
    assert "/etc/udev/rules.d/70-openbalance-hid-headless.rules" in command
    assert command.endswith(" && sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=hidraw")


@pytest.mark.parametrize("home", ["/home/ann", "/home/ann & co/it's; $here", "/home/größe"])
def test_a_shell_reads_the_programs_path_as_it_is(home: str) -> None:
    program = (f"{home}/bin/openbalance-hid",)
    _, _, script, *_ = shlex.split(install_command(RulesKind.DESKTOP, program, is_root=False))
    assert shlex.split(script.partition("$(")[2].partition(") && ")[0]) == [*program, "udev", "print"]


def test_the_installed_command_is_named_by_its_link_and_not_by_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "venvs" / "openbalance-hid"
    target.parent.mkdir()
    target.touch()
    (tmp_path / "openbalance-hid").symlink_to(target)
    monkeypatch.chdir(tmp_path)
    assert program_words("./openbalance-hid", sys.executable) == (str(tmp_path / "openbalance-hid"),)


@pytest.mark.parametrize(
    ("argv0", "executable", "expected"),
    [
        ("/src/openbalance_hid/__main__.py", "/v/bin/python", ("/v/bin/python", "-P", "-m", "openbalance_hid")),
        ("/nowhere/openbalance-hid", "/v/bin/python", ("/v/bin/python", "-P", "-m", "openbalance_hid")),
        ("", "", ("openbalance-hid",)),
    ],
)
def test_without_an_installed_command_the_interpreter_is_named(argv0: str, executable: str, expected: tuple[str, ...]) -> None:
    assert program_words(argv0, executable) == expected
