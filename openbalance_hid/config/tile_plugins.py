"""The tiles that other installed packages offer: entry points of the group `openbalance_hid.tiles`.

The names come from the metadata of the packages. A package is imported only when the configuration names its tile, once in the
life of the process, on a thread of its own and with a limit of time: one that never ends costs a key and not the program.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Container, Sequence
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TextIO, cast

from msgspec import Struct

from openbalance_hid.secret import mask_keys
from openbalance_hid.text import single_line
from openbalance_hid.tiles.interface import Tile
from openbalance_hid.tiles.plugin import PluginTile, PluginTrouble, declared, refused

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

log = logging.getLogger(__name__)

GROUP = "openbalance_hid.tiles"
LOAD_LIMIT_S = 5.0


class LoadedPlugin(Struct, frozen=True):
    """A tile of another package. `tile`: the object of its entry point; None if it cannot be used."""

    declared: PluginTile
    tile: Tile | None = None


class InstalledPlugins:
    """The tiles that installed packages offer, by name, from their metadata. Only `find` imports one."""

    def __init__(self) -> None:
        self._offers: dict[str, list[EntryPoint]] = {}
        for offer in _offers():
            self._offers.setdefault(offer.name, []).append(offer)
            self._offers.setdefault(f"{package_name(offer)}:{offer.name}", []).append(offer)

    def __contains__(self, name: str) -> bool:
        return name in self._offers

    @property
    def plain(self) -> list[str]:
        """The names without the name of a package before them."""
        return [name for name in self._offers if ":" not in name]

    def offers(self, name: str) -> Sequence[EntryPoint]:
        """Return the entry points with this name, or with this `PACKAGE:NAME`."""
        return self._offers.get(name, ())

    def taken(self, names: Container[str]) -> dict[str, str]:
        """Return the tiles that have one of these names, with their package. Only `PACKAGE:NAME` selects them."""
        return {name: package_name(self._offers[name][0]) for name in self.plain if name in names}

    def find(self, name: str) -> LoadedPlugin | None:
        """Return the tile that the configuration names, imported; None if no installed package offers it."""
        offers = self.offers(name)
        if not offers:
            return None
        if len(offers) > 1:
            packages = " and ".join(sorted(map(package_title, offers)))
            words = f"{packages} offer it: write the package before the name, as '{package_name(offers[0])}:{offers[0].name}'"
            return LoadedPlugin(refused(name, packages, PluginTrouble.SAME_NAME, words))
        return _load(name, offers[0])


class MainThreadOutput:
    """Standard output for the main thread; what another thread writes goes to standard error.

    Tiles of other packages run on threads of their own: what they print must not be among the output of a command.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def __getattr__(self, name: str) -> object:
        is_main = threading.current_thread() is threading.main_thread()
        return getattr(self._output if is_main else sys.stderr, name)


def reserve_standard_output() -> None:
    """Reserve standard output for the main thread, before code of another package runs. Idempotent."""
    if not isinstance(sys.stdout, MainThreadOutput):
        sys.stdout = cast(TextIO, MainThreadOutput(sys.stdout))


def package_name(offer: EntryPoint) -> str:
    """Return the name of the package of an entry point."""
    return single_line(offer.dist.name) if offer.dist is not None else "?"


def package_title(offer: EntryPoint) -> str:
    """Return name and version of the package of an entry point."""
    return f"{package_name(offer)} {single_line(offer.dist.version)}" if offer.dist is not None else "?"


def _offers() -> Sequence[EntryPoint]:
    from importlib.metadata import entry_points  # 15 ms, which most starts do without

    try:
        return tuple(entry_points(group=GROUP))
    except Exception:  # metadata of a package that has nothing to do with this one may be broken
        log.warning("the list of installed packages cannot be read", exc_info=True)
        return ()


@cache
def _load(name: str, offer: EntryPoint) -> LoadedPlugin:
    package = package_title(offer)
    results: SimpleQueue[LoadedPlugin] = SimpleQueue()

    def load() -> None:
        try:
            found = offer.load()
            tile = declared(name, package, found)
            results.put(LoadedPlugin(tile, found if tile.trouble is None and isinstance(found, Tile) else None))
        except BaseException as error:  # sys.exit() of a package must not end this program
            log.debug("the tile %s of %s cannot be imported", name, package, exc_info=error)
            results.put(LoadedPlugin(refused(name, package, PluginTrouble.NOT_LOADED, f"its import raises {_reason(error)}")))

    reserve_standard_output()
    threading.Thread(target=load, name=f"import of {name}", daemon=True).start()
    try:
        return results.get(timeout=LOAD_LIMIT_S)
    except Empty:
        words = f"its import takes longer than {LOAD_LIMIT_S:g} s"
        return LoadedPlugin(refused(name, package, PluginTrouble.NOT_LOADED, words))


def error_words(error: BaseException) -> str:
    """Return the class and the message of an error of another package; the class alone where the message cannot be read."""
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001  it is code of the package
        message = ""
    return mask_keys(single_line(f"{type(error).__name__}: {message}")).removesuffix(":")


def _reason(error: BaseException) -> str:
    """Return an error in one line, with the place that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})" if trace is not None else ""
    return error_words(error)[:200] + where
