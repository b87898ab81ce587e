"""Changes of names in directories and of files, from kqueue(2) of macOS and the BSDs, by one descriptor and without a thread.

kqueue reports that a directory has changed, not which name, and a file's content only through a descriptor of the file. So the
few files and directories on the path are open, and a directory's watched names are compared. FSEvents would report every file
below a directory, and with `~/Library/Application Support` every write of a browser.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_EVENTS_AT_ONCE = 64
_system: Any = select  # its names for kqueue exist on macOS and the BSDs only
_Names = dict[str, tuple[int, ...]]  # a name -> what changes with its file


class Kqueue:
    """`descriptor` is readable when an event is waiting. For one thread. OSError: not available."""

    def __init__(self) -> None:
        if not hasattr(_system, "kqueue"):
            raise OSError(errno.ENOSYS, "no file events on this system")
        self._queue = _system.kqueue()
        self.descriptor = int(self._queue.fileno())
        self._directories: dict[int, tuple[Path, frozenset[str], _Names]] = {}  # by descriptor
        self._files: set[int] = set()  # descriptors

    def watch(self, names: Mapping[Path, frozenset[str]]) -> OSError | None:
        """Watch these names, casefolded, in these directories, and no others. Return the last error, None without."""
        before = [*self._directories, *self._files]
        self._directories, self._files, failure = {}, set(), None
        for directory, wanted in names.items():
            try:
                self._watch_directory(directory, wanted)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # removed meanwhile: an event above
                    failure = error
        for number in before:  # its events end with it (kqueue(2))
            os.close(number)
        return failure

    def read(self) -> tuple[bool, bool]:
        """Read every event. Return whether one concerns a watched name, and whether one may have changed the path to it."""
        concerned = moved = False
        gone = _system.KQ_NOTE_DELETE | _system.KQ_NOTE_RENAME | _system.KQ_NOTE_REVOKE
        while events := self._queue.control(None, _EVENTS_AT_ONCE, 0):
            for event in events:
                if event.ident in self._files:
                    concerned = True
                    moved |= bool(event.fflags & gone)
                elif event.ident in self._directories:
                    changed = bool(event.fflags & gone) or self._has_changed(event.ident)
                    concerned |= changed
                    moved |= changed
        return concerned, moved

    def close(self) -> None:
        """Close every descriptor."""
        self._queue.close()
        for number in (*self._directories, *self._files):
            os.close(number)
        self._directories, self._files = {}, set()

    def _watch_directory(self, directory: Path, wanted: frozenset[str]) -> None:
        number = self._open(directory, _system.KQ_NOTE_WRITE)
        found = _find_names(directory, wanted)
        self._directories[number] = directory, wanted, found
        for name in found:
            with suppress(FileNotFoundError, PermissionError, IsADirectoryError):  # `check` compares
                if (directory / name).is_file():  # a socket cannot be opened, and has no content
                    self._files.add(self._open(directory / name, _system.KQ_NOTE_WRITE | _system.KQ_NOTE_EXTEND))

    def _open(self, path: Path, flags: int) -> int:
        """Open a path for its events alone, which keeps no disk from being ejected; return the descriptor."""
        number = os.open(path, getattr(os, "O_EVTONLY", os.O_RDONLY) | os.O_CLOEXEC | os.O_NONBLOCK)
        flags |= _system.KQ_NOTE_DELETE | _system.KQ_NOTE_RENAME | _system.KQ_NOTE_REVOKE
        event = _system.kevent(number, _system.KQ_FILTER_VNODE, _system.KQ_EV_ADD | _system.KQ_EV_CLEAR, flags)
        try:
            self._queue.control([event], 0, 0)
        except OSError:
            os.close(number)
            raise
        return number

    def _has_changed(self, number: int) -> bool:
        """Compare the watched names of a directory with those at the last call, or when it was opened."""
        directory, wanted, before = self._directories[number]
        found: _Names = {}
        with suppress(OSError):
            found = _find_names(directory, wanted)
        self._directories[number] = directory, wanted, found
        return found != before


def _find_names(directory: Path, wanted: frozenset[str]) -> _Names:
    """Return the names in a directory that equal a wanted one casefolded, as on a file system that ignores case."""
    found: _Names = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.casefold() in wanted:
                with suppress(FileNotFoundError):
                    state = entry.stat(follow_symlinks=False)
                    content = () if stat.S_ISDIR(state.st_mode) else (state.st_mtime_ns, state.st_size)
                    found[entry.name] = (state.st_ino, stat.S_IFMT(state.st_mode), *content)
    return found
