"""The schema of the configuration: the options that each section accepts, and the effective configuration as frozen values.

In the effective configuration defaults are filled in and inherited values resolved. The options of a tile are in that tile's
module (`openbalance_hid.tiles`). Reading a file is in `load`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, ItemsView, Iterator, Mapping, ValuesView
from datetime import time
from decimal import Decimal
from typing import TypeVar, overload

from msgspec import Struct, field

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.config.broker_options import PublishConfig, SourceConfig
from openbalance_hid.config.listen_address import ListenAddress
from openbalance_hid.config.serial_numbers import decks_without_entry, entry_for, unused_entries
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.plugin import PluginTile

_K = TypeVar("_K")
_V = TypeVar("_V", covariant=True)
_D = TypeVar("_D")

DEFAULT_ACCOUNT = "default"
FIRST_PAGE = "main"
MOST_DECKS = 64  # tables; a USB bus has at most 127 devices
ALERT_KINDS = tuple(kind.value for kind in AlertKind)


class FrozenMap(Mapping[_K, _V]):
    """An immutable mapping, hashable if its values are; iterates in insertion order.

    Every step of the controller reads some: the methods that repeat mixins of `Mapping` are here because those are slow.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[_K, _V] | None = None) -> None:
        self._items: dict[_K, _V] = dict(items or {})

    def __getitem__(self, key: _K) -> _V:
        return self._items[key]

    def __iter__(self) -> Iterator[_K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    @overload
    def get(self, key: _K, /) -> _V | None: ...
    @overload
    def get(self, key: _K, default: _V | _D, /) -> _V | _D: ...
    def get(self, key: _K, default: object = None, /) -> object:
        return self._items.get(key, default)

    def items(self) -> ItemsView[_K, _V]:
        return self._items.items()

    def values(self) -> ValuesView[_V]:
        return self._items.values()

    def __eq__(self, other: object) -> bool:
        return self._items == (other._items if isinstance(other, FrozenMap) else other)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"


# --- the options of each section -----------------------------------------------------------------------------------------

THEME = Option("theme", "choice", "dark", ("dark", "light"), help="colours of every tile without a theme of its own")
REFRESH = Option("refresh_minutes", "int", 15, minimum=1, maximum=1440, help="minutes between two polls of an account")
NOTIFY = Option("notify", "bool", True, help="notify on the desktop: spikes, low balances, problems with the key")
STALE_HOURS = Option("stale_hours", "int", 24, minimum=0, maximum=8760, help="alert when the data is this old; 0: never")
TOP_LEVEL = (
    REFRESH,
    THEME,
    Option("hold_seconds", "float", 2.0, minimum=0.3, maximum=5, help="seconds that a press must last to refresh"),
    Option("on_exit", "choice", "black", ("black", "logo", "keep"), help="what the deck shows after the daemon ends"),
    NOTIFY,
    Option("use_decks", "choice", "all", ("all", "named"), help="named: only the decks whose serial is in this file"),
    Option("ca_file", "text", None, minimum=1, help="root certificates of a proxy that inspects the connection, PEM"),
    STALE_HOURS,
)
ACCOUNT = (  # beside the options of the top level that an account inherits
    Option("allow_key_switch", "bool", False, help="key-switch tiles and `keys disable` may disable and enable API keys"),
    Option("budget_usd", "decimal", None, minimum=Decimal("0.01"), maximum=1_000_000, help="budget of a UTC month"),
    Option("prepaid", "bool", None, help="whether credits are bought before they are used; without: found out"),
)
INHERITED = (REFRESH, NOTIFY, STALE_HOURS)
DIM = (
    Option("after_minutes", "int", 10, minimum=0, maximum=1440, help="minutes without a press until the deck dims; 0: never"),
    Option("to_percent", "int", 10, minimum=0, maximum=100, help="brightness while dimmed"),
    Option(
        "off_after_minutes",
        "int",
        60,
        minimum=0,
        maximum=10080,
        help="minutes without a press until it turns off; 0: never",
    ),
    Option("night", "text", None, minimum=1, maximum=40, help="local hours in which the deck is off, as 23:00-07:00"),
    Option("on_lock", "bool", False, help="off while the session is locked (Linux with logind, macOS)"),
)
DECK = (
    Option(
        "serial",
        "text",
        None,
        minimum=1,
        maximum=64,
        help="number or its end; without: any deck that has no entry",
    ),
    Option("brightness", "int", 70, minimum=0, maximum=100, help="percent"),
    Option("rest", "choice", "default", ("default", "blank"), help="keys without an entry"),
    Option("rotate", "int", 0, minimum=0, maximum=270, help="degrees clockwise that the deck is turned: 0, 90, 180, 270"),
    Option("use", "bool", True, help="false: leave this deck to other software"),
    Option(
        "home_after_minutes",
        "int",
        0,
        minimum=0,
        maximum=1440,
        help="back to the first page after so long without a press; 0: never",
    ),
)
PAGE_NAME = Option("name", "text", None, minimum=1, maximum=32)
KEY_NUMBER = Option("key", "int", None, minimum=0, maximum=255, help="number from 0, row by row from the top left")
TILE = (
    Option("account", "text", DEFAULT_ACCOUNT, minimum=1, maximum=32, help="account to show"),
    THEME,
    Option("label", "text", None, minimum=0, maximum=40, help="heading in place of the tile's own"),
    Option("tap", "text", None, minimum=1, maximum=40, help="what a tap does, in place of the tile's own action"),
    Option("hold", "text", None, minimum=1, maximum=40, help="what a hold does, in place of a refresh"),
)
ALERT_FORMATS = ("json", "ntfy", "slack", "discord", "gotify")
ALERT_FORMAT = Option("format", "choice", "json", ALERT_FORMATS, help="what the address expects")
METRICS_LISTEN = Option("listen", "text", "127.0.0.1:9469", minimum=1, maximum=64, help="where Prometheus reads metrics")
DIAL = (
    Option("dial", "int", None, minimum=0, maximum=15, help="from the left"),
    Option("turn", "choice", "period", ("period", "brightness", "page", "account"), help="what turning changes"),
    Option("push", "choice", "refresh", ("refresh", "brightness", "off"), help="what pushing does"),
)


# --- the effective configuration -----------------------------------------------------------------------------------------


class TileConfig(Struct, frozen=True):
    """One tile on one key. `options` holds every option of the tile's kind, defaults filled in; None is off."""

    tile: str
    account: str = DEFAULT_ACCOUNT
    theme: str = "dark"
    label: str | None = None  # None: the tile's own heading; empty: none
    options: FrozenMap[str, object] = FrozenMap()
    tap: str | None = None  # as `actions.action_named` takes it; None: the tile's own
    hold: str | None = None
    plugin: PluginTile | None = None  # a tile of another package: what it declares


class ConfigLocation(Struct, frozen=True):
    """A location in the configuration: file, line from 1 (None: not known) and path as `decks[0].keys[3].tile`."""

    file: str
    line: int | None
    path: str

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line) if part is not None) + (
            f": {self.path}" if self.path else ""
        )


