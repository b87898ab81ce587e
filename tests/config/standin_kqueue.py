"""kqueue(2) with EVFILT_VNODE as macOS has it, over Linux's inotify: the names that `select` has there.

As the man page says: an event belongs to a descriptor and ends with it; EV_CLEAR resets it once it was read, and what happened
meanwhile is one event with all flags; a directory reports NOTE_WRITE when an entry appears, goes or is replaced, and not which;
a file reports NOTE_WRITE for its content, and NOTE_DELETE when its last name goes, also by another file that takes the name.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from typing import NamedTuple

KQ_FILTER_VNODE, KQ_EV_ADD, KQ_EV_CLEAR = -4, 0x1, 0x20
KQ_NOTE_DELETE, KQ_NOTE_WRITE, KQ_NOTE_EXTEND, KQ_NOTE_RENAME, KQ_NOTE_REVOKE = 0x1, 0x2, 0x4, 0x20, 0x40

_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 2, 4, 64, 128, 256, 512, 1024, 2048
_ENTRIES = _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_RECORD = struct.Struct("iIII")
_library = ctypes.CDLL(None, use_errno=True)


class kevent(NamedTuple):  # noqa: N801 - as in select
    ident: int
    filter: int
    flags: int
    fflags: int


class kqueue:  # noqa: N801 - as in select
    def __init__(self) -> None:
        self._inotify = _library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._filters: dict[int, tuple[tuple[int, int], int]] = {}  # descriptor -> its inode, flags
        self._watched: dict[int, tuple[int, int]] = {}  # number of the watch -> inode

    def fileno(self) -> int:
        return int(self._inotify)

    def close(self) -> None:
        os.close(self._inotify)

    def control(self, changes: list[kevent] | None, count: int, timeout: float) -> list[kevent]:
        assert timeout == 0
        for change in changes or ():
            assert (change.filter, change.flags) == (KQ_FILTER_VNODE, KQ_EV_ADD | KQ_EV_CLEAR)
            inode = _inode(change.ident)
            assert inode is not None, "EBADF"
            mask = _MODIFY | _ATTRIB | _ENTRIES | _DELETE_SELF | _MOVE_SELF
            number = _library.inotify_add_watch(self._inotify, os.fsencode(f"/proc/self/fd/{change.ident}"), mask)
            assert number >= 0
            self._watched[number] = inode
            self._filters[change.ident] = inode, change.fflags
        return self._events()[:count] if count else []

    def _events(self) -> list[kevent]:
        happened: dict[int, int] = {}
        with suppress(BlockingIOError):
            while raw := os.read(self._inotify, 65_536):
                at = 0
                while at < len(raw):
                    number, mask, _, length = _RECORD.unpack_from(raw, at)
                    at += _RECORD.size + length
                    for ident, (inode, wanted) in self._filters.items():
                        if inode == self._watched.get(number) == _inode(ident):
                            happened[ident] = happened.get(ident, 0) | _flags(ident, mask) & wanted
        return [kevent(ident, KQ_FILTER_VNODE, KQ_EV_ADD, flags) for ident, flags in happened.items() if flags]


def _inode(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:  # closed: its events have ended
        return None
    return found.st_dev, found.st_ino


def _flags(descriptor: int, mask: int) -> int:
    flags = KQ_NOTE_WRITE if mask & (_ENTRIES | _MODIFY) else 0
    flags |= KQ_NOTE_EXTEND if mask & _MODIFY else 0
    flags |= KQ_NOTE_RENAME if mask & _MOVE_SELF else 0
    gone = mask & _DELETE_SELF or (mask & _ATTRIB and os.fstat(descriptor).st_nlink == 0)
    return flags | (KQ_NOTE_DELETE if gone else 0)
