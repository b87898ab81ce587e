"""What the doctor says of decks: nodes are really opened, sysfs and procfs are read, rule files are only a hint."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.deck.products import product_ids
from openbalance_hid.deck.udev_rules import RulesKind, covered_products, render_rules, rules_name
from openbalance_hid.deck.usb_sysfs import DeviceHolder, holders_of, usb_devices
from openbalance_hid.errors import DeckRefusedError
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.facts import Node, Session, UdevRules
from openbalance_hid.service.doctor.judge import decks as judge
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.service.doctor_context import only, patient, told

linux = pytest.mark.skipif(sys.platform != "linux", reason="hidraw, sysfs and udev are Linux")
NOBODY = 65534
SEAT = Session("wayland", "seat0", remote=False)


class Nodes:
    """hidapi over files in place of device nodes: it lists them, and opening one is opening the file."""

    def __init__(self, *files: Path) -> None:
        self._files = files

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[Mapping[str, Any]]:
        about = {"vendor_id": 0x0FD9, "product_id": 0x0080, "serial_number": "A00SA1234567"}
        return [{"path": os.fsencode(file), **about} for file in self._files]

    def device(self) -> Any:
        raise AssertionError("asked for a device")

    def open_error(self, path: bytes) -> OSError | None:
        try:
            os.close(os.open(path, os.O_RDWR))
        except OSError as error:
            return error
        return None


class Openable(Nodes):
    def device(self) -> Any:
        return _Handle()


class _Handle:
    """hidapi's device: it gives no reason when it cannot open."""

    def open_path(self, path: bytes) -> None:
        try:
            self._file = os.open(path, os.O_RDWR)
        except OSError:
            raise OSError("open failed") from None

    def close(self) -> None:
        os.close(self._file)

    def error(self) -> str:
        return "Success"


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Root may open everything, whatever its mode."""
    before = os.geteuid()
    if before != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def node() -> Iterator[Path]:
    """A file in a folder that everybody may enter; nobody may open it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder, "hidraw7")
        file.touch(mode=0o000)
        yield file


def test_a_node_that_may_not_be_opened_is_found_by_opening_it(node: Path):
    one = patient(node.parent, Openable(node), XDG_SESSION_TYPE="wayland", XDG_SEAT="seat0")
    with as_an_ordinary_user():
        refused = only(one, "decks")
    assert (refused.verdict, refused.exit_code, refused.about) == (CheckStatus.FAILURE, 77, str(node))
    assert refused.found.endswith(f"cannot open deck at {node}: permission denied")
    node.chmod(0o666)
    with as_an_ordinary_user():
        allowed = only(patient(node.parent, Openable(node)), "decks")
    assert (allowed.verdict, allowed.found) == (
        CheckStatus.OK,
        "Stream Deck MK.2 (0fd9:0080), serial A00SA1234567: can be opened",
    )


@linux
@pytest.mark.parametrize(
    ("session", "rules", "hint"),
    [
        (SEAT, UdevRules(None, False, ("0fd9:0080",), 17, ("0fd9:0080",)), "openbalance-hid udev install"),
        (SEAT, UdevRules("/etc/udev/x", True, (), 17), "sudo udevadm trigger --subsystem-match=hidraw"),
        (SEAT, UdevRules("/etc/udev/x", False, ("0fd9:0080",), 17, ("0fd9:0080",)), "openbalance-hid udev install"),
        (Session("tty", None, remote=True), UdevRules("/etc/udev/x", True, (), 17), "openbalance-hid udev install --headless"),
        (Session("tty", None, remote=False), None, "openbalance-hid udev install"),
    ],
    ids=["no rules", "rules not applied yet", "old rules", "ssh", "not Linux"],
)
def test_the_command_that_mends_a_refusal_depends_on_who_sits_where(session: Session, rules: UdevRules | None, hint: str):
    error = DeckRefusedError("cannot open deck at /dev/hidraw3: permission denied", "openbalance-hid udev install")
    node = Node("/dev/hidraw3", "Stream Deck MK.2", "0fd9:0080", "A1", error=error)
    (check,) = judge.decks([node], [], session, rules)
    assert (check.verdict, check.hint) == (CheckStatus.FAILURE, hint)


