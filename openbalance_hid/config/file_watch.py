"""Notices that the configuration file has changed, from the file events of the system: nothing is looked at while it rests.

Directories are watched and not the file: editors put a new file in the old one's place, and a file among dotfiles is a link, or
lies below one (`way`). What happens there to other names is not looked at. Not here: reading the file, and what becomes of it.
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

from openbalance_hid.config.symlink_path import PathHop, way_to

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

SETTLE_S = 0.1  # an editor writes, renames and sets the mode: one change to its owner
STOP_LIMIT_S = 2.0

Seen = tuple[int, int, int] | None


class ConfigWatch:
    """Calls `changed`, on a thread of its own, each time the file at the absolute `path` has come, gone or become another."""

    def __init__(self, path: Path, changed: Callable[[], object]) -> None:
        self.looks = 0  # at the file
        self._path = path
        self._changed = changed
        self._stirred = threading.Event()
        self._stopping = False
        self._seen = seen(path)
        self._astray = True  # the way to the file may be another than the one that is watched
        self._deaf: set[Path] = set()  # directories that cannot be watched, as was said
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="configuration", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()
        self._ready.wait(STOP_LIMIT_S)

    def stop(self) -> None:
        """Watch no longer; may be called twice."""
        self._stopping = True
        self._stirred.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_LIMIT_S)

    def _run(self) -> None:
        from watchdog.observers import Observer  # here: loading it is not to delay the first picture

        observer = Observer()
        observer.start()
        try:
            while not self._stopping:
                self._stirred.clear()
                if self._astray:
                    self._astray = False
                    self._watch(observer)
                self._ready.set()
                self._look()
                self._stirred.wait()
                if not self._stopping:
                    time.sleep(SETTLE_S)
        finally:
            observer.stop()
            observer.join(STOP_LIMIT_S)

    def _watch(self, observer: BaseObserver) -> None:
        """Watch the way to the file anew: a directory that was made again has the old name and nothing of the old watch."""
        way: Sequence[PathHop] = ()
        while way != (way := way_to(self._path)):  # as long as it changes under our hands
            observer.unschedule_all()
            names: dict[Path, set[str]] = {}
            for step in way:
                names.setdefault(step.directory, set()).add(step.name.casefold())
            for directory in names:  # from the top: what happens below meanwhile is told from above
                self._schedule(observer, directory, names[directory], writes=directory == way[-1].directory)

    def _schedule(self, observer: BaseObserver, directory: Path, names: Collection[str], *, writes: bool) -> None:
        """`names`: those that matter there; `writes`: what is written into such a file does, too."""
        from watchdog import events

        written = events.FileClosedEvent if sys.platform == "linux" else events.FileModifiedEvent
        wanted: list[type[FileSystemEvent]] = [
            *(events.FileCreatedEvent, events.FileMovedEvent, events.FileDeletedEvent),
            *(events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent),
            *((written,) if writes else ()),
        ]
        watch = self

        class Stir(events.FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                paths = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
                if any(path == directory or path.name.casefold() in names for path in paths):
                    watch._astray |= not isinstance(event, written)
                    watch._stirred.set()

        try:
            observer.schedule(Stir(), str(directory), event_filter=wanted)
        except FileNotFoundError:
            return  # gone meanwhile: the way is another
        except OSError as error:  # not to be read, or the system's limit of watches
            if directory not in self._deaf:
                log.warning("changes in %s go unnoticed: %s; reload tells of them", directory, error.strerror or error)
            self._deaf.add(directory)

    def _look(self) -> None:
        self.looks += 1
        now = seen(self._path)
        if now != self._seen:
            self._seen = now
            try:
                self._changed()
            except Exception:  # one turn of a thread
                log.exception("a change of the configuration was lost; going on")


def seen(path: Path) -> Seen:
    """What tells one state of the file from the next; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
