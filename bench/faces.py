"""Faces to draw: every tile in every scenario of the sample account, with every choice of every option, in both themes."""

from collections.abc import Iterator

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.tile_views import TileInputs, view_of
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.runtime.event_loop import now
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import TileKind
from openbalance_hid.tiles.view import KeyFace

THEMES = ("dark", "light")
INTERVAL_S = 900.0


def real_faces(at_most: int | None = None) -> list[KeyFace]:
    """Return each face once, in a fixed order, without blank keys. `at_most`: evenly chosen from the whole list."""
    found: dict[KeyFace, None] = {}
    for scenario, _ in SCENARIOS:
        known = TileInputs({"default": _snapshot(scenario)})
        for tile in _tiles():
            view, error = view_of(tile, known, now().utc, turn=0)
            if error is not None:
                raise error
            if view.blocks:
                found[KeyFace(view)] = None
    faces = list(found)
    return faces if at_most is None else faces[:: max(1, len(faces) // at_most)][:at_most]


def _snapshot(scenario: str) -> Snapshot:
    published: list[Snapshot] = []
    with SampleAccount(scenario) as sample:
        Poller("default", lambda: Client(Secret(sample.key), sample.url), INTERVAL_S, published.append).run_cycle()
    return published[-1]


def _tiles() -> Iterator[TileConfig]:
    for kind in TILES.values():
        for theme in THEMES:
            for options in _choices(kind):
                yield TileConfig(kind.name, theme=theme, options=FrozenMap(options))


def _choices(kind: TileKind) -> Iterator[dict[str, object]]:
    yield kind.defaults()
    for option in kind.options:
        for choice in option.choices or ():
            yield {**kind.defaults(), option.name: choice}