@linux
def test_a_refusal_by_a_container_is_told_without_a_command_that_would_not_help():
    error = DeckRefusedError("cannot open deck at /dev/hidraw3: this container or service does not permit the device")
    (check,) = judge.decks(
        [Node("/dev/hidraw3", "Stream Deck", "0fd9:006d", "A1", error=error)], [], SEAT, UdevRules(None, False, (), 17)
    )
    assert (check.verdict, check.exit_code, check.hint) == (CheckStatus.FAILURE, 77, "")


def test_a_refusal_on_macos_leads_to_the_switch_and_not_back_here():
    error = DeckRefusedError("cannot open deck at DevSrvsID:1: not permitted", "openbalance-hid doctor")
    (check,) = judge.decks([Node("DevSrvsID:1", "Stream Deck Neo", "0fd9:009a", "A1", error=error)], [], SEAT, None)
    assert check.hint.endswith('Privacy_ListenEvent"')


def test_a_deck_on_the_bus_can_be_opened_and_no_deck_is_a_warning(tmp_path: Path):
    bus = VirtualBus([VirtualDeck(model_named("xl"), "S1")])
    assert only(patient(tmp_path, bus), "decks").verdict is CheckStatus.OK
    nothing = only(patient(tmp_path), "decks")
    assert (nothing.verdict, nothing.hint) == (CheckStatus.WARNING, "openbalance-hid demo")


def test_decks_that_cannot_be_listed_are_said_once(tmp_path: Path):
    class Mute(Nodes):
        def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[Mapping[str, Any]]:
            raise OSError("hid_enumerate failed")

    (check,) = told(patient(tmp_path, Mute()), "decks", "owners")
    assert (check.name, check.verdict, check.exit_code) == ("decks", CheckStatus.FAILURE, 69)
    assert "cannot list HID devices" in check.found


# --- sysfs -----------------------------------------------------------------------------------------------------------------


def usb(sys_root: Path, name: str, product: str, title: str, vendor: str = "0fd9", hidraw: str | None = None) -> None:
    """A USB device as the kernel shows it."""
    place = sys_root / "bus/usb/devices" / name
    place.mkdir(parents=True)
    for file, text in {"idVendor": vendor, "idProduct": product, "product": title, "busnum": "1", "devnum": "12"}.items():
        (place / file).write_text(f"{text}\n")
    if hidraw is not None:
        (place / f"{name}:1.0/0003:0FD9:0080.0001/hidraw" / hidraw).mkdir(parents=True)


@linux
def test_a_deck_that_only_usb_knows_is_found_and_a_camera_of_the_vendor_is_not(tmp_path: Path):
    usb(tmp_path / "sys", "1-1", "0080", "Stream Deck MK.2")
    usb(tmp_path / "sys", "1-2", "0066", "Cam Link 4K")
    usb(tmp_path / "sys", "1-3", "0fff", "Stream Deck Ultra", hidraw="hidraw4")
    usb(tmp_path / "sys", "1-4", "0060", "Keyboard", vendor="04d9")
    taken, newer = told(patient(tmp_path), "decks")
    assert (taken.verdict, taken.exit_code, taken.about) == (CheckStatus.FAILURE, 69, "0fd9:0080")
    assert "has no hidraw node" in taken.found
    assert (newer.verdict, newer.hint) == (CheckStatus.WARNING, "pipx upgrade openbalance-hid")
    assert [device.hidraw for device in usb_devices(tmp_path / "sys")] == [(), (), ("hidraw4",)]


@linux
def test_a_deck_that_hidapi_lists_is_not_told_twice(tmp_path: Path):
    node = tmp_path / "hidraw9"
    node.touch()
    usb(tmp_path / "sys", "1-1", "0080", "Stream Deck MK.2", hidraw="hidraw9")
    assert only(patient(tmp_path, Openable(node)), "decks").verdict is CheckStatus.OK


