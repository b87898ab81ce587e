"""The udev rules that let a user open a deck: rendered from the library's product table, compared with the installed ones.

Rules are text here: nothing is written or run. A rule names one product and its hidraw node only, because the vendor also makes
cameras, and hidapi needs no other node. Only the user at the seat, or the members of a group, get access.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from openbalance_hid.deck.products import product_ids, product_names
from openbalance_hid.deck.usb_sysfs import VENDOR

# The group of the headless rules. Debian, Ubuntu and Raspberry Pi OS have it for removable devices, and their first user is a
# member. `input` exists everywhere, but its members can read every keyboard.
GROUP = "plugdev"

# Of two files with the same name, udev reads the one in the earlier directory (udev(7)).
RULES_DIRS = tuple(Path(place) for place in ("/etc/udev", "/run/udev", "/usr/local/lib/udev", "/usr/lib/udev", "/lib/udev"))


class RulesKind(Enum):
    """Who gets access."""

    DESKTOP = "desktop"  # the user at the seat
    HEADLESS = "headless"  # a service, or a user of ssh


class RulesState(Enum):
    """The state of an installed rules file."""

    MISSING = "missing"
    CURRENT = "current"
    DIFFERENT = "different"  # from another version, or changed by hand
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """A user who needs to be in the group. `group_exists`: on this machine."""

    user: str
    group_exists: bool
    is_member: bool


_HEADS = {
    RulesKind.DESKTOP: """\
# Stream Decks for openbalance-hid: the user who sits at this machine may open them.
# Belongs into /etc/udev/rules.d; must sort before 73-seat-late.rules, which acts on the tag.
""",
    RulesKind.HEADLESS: f"""\
