"""The view of a tile, its parts, and an account of which everything is known."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from openbalance_hid.account.alert import Alert
from openbalance_hid.account.snapshot import FreeQuota, Health, Reading, Snapshot
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import Gauge, Hero, Line, Notice, Row, TileView
from tests.build import NOON, api_key, day_of_samples, days_back, snapshot

OF_AN_ACCOUNT = [kind.name for kind in TILES.values() if kind.has_account]


def view_of(
    tile: str, seen: Snapshot, now: datetime = NOON, turn: int = 0, alert: Alert | None = None, **options: Any
) -> TileView:
    kind = TILES[tile]
    return kind.view(Scene(tile, seen, now, {**kind.defaults(), **kind.case_options, **options}, turn=turn, alert=alert))


def notice(view: TileView) -> Notice:
    (block,) = view.blocks
    assert isinstance(block, Notice)
    return block


def hero(view: TileView) -> Hero:
    block = view.blocks[0]
    assert isinstance(block, Hero)
    return block


def lines(view: TileView) -> list[str]:
    return [block.text for block in view.blocks if isinstance(block, Line)]


def gauge(view: TileView) -> Gauge:
    return next(block for block in view.blocks if isinstance(block, Gauge))


def rows(view: TileView) -> list[tuple[str, str]]:
    return [(block.name, block.amount) for block in view.blocks if isinstance(block, Row)]


KEYS = (api_key("laptop", "0.62"), api_key("ci", "0.27", 50, 10), api_key("notebook", "0.11", 10, 0), api_key("old", 0))
FULL = replace(
    snapshot(days=days_back([2, 3, 4, 5, 6, 7, 8]), today={"Model A": 1}, taken=day_of_samples(2), keys=KEYS),
    free_quota=Reading(FreeQuota(50, 13, 37), NOON, Health.OK),
)
