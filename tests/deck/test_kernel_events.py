"""Kernel events: a real monitor on a real netlink socket, as far as this kernel and this user allow.

Root can send udev's messages: in the format of udevd, and in a network namespace of the test's own, so that no other program on
the machine receives them.
"""

import ctypes
import errno
import logging
import os
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openbalance_hid.deck.hotplug import Hotplug
from openbalance_hid.deck.kernel_events import UDEV_CONTROL, KernelEvents
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.waiting import PATIENCE_S, until

NETLINK_KOBJECT_UEVENT = 15  # linux/netlink.h
UDEV_GROUP = 2  # libudev: group 1 is the kernel, group 2 is udevd
MAGIC = 0xFEEDCAFE  # libudev: of a message between udevd and its listeners
HEADER_SIZE = 40
IDLE_CHECKS = 30  # 0.3 s: a thread that is only waiting for its turn gets it before, on a busy machine, too

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux")


def hash_of(text: bytes) -> int:
    """Return MurmurHash2 with seed 0, which libudev's filter in the kernel uses for a subsystem (A. Appleby, public domain)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    result = len(text)
    whole = len(text) // 4 * 4
    for at in range(0, whole, 4):
        part = int.from_bytes(text[at : at + 4], "little") * multiplier & mask
        result = (result * multiplier & mask) ^ ((part ^ part >> 24) * multiplier & mask)
    if whole < len(text):
        result = (result ^ int.from_bytes(text[whole:], "little")) * multiplier & mask
    result = (result ^ result >> 13) * multiplier & mask
    return result ^ result >> 15


def message(subsystem: bytes, action: bytes) -> bytes:
    """Return udevd's message about a node: one that every Linux has, because libudev looks it up."""
    words = (b"ACTION=" + action, b"DEVPATH=/devices/virtual/mem/null", b"SUBSYSTEM=" + subsystem, b"SEQNUM=1")
    body = b"".join(word + b"\0" for word in (*words, b"DEVNAME=/dev/null", b"MAJOR=1", b"MINOR=3"))
    head = struct.pack(">8sI", b"libudev", MAGIC) + struct.pack("=III", HEADER_SIZE, HEADER_SIZE, len(body))
    return head + struct.pack(">IIII", hash_of(subsystem), 0, 0, 0) + body


CLONE_NEWNET = 0x40000000  # sched.h
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21  # linux/capability.h: to send to a netlink group; to make a namespace


def may_send_for_udev() -> bool:
    """Return whether this user may, and libudev would listen: where udevd runs, or where /dev is the kernel's own."""
    if sys.platform != "linux":
        return False
    capabilities = int(re.findall(r"CapEff:\s*(\w+)", Path("/proc/self/status").read_text())[0], 16)
    dev_is_the_kernels = re.search(r"^\S+ \S+ \S+ \S+ /dev .* - devtmpfs ", Path("/proc/self/mountinfo").read_text(), re.M)
    return all(capabilities >> needed & 1 for needed in (CAP_NET_ADMIN, CAP_SYS_ADMIN)) and bool(
        dev_is_the_kernels or UDEV_CONTROL.exists()
    )


def leave_the_network() -> None:
    """Move the calling thread, and the sockets that it makes, into a new network namespace."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


class NamespacedEvents(KernelEvents):
    """Kernel events of a network namespace: a thread in it makes the socket."""

    def __init__(self, control: Path, inside: ThreadPoolExecutor) -> None:
        super().__init__(control)
        self._inside = inside

    def start(self, on_change: Callable[[], None]) -> None:
        self._inside.submit(super().start, on_change).result()


class Udev:
    """A network namespace, and a sender of udevd's messages in it."""

    def __init__(self, control: Path) -> None:
        self._inside = ThreadPoolExecutor(1, "private-net", leave_the_network)
        self._socket = self._inside.submit(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT).result()
        self.events = NamespacedEvents(control, self._inside)
        self.calls = threading.Semaphore(0)

    def listen(self, on_change: Callable[[], None] | None = None) -> None:
        self.events.start(on_change or self.calls.release)

    def send(self, subsystem: str = "hidraw", action: str = "add") -> None:
        self._socket.sendto(message(subsystem.encode(), action.encode()), (0, UDEV_GROUP))

    def received(self) -> bool:
        return self.calls.acquire(timeout=PATIENCE_S)

    def end(self) -> None:
        self.events.stop()
        self._socket.close()
        self._inside.shutdown()


@pytest.fixture
def control(tmp_path: Path) -> Path:
    """A file in place of udevd's control socket, whether udevd runs here or not."""
    file = tmp_path / "control"
    file.touch()
    return file


@pytest.fixture
def udev(control: Path) -> Iterator[Udev]:
    udev = Udev(control)
    yield udev
    udev.end()
    assert listeners() == []


