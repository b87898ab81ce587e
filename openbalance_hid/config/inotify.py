"""Changes of names in directories, from Linux's inotify(7), by one descriptor and without a thread.

Through the C library: watchdog needs a thread for itself and two for each directory, and pyinotify is no longer maintained.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

# linux/inotify.h
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _OVERFLOW, _IGNORED, _ONLY_DIRECTORY = 0x400, 0x800, 0x4000, 0x8000, 0x0100_0000
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF | _ONLY_DIRECTORY
_OF_DIRECTORY = _DELETE_SELF | _MOVE_SELF | _OVERFLOW | _IGNORED
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_BUFFER_BYTES = 65_536


class Inotify:
    """`descriptor` is readable when an event is waiting. For one thread. OSError: not available."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError(errno.ENOSYS, "no file events on this system")
        self._library = ctypes.CDLL(None, use_errno=True)
        self.descriptor = int(self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if self.descriptor < 0:
            raise _last_error()
        self._names: dict[int, frozenset[str]] = {}  # by watch

    def watch(self, names: Mapping[Path, frozenset[str]]) -> OSError | None:
        """Watch these names, casefolded, in these directories, and no others. Return the last error, None without."""
        before, self._names, failure = self._names, {}, None
        for directory, wanted in names.items():
            number = self._library.inotify_add_watch(self.descriptor, os.fsencode(directory), _MASK)
            if number >= 0:
                self._names[number] = self._names.get(number, frozenset()) | wanted
            elif (error := _last_error()).errno not in (errno.ENOENT, errno.ENOTDIR):  # removed meanwhile: an event above
                failure = error
        for number in before.keys() - self._names.keys():
            self._library.inotify_rm_watch(self.descriptor, number)
        return failure

    def read(self) -> tuple[bool, bool]:
        """Read every event. Return whether one concerns a watched name, and whether one may have changed the path to it."""
        concerned = moved = False
        for number, mask, name in self._events():
            if mask & _OF_DIRECTORY and (number in self._names or mask & _OVERFLOW):
                concerned = moved = True
            elif name.casefold() in self._names.get(number, ()):
                concerned = True
                moved |= mask & _CLOSE_WRITE == 0
        return concerned, moved

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.descriptor)

    def _events(self) -> Iterator[tuple[int, int, str]]:
        with suppress(BlockingIOError):
            while raw := os.read(self.descriptor, _BUFFER_BYTES):
                at = 0
                while at < len(raw):
                    number, mask, _, length = _EVENT.unpack_from(raw, at)
                    at += _EVENT.size + length
                    yield number, mask, os.fsdecode(raw[at - length : at].rstrip(b"\0"))


def _last_error() -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code))
