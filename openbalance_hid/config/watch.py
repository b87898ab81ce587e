"""Notices that the configuration file has changed, from the file events of the system: nothing is looked at while it rests.

Directories are watched and not the file: editors put a new file in the old one's place, and a file among dotfiles is a link, or
lies below one. Not here: reading the file, and what becomes of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

log = logging.getLogger(__name__)

SETTLE_S = 0.1  # an editor writes, renames and sets the mode: one change to its owner
MOST_LINKS = 8  # hops of a chain of links that are followed
STOP_LIMIT_S = 2.0

Seen = tuple[int, int, int] | None


class ConfigWatch:
    """Calls `changed`, on a thread of its own, each time the file at `path` has come, gone or become another."""

    def __init__(self, path: Path, changed: Callable[[], object]) -> None:
        self._path = path
        self._changed = changed
        self._stirred = threading.Event()
        self._stopping = False
        self._seen = seen(path)
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
        watched: frozenset[Path] = frozenset()
        try:
            while not self._stopping:
                self._stirred.clear()
                if watched != (wanted := directories(self._path)):
                    watched = self._watch(observer, wanted)
                self._ready.set()
                self._look()
                self._stirred.wait()
                if not self._stopping:
                    time.sleep(SETTLE_S)
        finally:
            observer.stop()
            observer.join(STOP_LIMIT_S)

    def _watch(self, observer: object, wanted: frozenset[Path]) -> frozenset[Path]:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers.api import BaseObserver

        assert isinstance(observer, BaseObserver)  # noqa: S101 - its type depends on the system
        stirred = self._stirred

        class Stir(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type not in ("opened", "closed_no_write"):
                    stirred.set()

        observer.unschedule_all()
        for directory in wanted:
            try:
                observer.schedule(Stir(), str(directory))
            except OSError as error:  # gone meanwhile, or the system's limit of watches
                log.warning("changes in %s go unnoticed: %s; reload tells of them", directory, error.strerror or error)
        return wanted

    def _look(self) -> None:
        now = seen(self._path)
        if now != self._seen:
            self._seen = now
            try:
                self._changed()
            except Exception:  # one turn of a thread
                log.exception("a change of the configuration was lost; going on")


def directories(path: Path) -> frozenset[Path]:
    """Those in which something must happen for the file to become another: its own, that one's, and those of each link."""
    wanted = {_existing(path.parent), _existing(path.parent.parent)}
    here = path
    for _ in range(MOST_LINKS):
        if not here.is_symlink():
            break
        try:
            here = here.parent / here.readlink()
        except OSError:
            break
        wanted.add(_existing(here.parent))
    return frozenset(wanted)


def seen(path: Path) -> Seen:
    """What tells one state of the file from the next; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _existing(directory: Path) -> Path:
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return directory.resolve()  # a link itself is watched by where it lies
