"""Evaluates the tiles of other packages, each package's tile on a thread of its own.

Their code may raise, return anything, or never return: the main thread does not wait for it. Python cannot end a thread, so a
tile that hangs keeps its own; `app.plugin_tiles` puts the trouble on its key.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import EvaluatePlugin
from openbalance_hid.app.events import PluginEvaluated
from openbalance_hid.app.plugin_tiles import ANSWER_LIMIT_S, LATE, PluginTiles
from openbalance_hid.app.tile_views import TileInputs
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.config.tile_plugins import InstalledPlugins, error_words, reserve_standard_output
from openbalance_hid.tiles.interface import PluginScene, PluginView
from openbalance_hid.tiles.plugin import PluginTrouble
from openbalance_hid.tiles.plugin_view import PluginResult, checked_view

log = logging.getLogger(__name__)

STOP_LIMIT_S = 0.5  # for all threads together: one that hangs ends with the process
_LONGEST_PROBLEM = 300  # characters

PluginFunction = Callable[[PluginScene], PluginView]


class PluginRunner:
    """`put`: into the main queue. `function_of`: returns the function of a tile of another package, by its name."""

    def __init__(self, put: Callable[[PluginEvaluated], None], function_of: Callable[[str], PluginFunction]) -> None:
        self._put = put
        self._function_of = function_of
        self._threads: dict[str, _PluginThread] = {}  # by tile

    def evaluate(self, effect: EvaluatePlugin) -> None:
        """Evaluate a tile; its answer follows as an event. Used by the main thread only."""
        name = effect.tile.tile
        reserve_standard_output()
        if name not in self._threads:
            thread = _PluginThread(name, self._function_of(name), self._put)
            thread.start()
            self._threads[name] = thread
        self._threads[name].requests.put(effect)

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """End the threads that wait for a request, within `limit_s`. Idempotent."""
        for thread in self._threads.values():
            thread.requests.put(None)
        end_s = time.monotonic() + min(limit_s, STOP_LIMIT_S)
        for thread in self._threads.values():
            thread.join(max(0.0, end_s - time.monotonic()))


def answers(tiles: Iterable[TileConfig], inputs: TileInputs, now: Moment) -> dict[TileConfig, PluginResult]:
    """Return the first answer of each tile of another package, for a picture without a daemon; without one, its trouble."""
    answered: queue.SimpleQueue[PluginEvaluated] = queue.SimpleQueue()
    runner, plan = PluginRunner(answered.put, installed_function), PluginTiles()
    due = [effect for effect in plan.to_do(tiles, inputs, now, 0) if isinstance(effect, EvaluatePlugin)]
    for effect in due:
        runner.evaluate(effect)
    results = {effect.tile: LATE for effect in due}
    end_s = time.monotonic() + ANSWER_LIMIT_S
    for _ in due:
        try:
            event = answered.get(timeout=max(0.0, end_s - time.monotonic()))
        except queue.Empty:
            break
        results[event.tile] = event.result
    runner.stop()
    return results


def installed_function(name: str) -> PluginFunction:
    """Return the function of a tile that an installed package offers, which the configuration has loaded."""
    loaded = InstalledPlugins().find(name)
    if loaded is None or loaded.tile is None:
        raise RuntimeError(f"the package of the tile {name} is no longer installed")
    return loaded.tile.view


class _PluginThread(threading.Thread):
    """The thread of one tile, for all keys that it is on."""

    def __init__(self, name: str, function: PluginFunction, put: Callable[[PluginEvaluated], None]) -> None:
        super().__init__(name=f"tile {name}", daemon=True)
        self.requests: queue.SimpleQueue[EvaluatePlugin | None] = queue.SimpleQueue()
        self._function = function
        self._put = put
        self._logged: set[str] = set()

    def run(self) -> None:
        while (request := self.requests.get()) is not None:
            began_s = time.monotonic()
            result = self._result(request)
            if (took_s := time.monotonic() - began_s) > ANSWER_LIMIT_S:
                self._log_once("late", f"answered after {took_s:.1f} s; accepted: {ANSWER_LIMIT_S:g} s")
            self._put(PluginEvaluated(request.tile, result))

    def _result(self, request: EvaluatePlugin) -> PluginResult:
        try:
            found = self._function(request.scene)
        except BaseException as error:  # noqa: BLE001  also sys.exit() of a package must cost nothing but its key
            problem = f"it raises {error_words(error)}"[:_LONGEST_PROBLEM]
            self._log_once(type(error).__name__, problem, error)
            return PluginResult(trouble=PluginTrouble.RAISES, problem=problem)
        try:
            return PluginResult(checked_view(found))
        except ValueError as error:
            problem = str(error)
        except BaseException as error:  # noqa: BLE001  a value of a class of the package runs its code
            problem = f"its content raises {error_words(error)}"[:_LONGEST_PROBLEM]
        self._log_once(problem, problem)
        return PluginResult(trouble=PluginTrouble.WRONG_CONTENT, problem=problem)

    def _log_once(self, kind: str, problem: str, error: BaseException | None = None) -> None:
        if kind not in self._logged and len(self._logged) < 10:
            self._logged.add(kind)
            log.error("the tile %s failed: %s", self.name.removeprefix("tile "), problem, exc_info=error)
