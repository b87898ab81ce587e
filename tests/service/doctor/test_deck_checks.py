"""The doctor's checks of decks: nodes are really opened, and sysfs and procfs are read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.deck.usb_sysfs import DeviceHolder, holders_of, usb_devices
from openbalance_hid.errors import DeckRefusedError
from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.deck_checks import ListedDeck, assess_decks
from openbalance_hid.service.doctor.session_checks import LoginSession
from openbalance_hid.service.doctor.udev_checks import UdevFacts
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.service.doctor.doctor_context import as_an_ordinary_user, doctor_context, results, single_result

linux = pytest.mark.skipif(sys.platform != "linux", reason="hidraw, sysfs and udev are Linux")
SEAT = LoginSession("wayland", "seat0", remote=False)
SSH = LoginSession("tty", None, remote=True)


class Nodes:
    """hidapi over files in place of device nodes: it lists them, and opening one is opening the file."""

    def __init__(self, *files: Path) -> None:
        self._files = files

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[Mapping[str, Any]]:
        about = {"vendor_id": 0x0FD9, "product_id": 0x0080, "serial_number": "A00SA1234567"}
        return [{"path": os.fsencode(file), **about} for file in self._files]

    def device(self) -> Any:
        raise AssertionError("a device was requested")

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


@pytest.fixture
def node(public_dir: Path) -> Path:
    """A file that only root may open, in a folder that every user may enter."""
    file = public_dir / "hidraw7"
    file.touch(mode=0o000)
    return file


def test_a_node_without_permission_is_found_by_opening_it(node: Path):
    context = doctor_context(node.parent, Openable(node), XDG_SESSION_TYPE="wayland", XDG_SEAT="seat0")
    with as_an_ordinary_user():
        refused = single_result(context, "decks")
    assert (refused.verdict, refused.exit_code, refused.about) == (CheckStatus.FAILURE, 77, str(node))
    assert refused.found.endswith(f"cannot open deck at {node}: permission denied")
    node.chmod(0o666)
    with as_an_ordinary_user():
        allowed = single_result(doctor_context(node.parent, Openable(node)), "decks")
    assert (allowed.verdict, allowed.found) == (
        CheckStatus.OK,
        "Stream Deck MK.2 (0fd9:0080), serial A00SA1234567: can be opened",
    )


@linux
@pytest.mark.parametrize(
    ("session", "rules", "hint"),
    [
        (SEAT, UdevFacts(None, False, ("0fd9:0080",), 17, ("0fd9:0080",)), "openbalance-hid udev install"),
        (SEAT, UdevFacts("/etc/udev/x", True, (), 17), "sudo udevadm trigger --subsystem-match=hidraw"),
        (SEAT, UdevFacts("/etc/udev/x", False, ("0fd9:0080",), 17, ("0fd9:0080",)), "openbalance-hid udev install"),
        (
            LoginSession("tty", None, remote=True),
            UdevFacts("/etc/udev/x", True, (), 17),
            "openbalance-hid udev install --headless",
        ),
        (LoginSession("tty", None, remote=False), None, "openbalance-hid udev install"),
    ],
    ids=["no rules", "rules not applied yet", "old rules", "ssh", "not Linux"],
)
def test_the_hint_for_a_refusal_depends_on_session_and_rules(session: LoginSession, rules: UdevFacts | None, hint: str):
    error = DeckRefusedError("cannot open deck at /dev/hidraw3: permission denied", "openbalance-hid udev install")
    node = ListedDeck("/dev/hidraw3", "Stream Deck MK.2", "0fd9:0080", "A1", error=error)
    (check,) = assess_decks([node], [], session, rules)
    assert (check.verdict, check.hint) == (CheckStatus.FAILURE, hint)


@linux
def test_a_refusal_by_a_container_has_no_hint_that_would_not_help():
    error = DeckRefusedError("cannot open deck at /dev/hidraw3: this container or service does not permit the device")
    (check,) = assess_decks(
        [ListedDeck("/dev/hidraw3", "Stream Deck", "0fd9:006d", "A1", error=error)], [], SEAT, UdevFacts(None, False, (), 17)
    )
    assert (check.verdict, check.exit_code, check.hint) == (CheckStatus.FAILURE, 77, "")


def test_the_hint_for_a_refusal_on_macos_opens_the_system_setting():
    error = DeckRefusedError("cannot open deck at DevSrvsID:1: not permitted", "openbalance-hid doctor")
    (check,) = assess_decks([ListedDeck("DevSrvsID:1", "Stream Deck Neo", "0fd9:009a", "A1", error=error)], [], SEAT, None)
    assert check.hint.endswith('Privacy_ListenEvent"')


def test_a_connected_deck_can_be_opened_and_no_deck_is_a_warning(tmp_path: Path):
    bus = VirtualBus([VirtualDeck(model_named("xl"), "S1")])
    assert single_result(doctor_context(tmp_path, bus), "decks").verdict is CheckStatus.OK
    nothing = single_result(doctor_context(tmp_path), "decks")
    assert (nothing.verdict, nothing.hint) == (CheckStatus.WARNING, "openbalance-hid demo")


@pytest.mark.usefixtures("on_linux")
def test_decks_that_cannot_be_listed_are_reported_once(tmp_path: Path):
    class Mute(Nodes):
        def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[Mapping[str, Any]]:
            raise OSError("hid_enumerate failed")

    (check,) = results(doctor_context(tmp_path, Mute()), "decks", "owners")
    assert (check.name, check.verdict, check.exit_code) == ("decks", CheckStatus.FAILURE, 69)
    assert "cannot list HID devices" in check.found


# --- sysfs -----------------------------------------------------------------------------------------------------------------


def usb(
    sys_root: Path, name: str, product: str, title: str, vendor: str = "0fd9", hidraw: str | None = None, driver: str = "usbhid"
) -> None:
    """A USB device as the kernel shows it."""
    place = sys_root / "bus/usb/devices" / name
    place.mkdir(parents=True)
    for file, text in {"idVendor": vendor, "idProduct": product, "product": title, "busnum": "1", "devnum": "12"}.items():
        (place / file).write_text(f"{text}\n")
    (sys_root / "bus/usb/drivers" / driver).mkdir(parents=True, exist_ok=True)
    (place / f"{name}:1.0").mkdir()
    (place / f"{name}:1.0/driver").symlink_to(sys_root / "bus/usb/drivers" / driver)
    if hidraw is not None:
        (place / f"{name}:1.0/0003:0FD9:0080.0001/hidraw" / hidraw).mkdir(parents=True)


@linux
def test_a_deck_that_only_usb_lists_is_found_and_a_camera_of_the_vendor_is_not(tmp_path: Path):
    usb(tmp_path / "sys", "1-1", "0080", "Stream Deck MK.2")
    usb(tmp_path / "sys", "1-2", "0066", "Cam Link 4K")
    usb(tmp_path / "sys", "1-3", "0fff", "Stream Deck Ultra", hidraw="hidraw4")
    usb(tmp_path / "sys", "1-4", "0060", "Keyboard", vendor="04d9")
    taken, newer = results(doctor_context(tmp_path), "decks")
    assert (taken.verdict, taken.exit_code, taken.about) == (CheckStatus.FAILURE, 69, "0fd9:0080")
    assert "has no hidraw node" in taken.found
    assert (newer.verdict, newer.hint) == (CheckStatus.WARNING, "pipx upgrade openbalance-hid")
    assert [device.hidraw for device in usb_devices(tmp_path / "sys")] == [(), (), ("hidraw4",)]


@linux
def test_a_deck_that_a_libusb_program_has_claimed_is_in_use(tmp_path: Path):
    usb(tmp_path / "sys", "1-1", "0080", "Stream Deck MK.2", driver="usbfs")
    claimed = single_result(doctor_context(tmp_path), "decks")
    assert (claimed.verdict, claimed.exit_code, claimed.hint) == (CheckStatus.FAILURE, 69, "")
    assert "in use by another program (libusb)" in claimed.found


@linux
def test_a_deck_that_hidapi_lists_is_reported_once(tmp_path: Path):
    node = tmp_path / "hidraw9"
    node.touch()
    usb(tmp_path / "sys", "1-1", "0080", "Stream Deck MK.2", hidraw="hidraw9")
    assert single_result(doctor_context(tmp_path, Openable(node)), "decks").verdict is CheckStatus.OK


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
    assert single_result(doctor_context(tmp_path, Openable(node)), "owners").found == "no other program has a deck open"
    with holding(node) as pid:
        check = single_result(doctor_context(tmp_path, Openable(node)), "owners")
        assert (check.verdict, check.about, check.hint) == (CheckStatus.WARNING, str(node), f"kill {pid}")
        assert f"(process {pid})" in check.found


@linux
def test_processes_that_end_or_cannot_be_read_are_skipped(tmp_path: Path):
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


# Lines of `ps -axo pid=,comm=` on macOS, where comm is the whole path (ps(1)): Elgato's app with its helpers, and Companion.
PROCESSES = """  312 /usr/sbin/distnoted
 4711 /Applications/Elgato Stream Deck.app/Contents/MacOS/Stream Deck
 4712 /Applications/Elgato Stream Deck.app/Contents/Frameworks/Helper.app/Contents/MacOS/Helper
 4713 /Users/ada/Library/Application Support/com.elgato.StreamDeck/Plugins/a.sdPlugin/Stream Deck
 4800 /Users/ada/Applications/Companion.app/Contents/MacOS/Companion
"""


@pytest.mark.parametrize(
    ("processes", "apps"),
    [
        (PROCESSES, ["Elgato Stream Deck", "Companion"]),
        ("  99 /Applications/Stream Deck.app/Contents/MacOS/Stream Deck\n", ["Stream Deck"]),
        (" 312 /usr/sbin/distnoted\n", []),
    ],
)
def test_on_macos_each_app_that_opens_decks_is_named_with_how_to_quit_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: str, apps: list[str]
):
    (tmp_path / "ps").write_text(f"#!/bin/sh\ncat <<'END'\n{processes}END\n")
    (tmp_path / "ps").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("sys.platform", "darwin")
    checks = results(doctor_context(tmp_path), "owners")
    if not apps:
        assert [(check.verdict, check.found) for check in checks] == [(CheckStatus.OK, "no app that opens decks is running")]
        return
    assert [check.hint for check in checks] == [f"osascript -e 'quit app \"{app}\"'" for app in apps]
    assert all("System Settings > General > Login Items" in check.found for check in checks)