# Stream Decks for openbalance-hid, for services and ssh: members of the group {GROUP} may open them.
# Belongs into /etc/udev/rules.d; the group must exist when udev reads this.
""",
}
_GRANTS = {RulesKind.DESKTOP: 'TAG+="uaccess"', RulesKind.HEADLESS: f'GROUP="{GROUP}", MODE="0660"'}
_VENDOR = re.compile(rf'ATTRS?{{idVendor}}=="{VENDOR}"', re.IGNORECASE)
_PRODUCT = re.compile(r'ATTRS?\{idProduct\}=="([0-9a-f|]+)"', re.IGNORECASE)
_HARDWARE = re.compile(rf"usb:v{VENDOR}p([0-9a-f]{{4}})", re.IGNORECASE)  # systemd's own hardware database
_COMMANDS = {RulesKind.DESKTOP: ("udev", "print"), RulesKind.HEADLESS: ("udev", "print", "--headless")}


def rules_name(kind: RulesKind) -> str:
    """Return the file name of the rules."""
    return "70-openbalance-hid.rules" if kind is RulesKind.DESKTOP else "70-openbalance-hid-headless.rules"


def render_rules(kind: RulesKind) -> str:
    """Return the rules file: one rule for each product that the installed library drives. Equal for equal products."""
    head = _HEADS[kind] + (
        f"# Made by `openbalance-hid {' '.join(_COMMANDS[kind])}` from the products that python-elgato-streamdeck drives:\n"
        "# to change it, print it again.\n"
    )
    return "\n".join(
        [
            head,
            'ACTION=="remove", GOTO="openbalance_hid_end"',
            'SUBSYSTEM!="hidraw", GOTO="openbalance_hid_end"',
            "",
            *(line for vendor, product in product_ids() for line in _rule(kind, vendor, product)),
            "",
            'LABEL="openbalance_hid_end"',
            "",
        ]
    )


def _rule(kind: RulesKind, vendor: int, product: int) -> tuple[str, str]:
    names = product_names(vendor, product)
    title = names[1] if names else "a newer product"
    match = f'SUBSYSTEMS=="usb", ATTRS{{idVendor}}=="{vendor:04x}", ATTRS{{idProduct}}=="{product:04x}"'
    return f"# {title}", f"{match}, {_GRANTS[kind]}"


def installed_rules(kind: RulesKind, dirs: Iterable[Path] = RULES_DIRS) -> tuple[RulesState, Path | None]:
    """Return the state and path of the file that udev reads. `dirs`: of udev, the one with precedence first."""
    for directory in dirs:
        file = directory / "rules.d" / rules_name(kind)
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return RulesState.UNREADABLE, file
        return (RulesState.CURRENT if text == render_rules(kind) else RulesState.DIFFERENT), file
    return RulesState.MISSING, None


def covered_products(products: Iterable[int], dirs: Iterable[Path] = RULES_DIRS) -> frozenset[int]:
    """Return the products that some rule or the hardware database names; all for a rule that names only the vendor.

    A hint, not a proof: only opening a node shows whether it may be opened.
    """
    wanted, found, folders = frozenset(products), set[int](), tuple(dirs)
    for line in _lines(folders, "rules.d/*.rules"):
        if not _VENDOR.search(line):
            continue
        named = _PRODUCT.search(line)
        if named is None:
            return wanted
        found |= {int(part, 16) for part in named[1].split("|") if part}
    for line in _lines(folders, "hwdb.d/*.hwdb"):
        found |= {int(product, 16) for product in _HARDWARE.findall(line)}
    return wanted & found


def _lines(dirs: Iterable[Path], pattern: str) -> Iterator[str]:
    """Yield every line that is no comment. A file hides those of the same name in later directories (udev(7), hwdb(7))."""
    seen = set()
    for directory in dirs:
        for file in sorted(directory.glob(pattern)):
            if file.name in seen:
                continue
            seen.add(file.name)
            try:
                text = file.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            yield from (line for line in text.replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#"))


def install_command(kind: RulesKind, program: Sequence[str], is_root: bool, member: GroupMembership | None = None) -> str:
    """Return the shell command that installs the rules and makes udev apply them to the connected decks.

    `program`: the words that start this program, absolute, so that it works with pipx and virtual environments. It runs as the
    user, and root only writes. `member`: for the headless rules, the user who needs to be in the group. The group is made
    first, because udev looks it up when it reads the rules.
    """
    sudo = "" if is_root else "sudo "
    file = RULES_DIRS[0] / "rules.d" / rules_name(kind)
    printing = shlex.join([*program, *_COMMANDS[kind]])
    steps = []
    if member is not None and not member.group_exists:
        steps.append(f"{sudo}groupadd --system {GROUP}")
    if member is not None and not member.is_member:
        steps.append(f"{sudo}usermod --append --groups {GROUP} {shlex.quote(member.user)}")
    steps += [
        write_command(printing, str(file), sudo),
        f"{sudo}udevadm control --reload",
        f"{sudo}udevadm trigger --subsystem-match=hidraw",
    ]
    return " && ".join(steps)


def write_command(printing: str, file: str, sudo: str) -> str:
    """Return the shell command that writes what `printing` prints to `file`, as root, if `printing` succeeds.

    Not a pipe alone: that would empty the file when the program fails. Not without `sh -c`: the user's shell may be fish.
    """
    script = f'text=$({printing}) && printf "%s\\n" "$text" | {sudo}tee {file} >/dev/null'
    return f"sh -c {shlex.quote(script)}"


def install_steps(kind: RulesKind, is_root: bool, member: GroupMembership | None = None) -> list[tuple[list[str], str | None]]:
    """Return the programs that `install_command` starts, in order, each with its standard input."""
    sudo = [] if is_root else ["sudo"]
    steps: list[tuple[list[str], str | None]] = []
    if member is not None and not member.group_exists:
        steps.append(([*sudo, "groupadd", "--system", GROUP], None))
    if member is not None and not member.is_member:
        steps.append(([*sudo, "usermod", "--append", "--groups", GROUP, member.user], None))
    file = RULES_DIRS[0] / "rules.d" / rules_name(kind)
    return [
        *steps,
        ([*sudo, "tee", str(file)], render_rules(kind)),
        ([*sudo, "udevadm", "control", "--reload"], None),
        ([*sudo, "udevadm", "trigger", "--subsystem-match=hidraw"], None),
    ]


def program_words(argv0: str, executable: str) -> tuple[str, ...]:
    """Return the words that start this program from any directory: the installed command, else the interpreter.

    `argv0` as in sys.argv, `executable` as in sys.
    """
    command = Path(argv0).absolute()  # not resolved: an upgrade may move the target of a link
    if command.name == "openbalance-hid" and command.is_file():
        return (str(command),)
    # -P: import nothing from the working directory
    return (str(Path(executable).absolute()), "-P", "-m", "openbalance_hid") if executable else ("openbalance-hid",)
