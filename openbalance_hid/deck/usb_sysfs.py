"""Read the vendor's USB devices from sysfs, and the processes that hold a device node open from procfs. Changes nothing.

hidapi lists hidraw nodes only. A program that drives a deck through libusb detaches the kernel's driver, and the node is gone:
the deck is connected, and hidapi does not list it.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

SYS = Path("/sys")
PROC = Path("/proc")
VENDOR = "0fd9"
LIBUSB_DRIVER = "usbfs"


class UsbDevice(Struct, frozen=True):
    """A device of the vendor. `node`: its USB node, "/dev/bus/usb/001/005"; `hidraw`: names of its hidraw nodes.

    `uses_libusb`: a program has claimed an interface through libusb, for which the kernel's driver is called usbfs.
    """

    product_id: int
    title: str
    serial: str
    node: str
    hidraw: tuple[str, ...]
    uses_libusb: bool


class DeviceHolder(Struct, frozen=True):
    """A process that has a node open."""

    pid: int
    name: str


def usb_devices(sys_root: Path = SYS) -> tuple[UsbDevice, ...]:
    """Return the vendor's devices on all buses; none without sysfs. Raises OSError when it cannot be read."""
    found = []
    for device in sorted((sys_root / "bus/usb/devices").glob("*")):
        if _text(device / "idVendor") != VENDOR:
            continue
        bus, number = _text(device / "busnum"), _text(device / "devnum")
        nodes = tuple(sorted(node.name for node in device.glob("*:*/*/hidraw/hidraw*")))
        found.append(
            UsbDevice(
                product_id=int(_text(device / "idProduct"), 16),
                title=_text(device / "product") or "device",
                serial=_text(device / "serial"),
                node=f"/dev/bus/usb/{bus:0>3}/{number:0>3}",
                hidraw=nodes,
                uses_libusb=any(link.resolve().name == LIBUSB_DRIVER for link in device.glob("*:*/driver")),
            )
        )
    return tuple(found)


def holders_of(nodes: Iterable[str], proc: Path = PROC) -> Mapping[str, tuple[DeviceHolder, ...]]:
    """Return by node the processes that have it open, except the processes of other users, which cannot be read."""
    wanted = set(nodes)
    found: dict[str, dict[int, DeviceHolder]] = {node: {} for node in wanted}
    for process in proc.glob("[0-9]*") if wanted else ():
        for node in _open_files(process) & wanted:
            found[node][int(process.name)] = DeviceHolder(int(process.name), _name(process))
    return {node: tuple(holders[pid] for pid in sorted(holders)) for node, holders in found.items()}


def _open_files(process: Path) -> set[str]:
    files = set()
    try:
        for entry in os.scandir(process / "fd"):
            try:
                files.add(os.readlink(entry.path))  # noqa: PTH115 – there may be ten thousand: no Path for each
            except OSError:
                continue  # closed in between
    except OSError:
        return files  # the process ended, or belongs to another user
    return files


def _name(process: Path) -> str:
    """Return the name of the program; for an interpreter, of the script it runs."""
    name = _text(process / "comm") or "?"
    words = _text(process / "cmdline").split("\0")
    if name.startswith("python") and len(words) > 1:
        script = words[2] if words[1] == "-m" and len(words) > 2 else Path(words[1]).name
        return script or name
    return name


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