def listeners() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deck-kernel-events"]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@on_linux
def test_a_real_monitor_starts_and_ends_twice_and_leaves_nothing_open(control: Path) -> None:
    first = KernelEvents(control)  # pyudev keeps open what it opens the first time
    first.start(lambda: None)
    first.stop()
    before = descriptors()
    for _ in range(20):
        events = KernelEvents(control)
        events.start(lambda: None)
        events.start(lambda: None)
        assert events.listening
        events.stop()
        events.stop()
        assert not events.listening
    assert descriptors() <= before, "fewer when an earlier test has only now closed its own"


@on_linux
def test_stopped_events_cannot_be_started_again(control: Path) -> None:
    events = KernelEvents(control)
    events.stop()
    events.start(lambda: None)
    assert not events.listening


def test_without_udev_there_are_no_events_and_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not listens(KernelEvents(tmp_path / "nowhere"), caplog)


def test_without_pyudev_there_are_no_events_and_no_warning(
    control: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pyudev", None)  # as on a machine that lacks it: importing raises ImportError
    assert not listens(KernelEvents(control), caplog)


@on_linux
def test_without_netlink_there_are_no_events_and_no_warning(
    control: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import pyudev

    def refused(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))  # as under systemd's RestrictAddressFamilies=

    monkeypatch.setattr(pyudev.Monitor, "from_netlink", refused)
    assert not listens(KernelEvents(control), caplog)


def listens(events: KernelEvents, caplog: pytest.LogCaptureFixture) -> bool:
    caplog.set_level(logging.INFO)
    events.start(lambda: None)
    listening = events.listening
    events.stop()
    assert caplog.records == []
    return listening


class TestUdevMessage:
    """Root only: other users have no such tests, as there are no hardware tests without hardware."""

    __test__ = may_send_for_udev()

    @pytest.mark.parametrize("action", ["add", "remove", "change"])
    def test_about_a_hidraw_node_calls_back(self, udev: Udev, action: str) -> None:
        udev.listen()
        udev.send(action=action)
        assert udev.received()

    def test_about_another_device_does_not_wake_the_thread(self, udev: Udev) -> None:
        udev.listen()
        udev.send("hidraw")
        assert udev.received()
        (listener,) = listeners()
        before = sleeps_when_idle(listener)
        for _ in range(50):
            udev.send("input")
        assert sleeps(listener) == before  # the kernel runs the receiver's filter within the sender's call
        assert not udev.calls.acquire(blocking=False)

    def test_that_is_dropped_for_lack_of_room_calls_back_and_ends_nothing(
        self, udev: Udev, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import pyudev

        def with_little_room(context: pyudev.Context, source: str) -> pyudev.Monitor:
            monitor = roomy(context, source)
            with socket.socket(fileno=os.dup(monitor.fileno())) as ours:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # root gets 128 MB from libudev
            return monitor

        roomy = pyudev.Monitor.from_netlink
        monkeypatch.setattr(pyudev.Monitor, "from_netlink", with_little_room)
        busy, go_on = threading.Event(), threading.Event()

        def slowly() -> None:
            udev.calls.release()
            busy.set()
            assert go_on.wait(PATIENCE_S)

        udev.listen(slowly)
        udev.send()
        assert busy.wait(PATIENCE_S)
        for _ in range(100):  # the kernel drops what does not fit, and raises ENOBUFS at the listener's end
            udev.send()
        go_on.set()
        assert udev.received()
        assert udev.received()
        (listener,) = listeners()
        until(lambda: asleep(listener))  # rather than looping on the error
        while udev.calls.acquire(blocking=False):
            pass
        udev.send()
        assert udev.received()

    def test_makes_a_deck_found(self, udev: Udev) -> None:
        bus, found, scanned = VirtualBus(), threading.Semaphore(0), threading.Event()
        hotplug = Hotplug(HidTransport(bus), lambda event: found.release(), 3600.0, scanned.set, udev.events)
        hotplug.start()
        try:
            assert scanned.wait(PATIENCE_S)
            hotplug.request_scan()  # ends the first pause
            until(lambda: udev.events.listening)
            bus.plug(VirtualDeck(MODELS["mk2"], "A"))
            udev.send()
            assert found.acquire(timeout=PATIENCE_S)
        finally:
            hotplug.stop()
        assert not udev.events.listening


def asleep(thread: threading.Thread) -> bool:
    """Return whether the kernel has put the thread to sleep (state S, proc(5))."""
    return Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def sleeps_when_idle(thread: threading.Thread) -> int:
    """Wait until the thread sleeps and stays asleep, not only for the interpreter's lock; return how often it has slept."""
    seen: list[int] = []

    def is_idle() -> bool:
        time.sleep(0.01)  # gives the interpreter's lock away
        seen.append(sleeps(thread))
        return asleep(thread) and len(seen) > IDLE_CHECKS and len(set(seen[-IDLE_CHECKS:])) == 1

    until(is_idle)
    return seen[-1]


def sleeps(thread: threading.Thread) -> int:
    """Return how often the thread has gone to sleep voluntarily."""
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(re.findall(r"\nvoluntary_ctxt_switches:\s*(\d+)", status)[0])
