"""The interface for tiles of other packages: the only module that they import. Pure.

A package offers a tile as an entry point of the group `openbalance_hid.tiles`; its name is the name of the tile in the
configuration, its object is a `Tile`:

    [project.entry-points."openbalance_hid.tiles"]
    my-clock = "my_package:TILE"

`docs/own-tiles.md` explains it, `examples/example-tile` is a whole package. Names and fields here change only together with
`INTERFACE_VERSION`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct, field

from openbalance_hid.account.amount import Amount
from openbalance_hid.tiles.formatting import money
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.view import Bars, Figure, Gauge, Hero, Icon, Line, Row, Tone

INTERFACE_VERSION = 1

__all__ = [
    "INTERFACE_VERSION",
    "Amount",
    "Bars",
    "Figure",
    "Gauge",
    "Hero",
    "Icon",
    "Line",
    "Option",
    "Row",
    "Scene",
    "Tile",
    "TileView",
    "Tone",
    "money",
]

PluginBlock = Hero | Figure | Line | Row | Bars | Gauge


class PluginScene(Struct, frozen=True):
    """The situation of one key: the input of a tile, imported as `Scene`. An amount that is not known has `usd` None."""

    now: datetime  # aware UTC; `now.astimezone()` is the time on the wall
    options: Mapping[str, object] = field(default_factory=dict)  # every declared option, checked; without a value, its default
    turn: int = 0  # counts up each minute, for tiles that show several things in turn
    account: str = "default"
    health: str = "ok"  # of the account, as in `status --json`
    balance: Amount = Amount()  # not known for an account without prepaid credits
    spend: Mapping[str, Amount] = field(default_factory=dict)  # by period: today, 7d, 30d, month, all; UTC


class PluginView(Struct, frozen=True):
    """The content of one key: the output of a tile, imported as `TileView`."""

    title: str = ""  # small heading; `label` of the configuration replaces it
    blocks: tuple[PluginBlock, ...] = ()  # top to bottom; three lines fit on a key
    text: str = ""  # the key in words, for `status` and screen readers; empty: the words of title and blocks
    attention: bool = False  # inverted colours


Scene = PluginScene
TileView = PluginView


class Tile(Struct, frozen=True, kw_only=True):
    """A tile, as its package declares it. `view` must be quick, and may not wait for anything."""

    interface: int  # the INTERFACE_VERSION that the package was written for
    help: str  # one line, lower case
    view: Callable[[PluginScene], PluginView]
    options: tuple[Option, ...] = ()
    tap: str = "none"  # as `tap` in the configuration, without pages
    shows_account: bool = False  # it shows amounts: age and trouble of the account are added, and a dial may change the account
    every_seconds: int = 60  # 1 to 86,400: it is evaluated at each whole multiple, and when something in the scene changes
