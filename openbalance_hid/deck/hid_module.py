"""hidapi's Python module: what is used of it, how it is loaded, and how a read that waits on another thread is ended.

On Linux hidapi waits for a report in poll(2), which every signal with a handler ends: the read fails, and its thread leaves.
Otherwise a closing handle would wait until its read ends by itself. On macOS hidapi waits for a condition, which no signal
ends.
"""

import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol, cast

from openbalance_hid.errors import DeckError
from openbalance_hid.hints import hint

INTERRUPT = signal.SIGURG  # ignored by default: one that comes late, or without the handler, does nothing


class HidHandle(Protocol):
    """hidapi's `device`, as far as it is used. Failures: OSError when reading, -1 when writing, ValueError when not open.

    A replacement may add `interrupt()`, which ends a `read` that waits on another thread.
    """

    def open_path(self, path: bytes) -> None: ...
    def close(self) -> None: ...
    def error(self) -> str: ...
    def read(self, max_length: int, timeout_ms: int = 0) -> list[int]: ...
    def write(self, buff: bytes) -> int: ...
    def send_feature_report(self, buff: bytes) -> int: ...
    def get_feature_report(self, report_num: int, max_length: int) -> list[int]: ...


class HidModule(Protocol):
    """hidapi's module `hid` or `hidraw`.

    A replacement may add `open_error(path: bytes) -> OSError | None`: why opening that path fails now, or None. hidapi gives
    no reason, and a replacement has no device node that could be opened instead.
    """

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[Mapping[str, Any]]: ...
    def device(self) -> HidHandle: ...


def load_hidapi() -> HidModule:
    """Return hidapi for this system: hidraw on Linux (the driver stays attached), IOKit on macOS. Raises DeckError."""
    name = "hidraw" if sys.platform == "linux" else "hid"
    try:
        return cast(HidModule, import_module(name))
    except ImportError as error:
        raise DeckError(f"cannot load hidapi ({name}): {error}", hint("hidapi cannot be loaded")) from error


def prepare_hidapi() -> None:
    """Prepare the process for hidapi: call it on the main thread, before any other thread starts.

    On macOS hidapi belongs to the thread that loads it. Raises nothing: the first scan reports one that cannot be loaded.
    """
    if sys.platform == "linux":
        signal.signal(INTERRUPT, lambda *_: None)  # without it, a read ends at the end of its slice
    if sys.platform == "darwin":
        with suppress(DeckError):
            load_hidapi()


def interrupt(thread: int) -> None:
    """End the read that waits on the thread of this identifier, which must be running."""
    if sys.platform == "linux":
        with suppress(OSError):
            signal.pthread_kill(thread, INTERRUPT)
