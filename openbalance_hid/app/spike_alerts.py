"""The spike episodes of the house: followed at each snapshot, acknowledged by a tap, kept by the history. Pure.

What an episode is, is `account.episode`'s; which effects follow from one is the house's.
"""

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal

from openbalance_hid.account.episode import Episode, acknowledge, advance, notified, wants_notification
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict, judge
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Notify, Remember
from openbalance_hid.app.events import Acknowledged, HistoryLoaded, Notified
from openbalance_hid.app.tile_views import EpisodeKey
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.spike_alert import KIND, rule_of


class SpikeAlerts:
    """All episodes that are open, by account and rule."""

    def __init__(self) -> None:
        self.episodes: dict[EpisodeKey, Episode] = {}
        self._remembered: dict[EpisodeKey, Episode] = {}  # as the history knows them
        self._telling: dict[EpisodeKey, Level] = {}  # the desktop is being told of it

    def follow(self, tiles: Iterable[TileConfig], snapshots: Mapping[str, Snapshot], now: Moment) -> None:
        """Judge anew by the rules of these tiles; other tiles than spike alerts are passed over."""
        for key in keys_of(tiles):
            episode = advance(self.episodes.get(key), judge(snapshots[key[0]], now.utc, key[1]).level, now.utc)
            if episode is None:
                self.episodes.pop(key, None)
            else:
                self.episodes[key] = episode

    def end_others(self, account: str, rules: Set[SpikeRule]) -> None:
        """The episodes of all but these rules are over: the owner has written others, and nobody judges by them any more."""
        self.episodes = {key: each for key, each in self.episodes.items() if key[0] != account or key[1] in rules}

    def acknowledge(self, tile: TileConfig, snapshots: Mapping[str, Snapshot], now: Moment) -> bool:
        """The owner has seen the present level of a spike alert; whether there was anything to be seen."""
        key = (tile.account, rule_of(tile.options))
        if key not in self.episodes:
            return False
        episode = acknowledge(self.episodes[key], judge(snapshots[tile.account], now.utc, key[1]).level)
        if episode is not None:
            self.episodes[key] = episode
        return True

    def to_notify(self, tiles: Iterable[TileConfig], snapshots: Mapping[str, Snapshot], now: Moment) -> list[Notify]:
        """The rises that the desktop was not told of, for those of these tiles that are to tell it; each asked for once."""
        wanted: dict[EpisodeKey, Notify] = {}
        for key in keys_of(tile for tile in tiles if tile.options.get("notify") is not False):
            verdict = judge(snapshots[key[0]], now.utc, key[1])
            told = self._telling.get(key, Level.NORMAL)
            if verdict.level > told and wants_notification(self.episodes.get(key), verdict.level):
                wanted[key] = Notify(*key, verdict.level, *words_of(key[0], verdict, key[1]))
        self._telling |= {key: notify.level for key, notify in wanted.items()}
        return list(wanted.values())

    def told(self, event: Notified) -> None:
        """The desktop was told, or could not be: then it is tried again at the next snapshot."""
        key = (event.account, event.rule)
        self._telling.pop(key, None)
        episode = notified(self.episodes.get(key), event.level) if event.delivered else None
        if episode is not None:
            self.episodes[key] = episode

    def acknowledge_level(self, event: Acknowledged) -> None:
        """The owner has seen what a notification told of."""
        key = (event.account, event.rule)
        episode = acknowledge(self.episodes.get(key), event.level)
        if episode is not None:
            self.episodes[key] = episode

    def recall(self, event: HistoryLoaded) -> None:
        """Take up what the history knows from before this start."""
        known = {(event.account, rule): episode for rule, episode in event.episodes.items()}
        self.episodes |= known
        self._remembered |= known

    def forget(self, account: str) -> None:
        """Another account has this name now."""
        self.episodes = {key: episode for key, episode in self.episodes.items() if key[0] != account}
        self._remembered = {key: episode for key, episode in self._remembered.items() if key[0] != account}

    def to_remember(self, snapshots: Mapping[str, Snapshot], now: Moment) -> list[Remember]:
        """The episodes that have begun, changed or ended since this was asked last."""
        keys = [key for key in (*self.episodes, *self._remembered) if self.episodes.get(key) != self._remembered.get(key)]
        self._remembered = dict(self.episodes)
        return [
            Remember(account, snapshots[account].started_at, rule, self.episodes.get((account, rule)), now.utc)
            for account, rule in dict.fromkeys(keys)
        ]


def keys_of(tiles: Iterable[TileConfig]) -> list[EpisodeKey]:
    """The account and rule of each spike alert among these tiles, once: many decks may show the same."""
    return list(dict.fromkeys((tile.account, rule_of(tile.options)) for tile in tiles if tile.tile == KIND.name))


def words_of(account: str, verdict: SpikeVerdict, rule: SpikeRule) -> tuple[str, str]:
    """Title and text of a notification."""
    hours = Decimal(1) if verdict.burst else rule.window_hours
    number, unit = (hours, "hour") if hours % 1 == 0 else (round(hours * 60), "minute")
    lane = f"{number:.0f} {unit}" + ("s" if number != 1 else "")
    title = f"OpenRouter: {verdict.level.name.capitalize()}" + (f" ({account})" if account != "default" else "")
    text = f"{words.times(verdict.ratio)} the usual spend in the last {lane}"
    if verdict.driver is not None:
        text += f", mostly {single_line(verdict.driver.name)}"
    return title, text