class PageConfig(Struct, frozen=True, eq=False):
    """One page of a deck. Key numbers count from 0, row by row from the top left."""

    name: str
    keys: FrozenMap[int, TileConfig] = field(default_factory=FrozenMap)
    locations: FrozenMap[int, ConfigLocation] = field(default_factory=FrozenMap)  # key number -> its; not compared

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PageConfig) and (self.name, self.keys) == (other.name, other.keys)

    def __hash__(self) -> int:
        return hash((self.name, self.keys))


class DialConfig(Struct, frozen=True):
    """One dial, from 0 on the left."""

    dial: int
    turn: str = "period"
    push: str = "refresh"


class DeckConfig(Struct, frozen=True):
    """One deck. `rest`: what keys without an entry show, `default` or `blank` (`default_layout.pages_of`).

    `rotate`: degrees clockwise that the deck is turned. `use` False: the deck is left to other software. `home_after_minutes`:
    back to the first page after so long without a press; 0: never.
    """

    serial: str | None = None
    brightness: int = 70  # percent
    pages: tuple[PageConfig, ...] = ()
    dials: tuple[DialConfig, ...] = ()
    strip: tuple[TileConfig, ...] = ()  # left to right
    rest: str = "default"
    rotate: int = 0
    use: bool = True
    home_after_minutes: int = 0


class AccountConfig(Struct, frozen=True):
    """One account. `notify`: whether it may notify on the desktop; `allow_key_switch`: whether its keys may be disabled."""

    refresh_minutes: int = 15
    notify: bool = True
    stale_hours: int = 24  # 0: never
    allow_key_switch: bool = False
    prepaid: bool | None = None  # found out
    budget_usd: Decimal | None = None  # of a UTC month
    source: SourceConfig | None = None  # a broker, in place of a key


