"""A picture of a whole deck, body and all, and the sample accounts that stand in where there are no live values.

Not here: contact sheets of single keys (`sheet`), files and options (the door).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from random import Random
from typing import Final

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.config.layout import pages_of
from openbalance_hid.config.schema import Config, DeckConfig
from openbalance_hid.daemon.board import Known, Touch, face_of, views_of
from openbalance_hid.daemon.moment import Moment
from openbalance_hid.render.body import Body, draw_deck
from openbalance_hid.render.draw import draw
from openbalance_hid.simulator.models import Model
from openbalance_hid.tiles.view import KeyFace

SCALE: Final = 2  # for screens of high density
SETTLED_AFTER: Final = timedelta(minutes=2)  # then "Preparing…" has turned into the real reason and a second 401 is believed
SMALL: Final = {"compress_level": 9, "compress_type": 0}  # zlib's default strategy: 8 % below the one Pillow takes for PNG
PEDAL: Final = (132, 190)  # width and height of a pedal, in the pixels of a deck's body: by eye, it has no panel to go by


def deck_png(
    config: Config, deck: DeckConfig, snapshots: Mapping[str, Snapshot], model: Model, moment: Moment, theme: str | None = None
) -> bytes:
    """PNG file of the deck. `theme`: in place of every tile's own. A model without displays is its body alone, and says so."""
    pictures = {}
    if model.key_width:
        for key, face in faces_of(config, deck, snapshots, model.keys, moment, theme).items():
            pictures[key] = draw(face, model.key_width * SCALE, model.key_height * SCALE)
    title = model.title if model.key_width else f"{model.title} · presses only, no displays"
    with BytesIO() as out:
        draw_deck(pictures, body_of(model), title, scale=SCALE).save(out, "PNG", **SMALL)
        return out.getvalue()


def faces_of(
    config: Config,
    deck: DeckConfig,
    snapshots: Mapping[str, Snapshot],
    key_count: int,
    moment: Moment,
    theme: str | None = None,
) -> dict[int, KeyFace]:
    """What stands on each key that has a tile; untouched, on the first page. `snapshots` must hold every tile's account."""
    keys = pages_of(config, deck, key_count)[0].keys
    board = {key: replace(tile, theme=theme or tile.theme) for key, tile in keys.items() if key < key_count}
    views = views_of(board, Known(snapshots), moment.utc, turn=0)
    return {key: face_of(view, Touch()) for key, (view, _) in views.items() if view.blocks}


def body_of(model: Model) -> Body:
    """The front of a model, for drawing."""
    panel = model.strip or model.screen
    width, height = (panel.width, panel.height) if panel is not None else (0, 0)
    key_width, key_height = (model.key_width, model.key_height) if model.key_width else PEDAL
    return Body(model.cols, model.rows, key_width, key_height, width, height, dials=model.dials, touch_keys=model.touch_keys)


# --- sample accounts -----------------------------------------------------------------------------------------------------


class StoodClock:
    """Both clocks of a sample account's life: they stand still until they are moved."""

    def __init__(self, utc: datetime) -> None:
        self._utc = utc
        self._mono_s = 0.0

    def utc(self) -> datetime:
        return self._utc

    def mono(self) -> float:
        return self._mono_s

    def forward(self, seconds: float) -> None:
        self._utc += timedelta(seconds=seconds)
        self._mono_s += seconds


def sample_snapshots(config: Config, scenarios: Mapping[str, str], at: datetime) -> dict[str, Snapshot]:
    """Account -> what a daemon started `SETTLED_AFTER` before `at` knows of a sample account of its own.

    `scenarios`: by account, "normal" where an account has none. The same arguments give the same values: real questions over a
    real socket, but one clock, moved by hand, for the account, its poller and the picture. `at`: aware UTC.
    """
    return {
        name: _settled(name, scenarios.get(name, "normal"), seed, 60.0 * account.refresh_minutes, at)
        for seed, (name, account) in enumerate(config.accounts.items(), start=1)
    }


def _settled(name: str, scenario: str, seed: int, interval_s: float, at: datetime) -> Snapshot:
    from openbalance_hid.openrouter.client import Client  # here, because live values need no HTTP
    from openbalance_hid.openrouter.poller import Poller
    from openbalance_hid.simulator.sample_account import SampleAccount

    clock = StoodClock(at - SETTLED_AFTER)
    told: list[Snapshot] = []
    with SampleAccount(scenario, seed, clock.utc) as sample:

        def client() -> Client:
            return Client(sample.key, sample.url, utc=clock.utc)

        poller = Poller(name, client, interval_s, told.append, clock, Random(seed))  # noqa: S311  jitter, not a secret
        while (delay_s := poller.turn()) <= (at - clock.utc()).total_seconds():
            clock.forward(delay_s)
    return told[-1]
