"""The tiles of other packages that the decks show: when each is evaluated, and its last answer. Pure.

Their code runs on a thread of the runtime. Here is the watchdog: an answer that is late turns into the words of a trouble, and
the tile is not evaluated again before it has answered.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Effect, EvaluatePlugin, LogWarning
from openbalance_hid.app.events import PluginEvaluated
from openbalance_hid.app.tile_views import TileInputs, scene_of
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.tiles.interface import PluginScene
from openbalance_hid.tiles.plugin import PluginTile, PluginTrouble
from openbalance_hid.tiles.plugin_view import PluginResult, plugin_scene

ANSWER_LIMIT_S = 2.0
NO_TIME = datetime.fromtimestamp(0, UTC)
LATE = PluginResult(trouble=PluginTrouble.NO_ANSWER, problem=f"it has not answered within {ANSWER_LIMIT_S:g} s")


class PluginRequest(Struct, frozen=True):
    """The last evaluation of a tile: its scene without the time, and which of its intervals it was for."""

    scene: PluginScene
    interval: int
    waits_until_s: float | None  # monotonic; None: it has answered


class PluginTiles:
    """`results`: the last answer of each tile that is shown, for `TileInputs`."""

    def __init__(self) -> None:
        self.results: dict[TileConfig, PluginResult] = {}
        self._requests: dict[TileConfig, PluginRequest] = {}
        self._shown: tuple[TileConfig, ...] = ()
        self._next_s = float("inf")  # monotonic: when a tile is due by time alone
        self._evaluations = 0  # of all tiles, at the last call of `is_due`
        self._to_log: list[Effect] = []
        self._logged: set[tuple[str, str]] = set()  # name and problem of the tiles that cannot be used

    def to_do(self, tiles: Iterable[TileConfig], inputs: TileInputs, now: Moment, turn: int) -> list[Effect]:
        """Return the evaluations that are due for the tiles that are shown, and a warning for each that cannot be used."""
        plugins = {tile: tile.plugin for tile in tiles if tile.plugin is not None}
        self._shown = tuple(plugins)
        self._next_s = min((_next_interval_s(plugin, now) for plugin in plugins.values()), default=float("inf"))
        if not plugins and not self._requests:
            return []
        waiting = {tile for tile, request in self._requests.items() if request.waits_until_s is not None}
        self.results = {tile: result for tile, result in self.results.items() if tile in plugins or tile in waiting}
        self._requests = {tile: each for tile, each in self._requests.items() if tile in plugins or tile in waiting}
        effects, self._to_log = self._to_log, []
        for tile, plugin in plugins.items():
            if plugin.trouble is not None:
                effects += self._warning(plugin)
            elif (effect := self._evaluation(tile, plugin, inputs, now, turn)) is not None:
                effects.append(effect)
        return effects

    def take(self, event: PluginEvaluated) -> bool:
        """Take over an answer. Return whether a key shows something else now."""
        request = self._requests.get(event.tile)
        if request is None:
            return False
        self._requests[event.tile] = replace(request, waits_until_s=None)
        self._next_s = float("-inf")  # the scene may have changed meanwhile
        changed = self.results.get(event.tile) != event.result
        self.results[event.tile] = event.result
        return changed and event.tile in self._shown

    def pass_time(self, now_s: float) -> bool:
        """Give up waiting for late answers. Return whether a key shows something else now."""
        late = [
            tile
            for tile, request in self._requests.items()
            if request.waits_until_s is not None and request.waits_until_s <= now_s and self.results.get(tile) != LATE
        ]
        self.results |= dict.fromkeys(late, LATE)
        for tile in late:
            if tile.plugin is not None:
                words = f"the tile {tile.tile} of {tile.plugin.package} does not answer: {LATE.problem}"
                self._to_log.append(LogWarning(words))
        return bool(late)

    def retry(self, effect: EvaluatePlugin) -> None:
        """Note that an evaluation could not be started: it is due again."""
        self._requests.pop(effect.tile, None)

    def is_due(self, evaluations: int, now_s: float) -> bool:
        """Return whether a tile may have to be evaluated: by time, or because all tiles were since the last call."""
        was, self._evaluations = self._evaluations, evaluations
        return evaluations != was or self._next_s <= now_s

    def deadlines(self) -> list[float]:
        """Return when an answer is late, and when a tile is due, in monotonic seconds."""
        late = [
            request.waits_until_s
            for tile, request in self._requests.items()
            if request.waits_until_s is not None and self.results.get(tile) != LATE
        ]
        return [*late, self._next_s]

    def _evaluation(
        self, tile: TileConfig, plugin: PluginTile, inputs: TileInputs, now: Moment, turn: int
    ) -> EvaluatePlugin | None:
        """Return the evaluation of a tile, if it is due."""
        before, interval = self._requests.get(tile), _interval(plugin, now.utc)
        if before is not None and before.waits_until_s is not None:
            return None
        scene = plugin_scene(scene_of(tile, inputs, now.utc, turn))
        timeless = replace(scene, now=NO_TIME)
        if before is not None and (before.scene, before.interval) == (timeless, interval):
            return None
        self._requests[tile] = PluginRequest(timeless, interval, now.mono_s + ANSWER_LIMIT_S)
        return EvaluatePlugin(tile, scene)

    def _warning(self, plugin: PluginTile) -> list[Effect]:
        if (plugin.name, plugin.problem) in self._logged:
            return []
        self._logged.add((plugin.name, plugin.problem))
        return [LogWarning(plugin.warning)]


def plugin_states(results: Mapping[TileConfig, PluginResult], shown: Iterable[TileConfig]) -> list[dict[str, str | None]]:
    """Return, for `status --json`, each tile of another package that is shown, and its trouble."""
    states: dict[str, dict[str, str | None]] = {}
    for tile in shown:
        if (plugin := tile.plugin) is None:
            continue
        result = results.get(tile, PluginResult())
        trouble, problem = (plugin.trouble, plugin.problem) if plugin.trouble else (result.trouble, result.problem)
        if states.get(plugin.name, {"trouble": None})["trouble"] is None:  # of several keys, the one with a trouble
            states[plugin.name] = {
                "tile": plugin.name,
                "package": plugin.package,
                "trouble": trouble.value if trouble is not None else None,
                "problem": problem or None,
            }
    return list(states.values())


def _interval(plugin: PluginTile, now: datetime) -> int:
    return int(now.timestamp() // plugin.every_s)


def _next_interval_s(plugin: PluginTile, now: Moment) -> float:
    """Return when the next interval starts. They are counted on the clock, so that a minute starts with the minute."""
    return now.mono_s + max(0.001, (_interval(plugin, now.utc) + 1) * plugin.every_s - now.utc.timestamp())
