"""A module `hid` for tests, with the rules of hidapi on macOS and one virtual deck. It records what it is called with.

Source: hidapi's mac/hid.c and cython-hidapi's hid.pyx. Importing calls hid_init(), which schedules IOKit's manager on the run
loop of the importing thread; hid_exit(), at the end of the process, uses that run loop, which ends with its thread: a crash
(cython-hidapi #142, #148). hid_enumerate() runs that loop, and hid_open_path() and hid_close() change lists of the manager
without a lock.

HID_RECORD names the file for the record: one line a call, with the thread.
"""
# ruff: noqa: A001, N801, T201 - the names of hidapi; the crash is printed

import atexit
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openbalance_hid.simulator.device.fake_hidapi import DeviceInfo, VirtualBus, VirtualHandle
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

__version__ = "0.15.0"
IN_A_CALL_S = 0.005  # long enough for another thread to enter

_bus = VirtualBus([VirtualDeck(model_named("mk2"), "A1")])
_importing_thread = threading.current_thread()
_in_use = threading.Lock()


def _record(call: str) -> None:
    with Path(os.environ["HID_RECORD"]).open("a", encoding="utf-8") as record:
        print(call, threading.get_ident(), file=record)


@contextmanager
def _one_call(name: str) -> Iterator[None]:
    if not _in_use.acquire(blocking=False):
        _record(f"overlap-{name}")
        yield
        return
    try:
        _record(name)
        time.sleep(IN_A_CALL_S)
        yield
    finally:
        _in_use.release()


def enumerate(vendor_id: int = 0, product_id: int = 0) -> list[DeviceInfo]:
    """List the deck."""
    with _one_call("enumerate"):
        return _bus.enumerate(vendor_id, product_id)


class device(VirtualHandle):
    """hidapi's handle."""

    def __init__(self) -> None:
        super().__init__(_bus)

    def open_path(self, path: bytes) -> None:
        """Open the deck."""
        with _one_call("open"):
            super().open_path(path)

    def close(self) -> None:
        """Close the deck."""
        with _one_call("close"):
            super().close()


def _exit(*_: Any) -> None:
    if not (_importing_thread is threading.main_thread() or _importing_thread.is_alive()):
        print("crash: the run loop of hid_init() is gone", file=sys.stderr, flush=True)
        os._exit(139)


is_main = threading.current_thread() is threading.main_thread()
_record(f"import-{'main' if is_main else 'other'}-{threading.active_count()}")
atexit.register(_exit)