class AlertSink(Struct, frozen=True):
    """Where alerts go beside the desktop: a web address or a program. An address is a secret: only its host is shown."""

    url: str | None = None
    format: str = "json"
    run: tuple[str, ...] = ()
    on: tuple[str, ...] = ALERT_KINDS

    @property
    def name(self) -> str:
        """The host of the address, or the path of the program."""
        return self.run[0] if self.url is None else self.url.split("/")[2]

    @property
    def identity(self) -> str:
        """12 hex digits that identify the address or program in the history without revealing it."""
        return hashlib.sha256(json.dumps([self.url, self.format, self.run]).encode()).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"AlertSink({self.name})"


class DimConfig(Struct, frozen=True):
    """When a deck dims and turns off. 0 minutes: never. `night`: local start and end; may span midnight."""

    after_minutes: int = 10
    to_percent: int = 10
    off_after_minutes: int = 60
    night: tuple[time, time] | None = None
    on_lock: bool = False


class Config(Struct, frozen=True):
    """The effective configuration. `accounts` always contains "default"."""

    refresh_minutes: int = 15
    theme: str = "dark"
    hold_seconds: float = 2.0
    on_exit: str = "black"
    accounts: FrozenMap[str, AccountConfig] = FrozenMap({DEFAULT_ACCOUNT: AccountConfig()})
    dim: DimConfig = DimConfig()
    decks: tuple[DeckConfig, ...] = ()
    notify: bool = True
    ca_file: str | None = None
    stale_hours: int = 24
    alerts: tuple[AlertSink, ...] = ()
    use_decks: str = "all"
    metrics: ListenAddress | None = None  # where they are served
    publish: PublishConfig | None = None

    @property
    def deck_use(self) -> object:
        """Everything that `uses` depends on, to be compared."""
        return self.use_decks, [(deck.serial, deck.use) for deck in self.decks]

    def uses(self, serial: str) -> bool:
        """Return whether the deck is to be opened, and not left to other software."""
        deck = self.deck_for(serial)
        return deck.use and (self.use_decks == "all" or deck.serial is not None)

    @property
    def programs(self) -> tuple[tuple[str, ...], ...]:
        """The programs that this configuration runs, each once, with their arguments."""
        tiles = (tile for deck in self.decks for page in deck.pages for tile in page.keys.values())
        of_tiles = (value for tile in tiles for value in tile.options.values() if isinstance(value, tuple))
        return tuple(dict.fromkeys((*(sink.run for sink in self.alerts if sink.run), *of_tiles)))

    @property
    def certificate_files(self) -> tuple[str, ...]:
        """The files with root certificates that this configuration trusts."""
        brokers = (self.publish, *(account.source for account in self.accounts.values()))
        files = (self.ca_file, *(broker.ca_file for broker in brokers if broker is not None))
        return tuple(file for file in files if file is not None)

    def misfits(self, serials: Collection[str]) -> list[str]:
        """Return a line for each entry that fits none of these decks, and for each deck without an entry."""
        return [*self.unused_entries(serials), *self.decks_without_entry(serials)]

    def decks_without_entry(self, serials: Collection[str]) -> list[str]:
        """Return a line for each of these decks that has no entry, if there are entries."""
        entries = [deck.serial for deck in self.decks]
        return decks_without_entry(entries, serials, left=self.use_decks == "named")

    def unused_entries(self, serials: Collection[str]) -> list[str]:
        """Return a line for each entry that fits none of these decks."""
        return unused_entries([deck.serial for deck in self.decks], serials, only_named=self.use_decks == "named")

    def deck_for(self, serial: str) -> DeckConfig:
        """Return the entry for the deck: its serial or the end of it, else the first without a serial, else the defaults."""
        number = entry_for([deck.serial for deck in self.decks], serial)
        unnamed = (deck for deck in self.decks if deck.serial is None)
        return self.decks[number] if number is not None else next(unnamed, DeckConfig())


def used_plugins(config: Config) -> tuple[PluginTile, ...]:
    """Return the tiles of other packages that the configuration names, each once, in order."""
    keys = [tile for deck in config.decks for page in deck.pages for tile in page.keys.values()]
    strips = [tile for deck in config.decks for tile in deck.strip]
    return tuple(dict.fromkeys(tile.plugin for tile in (*keys, *strips) if tile.plugin is not None))
