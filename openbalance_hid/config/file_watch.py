"""Watch one file for changes: by the system's file events, and by comparing the file now and then.

Directories are watched, not the file: editors replace the file by a new one, and a file among dotfiles is a link or below one
(`symlink_path`). Events of other names are ignored. File events come from inotify on Linux and from kqueue on macOS. They are
missing where the system has no more of them, and for changes that another machine makes on a network file system: `check`, one
`stat` at each turn of the main loop, notices those. Reading the file is not here.

The files are the configuration and, where its removal would be noticed late, the control socket.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from openbalance_hid.config.inotify import Inotify
from openbalance_hid.config.kqueue import Kqueue
from openbalance_hid.config.symlink_path import PathHop, dangling_link, hops_to

log = logging.getLogger(__name__)

EVENTS = "noticed at once"
COMPARED = "noticed within a minute"
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "fuse", "virtiofs", "vboxsf", "prl_fs", "davfs", "glusterfs", "lustre")

_FileState = tuple[int, int, int, int] | tuple[int | None, tuple[Path, Path] | None]


class FileWatch:
    """Calls `changed` from `check` each time the file at the absolute `path` was created, changed or removed.

    `wake`: called by `on_event` when `check` should be called. `descriptor`: call `on_event` when it is readable; None without
    file events.
    """

    def __init__(
        self,
        path: Path,
        changed: Callable[[], object],
        wake: Callable[[], object],
        mounts: Path = Path("/proc/self/mountinfo"),
    ) -> None:
        self._path = path
        self._changed = changed
        self._wake = wake
        self._mounts = mounts
        self._state = _file_state(path)
        self._events: Inotify | Kqueue | None = None
        self._failure = ""  # why file events are not used, or not alone
        self._reported = False

    @property
    def descriptor(self) -> int | None:
        return self._events.descriptor if self._events is not None else None

    @property
    def method(self) -> str:
        """How changes are noticed, in words: EVENTS, or COMPARED and the reason."""
        return f"{COMPARED}: {self._failure}" if self._failure else EVENTS

    def start(self) -> None:
        """Watch from now on. Raises nothing."""
        try:
            self._events = Inotify() if sys.platform == "linux" else Kqueue()
        except OSError as error:  # another system, or the limit of instances
            self._fail((error.strerror or str(error)).lower())
            return
        self._watch()
        kind = _file_system(self._path, self._mounts)
        if kind.startswith(_NETWORK):
            self._failure = f"{kind} reports no changes that another machine makes"

    def on_event(self) -> None:
        """Read the events, and call `wake` if one concerns the file. For one thread, not necessarily that of `check`."""
        if self._events is None:
            return
        concerned, moved = self._events.read()
        if moved:
            self._watch()
        # A name that came and went before its directory was compared concerns it, if `check` has seen the file between the two.
        if concerned or _file_state(self._path) != self._state:
            self._wake()

    def check(self) -> None:
        """Call `changed` if the file is another one than at the last call. One `stat`."""
        state = _file_state(self._path)
        if state != self._state:
            self._state = state
            self._changed()

    def stop(self) -> None:
        """Watch no longer. Idempotent. No other thread may use the descriptor any more."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def _watch(self) -> None:
        """Watch every directory on the path to the file anew: a directory that was created again has lost its watch."""
        assert self._events is not None  # noqa: S101 - both callers have it
        hops: Sequence[PathHop] = ()
        while hops != (hops := hops_to(self._path)):  # until it no longer changes meanwhile
            names: dict[Path, frozenset[str]] = {}
            for hop in hops:
                names[hop.directory] = names.get(hop.directory, frozenset()) | {hop.name.casefold()}
            error = self._events.watch(names)
            if error is not None:  # no permission, or the limit of watches
                self._fail((error.strerror or str(error)).lower())

    def _fail(self, reason: str) -> None:
        self._failure = reason
        if not self._reported:
            self._reported = True
            log.warning("no file events for %s: %s; a change is noticed within a minute", self._path, reason)


def start_watches(watches: Iterable[FileWatch | None], running: ExitStack) -> dict[int, Callable[[], object]]:
    """Start the watches; `running` stops them. Return what to call when a descriptor is readable, by descriptor."""
    called: dict[int, Callable[[], object]] = {}
    for watch in filter(None, watches):
        running.callback(watch.stop)
        watch.start()
        if watch.descriptor is not None:
            called[watch.descriptor] = watch.on_event
    return called


def _file_state(path: Path) -> _FileState:
    """Return what changes with the file: inode, times in ns, size in bytes. Without a file: why there is none.

    The time of its status changes with its permissions too: a file that could not be read can be read after `chmod`.
    """
    try:
        found = path.stat()
    except OSError as error:
        return error.errno, dangling_link(path)
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _file_system(path: Path, mounts: Path) -> str:
    """Return the type of the file system at `path`, as "ext4"; empty if it is not known (proc(5), mountinfo)."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    real = str(path.resolve())
    best = ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode().decode("unicode_escape", "replace") if "\\" in before else before.split(" ")[4]
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, after.split(" ")[0])
    return best[1]
