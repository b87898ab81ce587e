"""Watch the configuration file for changes, by the system's file events: without a change nothing runs.

Directories are watched, not the file: editors replace the file by a new one, and a file among dotfiles is a link or below one
(`symlink_path`). Events of other names are ignored. Reading the file is not here.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openbalance_hid.config.symlink_path import PathHop, hops_to

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

SETTLE_S = 0.1  # an editor writes, renames and sets the mode: one change for the user
STOP_LIMIT_S = 2.0

_FileState = tuple[int, int, int] | None


class ConfigWatch:
    """Calls `changed` on a thread of its own each time the file at the absolute `path` is created, changed or removed."""

    def __init__(self, path: Path, changed: Callable[[], object]) -> None:
        self.checks = 0  # of the file, so far
        self._path = path
        self._changed = changed
        self._event = threading.Event()
        self._stopping = False
        self._state = _file_state(path)
        self._path_changed = True  # other directories may be on the path to the file now
        self._unwatchable: set[Path] = set()  # directories that failed; each is logged once
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="configuration", daemon=True)

    def start(self) -> None:
        """Start watching; returns when changes are noticed."""
        self._thread.start()
        self._ready.wait(STOP_LIMIT_S)

    def stop(self) -> None:
        """Stop watching; idempotent."""
        self._stopping = True
        self._event.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_LIMIT_S)

    def _run(self) -> None:
        from watchdog.observers import Observer  # here: loading it must not delay the first picture

        observer = Observer()
        observer.start()
        try:
            while not self._stopping:
                self._event.clear()
                if self._path_changed:
                    self._path_changed = False
                    self._watch(observer)
                self._ready.set()
                self._check()
                self._event.wait()
                if not self._stopping:
                    time.sleep(SETTLE_S)
        finally:
            observer.stop()
            observer.join(STOP_LIMIT_S)

    def _watch(self, observer: BaseObserver) -> None:
        """Watch every directory on the path to the file anew: a directory that was created again has lost its watch."""
        hops: Sequence[PathHop] = ()
        while hops != (hops := hops_to(self._path)):  # until it no longer changes meanwhile
            observer.unschedule_all()
            names: dict[Path, set[str]] = {}
            for hop in hops:
                names.setdefault(hop.directory, set()).add(hop.name.casefold())
            for directory in names:  # from the top: a change below meanwhile is an event above
                self._schedule(observer, directory, names[directory], writes=directory == hops[-1].directory)

    def _schedule(self, observer: BaseObserver, directory: Path, names: Collection[str], *, writes: bool) -> None:
        """Watch `names` in `directory`. `writes`: also writes into such a file."""
        from watchdog import events

        written = events.FileClosedEvent if sys.platform == "linux" else events.FileModifiedEvent
        kinds: list[type[FileSystemEvent]] = [
            *(events.FileCreatedEvent, events.FileMovedEvent, events.FileDeletedEvent),
            *(events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent),
            *((written,) if writes else ()),
        ]
        watch = self

        class ChangeHandler(events.FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                paths = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
                if any(path == directory or path.name.casefold() in names for path in paths):
                    watch._path_changed |= not isinstance(event, written)
                    watch._event.set()

        try:
            observer.schedule(ChangeHandler(), str(directory), event_filter=kinds)
        except FileNotFoundError:
            return  # removed meanwhile: the path has changed
        except OSError as error:  # no permission, or the system's limit of watches
            if directory not in self._unwatchable:
                log.warning(
                    "cannot watch %s: %s; after a change there: openbalance-hid reload", directory, error.strerror or error
                )
            self._unwatchable.add(directory)

    def _check(self) -> None:
        self.checks += 1
        state = _file_state(self._path)
        if state != self._state:
            self._state = state
            try:
                self._changed()
            except Exception:  # one turn of a thread
                log.exception("a change of the configuration was not applied; going on")


def _file_state(path: Path) -> _FileState:
    """Return what changes with the file: inode, time in ns, size in bytes; None: no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