# --- procfs ----------------------------------------------------------------------------------------------------------------


@contextmanager
def holding(file: Path) -> Iterator[int]:
    """Another program that has it open."""
    code = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process.pid
    finally:
        process.communicate()


@linux
def test_another_program_that_has_the_deck_open_is_named(tmp_path: Path):
    node = tmp_path / "hidraw3"
    node.touch()
    assert only(patient(tmp_path, Openable(node)), "owners").found == "no other program has a deck open"
    with holding(node) as pid:
        check = only(patient(tmp_path, Openable(node)), "owners")
        assert (check.verdict, check.about, check.hint) == (CheckStatus.WARNING, str(node), f"kill {pid}")
        assert f"(process {pid})" in check.found


@linux
def test_processes_that_cannot_be_looked_into_or_end_meanwhile_are_passed_over(tmp_path: Path):
    proc = tmp_path / "proc"
    (proc / "12/fd").mkdir(parents=True)
    (proc / "12/fd/3").symlink_to("/dev/hidraw3")
    (proc / "12/comm").write_text("python3\n")
    (proc / "12/cmdline").write_text("python3\0-m\0streamdeck_ui\0")
    (proc / "13").mkdir()
    (proc / "14/fd").mkdir(parents=True)
    (proc / "14/fd/3").write_text("no link")
    assert holders_of(["/dev/hidraw3", "/dev/hidraw4"], proc) == {
        "/dev/hidraw3": (DeviceHolder(12, "streamdeck_ui"),),
        "/dev/hidraw4": (),
    }


# --- udev ------------------------------------------------------------------------------------------------------------------

PRODUCTS = frozenset(product for _, product in product_ids())


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("50-a.rules", 'ATTRS{idVendor}=="0fd9", ATTRS{idProduct}=="0060|0080", TAG+="uaccess"\n', {0x60, 0x80}),
        ("50-a.rules", '# ATTRS{idVendor}=="0fd9", ATTRS{idProduct}=="0060"\n', set()),
        ("50-a.rules", 'ATTRS{idVendor}=="0FD9", \\\n  ATTRS{idProduct}=="00AA"\n', {0xAA}),
        ("50-a.rules", 'SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0fd9", MODE="0660"\n', set(PRODUCTS)),
        ("50-a.rules", 'ATTRS{idVendor}=="1234", ATTRS{idProduct}=="0060"\n', set()),
        ("70-av.hwdb", "usb:v0FD9p0060*\nusb:v0FD9p0063*\n ID_AV_PRODUCTION_CONTROLLER=1\n", {0x60, 0x63}),
    ],
    ids=["two", "comment", "two lines", "the whole vendor", "another vendor", "hardware database"],
)
def test_rules_and_hardware_database_are_read_by_product(tmp_path: Path, name: str, text: str, found: set[int]):
    folder = tmp_path / f"{name.rpartition('.')[2]}.d"
    folder.mkdir()
    (folder / name).write_text(text)
    assert covered_products(PRODUCTS, [tmp_path]) == found


@linux
def test_the_rules_of_this_version_are_well_and_others_are_a_hint(tmp_path: Path):
    def now() -> Check:
        return only(patient(tmp_path), "udev")

    file = tmp_path / "udev/rules.d" / rules_name(RulesKind.DESKTOP)
    assert (now().verdict, now().found) == (CheckStatus.WARNING, "no rule speaks of a Stream Deck")
    file.write_text(render_rules(RulesKind.DESKTOP))
    assert now().verdict is CheckStatus.OK
    assert covered_products(PRODUCTS, [tmp_path / "udev"]) == PRODUCTS
    file.write_text("# older\n")
    assert (now().verdict, now().hint) == (CheckStatus.WARNING, "openbalance-hid udev install")
    file.unlink()
    (file.parent / "60-of-another-program.rules").write_text(render_rules(RulesKind.HEADLESS))
    assert (now().verdict, now().found) == (CheckStatus.OK, f"rules that are not ours cover all {len(PRODUCTS)} products")
