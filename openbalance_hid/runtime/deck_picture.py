"""A picture of a whole deck with its body, and the sample accounts that replace live values in it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO
from random import Random
from typing import Final

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Sample, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.effects import Effect, LightTouchKey, Paint, PaintCell, PaintScreen
from openbalance_hid.app.screen import DisplayState
from openbalance_hid.app.tile_views import KeyInteraction, TileInputs
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap
from openbalance_hid.deck.device_events import CELL_PX, DeckArrived
from openbalance_hid.orientation import Orientation
from openbalance_hid.render.body import Body, draw_deck
from openbalance_hid.render.draw import draw
from openbalance_hid.render.theme import DARK
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.device.models import DeckModel, model_named
from openbalance_hid.tiles.view import Tone

DEFAULT_MODEL: Final = "mk2"  # of a preview without a deck
SCALE: Final = 2  # for screens of high density
REFUNDED_AFTER: Final = timedelta(hours=2)  # polls before the refund, and after it until it is believed
SETTLED_AFTER: Final = timedelta(minutes=2)  # then "Preparing…" has turned into the real reason and a second 401 is believed
SMALL: Final = {"compress_level": 9, "compress_type": 0}  # zlib's default strategy: 8 % below the one Pillow takes for PNG
PEDAL: Final = (132, 190)  # width and height of a pedal, in the pixels of a deck's body: by eye, it has no deck to go by


def deck_png(
    deck: DeckState, inputs: TileInputs, model: DeckModel, moment: Moment, theme: str | None = None, screen_theme: str = "dark"
) -> bytes:
    """Return a PNG file of the deck in its body. A model without displays is its body alone, with a note.

    `theme`: replaces the theme of every tile and of the small screen.
    """
    pictures, strip, lights = {}, [], {}
    body = body_of(model, deck.rotation)
    seen = deck if theme is None else _themed(deck, theme)
    for effect in shown(seen, inputs, moment, theme or screen_theme):
        match effect:
            case Paint(key=key, face=face) if model.key_width:
                pictures[key] = draw(face, body.key_width * SCALE, body.key_height * SCALE)
            case PaintCell(face=face) if model.strip is not None:
                strip.append(draw(face, CELL_PX * SCALE, model.strip.height * SCALE))
            case PaintScreen(face=face) if model.screen is not None:
                strip.append(draw(face, model.screen.width * SCALE, model.screen.height * SCALE))
            case LightTouchKey(touch_key=touch_key, tone=Tone() as tone):
                lights[touch_key] = DARK.colour(tone)
    title = model.title if model.key_width else f"{model.title} · presses only, no displays"
    with BytesIO() as out:
        draw_deck(pictures, body, title, strip, lights, SCALE).save(out, "PNG", **SMALL)
        return out.getvalue()


def new_deck(config: Config, deck: DeckConfig, model: DeckModel, moment: Moment) -> DeckState:
    """Return a deck of this model just after it was connected, with `deck` as its configuration."""
    cells = model.strip.width // CELL_PX if model.strip is not None else 0
    shape = DeckArrived(
        "", model.name, model.keys, bool(model.key_width), model.dials, cells, model.touch_keys, model.screen is not None
    )
    return DeckState.of(shape, replace(config, decks=(replace(deck, serial=None),)), moment)


def shown(deck: DeckState, inputs: TileInputs, moment: Moment, theme: str) -> list[Effect]:
    """Return the effects that show an untouched deck, in order. `inputs` must have every tile's account."""
    display, decks = DisplayState(), {deck.shape.serial: deck}
    display.invalidate_all()
    display.evaluate(decks, inputs, moment.utc, cycle=0, theme=theme)
    return display.changes(decks, lambda _: KeyInteraction(), moment.mono_s)


def _themed(deck: DeckState, theme: str) -> DeckState:
    return replace(deck, turned=FrozenMap({slot: replace(tile, theme=theme) for slot, tile in deck.all_tiles().items()}))


def body_of(model: DeckModel, degrees: int = 0) -> Body:
    """Return the front of a model that is turned clockwise by `degrees`, for drawing."""
    turn = Orientation(degrees, model.cols, model.rows)
    display = model.strip or model.screen
    width, height = (display.width, display.height) if display is not None else (0, 0)
    keys = turn.seen_size(*((model.key_width, model.key_height) if model.key_width else PEDAL))
    return Body(
        *turn.seen_grid,
        *keys,
        width,
        height,
        model.dials,
        model.touch_keys,
        is_white=model.name == "neo",
        upside_down=turn.is_half_turn,
    )


def preview_png(controller: Controller, moment: Moment, model: str | None, theme: str | None) -> bytes:
    """Return a picture of a connected deck of this model, else of one with the default entry. None: of any model, as it is."""
    deck = next((deck for deck in controller.decks.values() if model in (None, deck.shape.model)), None)
    wanted = model_named(model or (deck.shape.model if deck is not None else DEFAULT_MODEL))
    if deck is None:
        deck = new_deck(controller.config, controller.config.deck_for(""), wanted, moment)
    return deck_png(deck, controller.tile_inputs, wanted, moment, theme, controller.config.theme)


# --- sample accounts -----------------------------------------------------------------------------------------------------


class StoppedClock:
    """Both clocks of a sample account. They only move by `forward`."""

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
    """Return, by account, the snapshot of a daemon that was started `SETTLED_AFTER` before `at` with a sample account.

    `scenarios`: by account, "normal" where an account has none. The same arguments give the same values: real requests over a
    real socket, but one clock, moved by hand, for the account, its poller and the picture. `at`: aware UTC.
    """
    return {
        name: _settled(name, scenarios.get(name, "normal"), seed, 60.0 * account.refresh_minutes, at)
        for seed, (name, account) in enumerate(config.accounts.items(), start=1)
    }


def _settled(name: str, scenario: str, seed: int, interval_s: float, at: datetime) -> Snapshot:
    from openbalance_hid.openrouter.client import Client  # here, because live values need no HTTP
    from openbalance_hid.openrouter.poller import Poller
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

    clock = StoppedClock(at - (REFUNDED_AFTER if scenario == "refund" else SETTLED_AFTER))
    published: list[Snapshot] = []
    with SampleAccount(scenario, seed, clock.utc) as sample:

        def client() -> Client:
            return Client(Secret(sample.key), sample.url, utc=clock.utc)

        def recall(_: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
            readings = sample.past_readings()
            samples = tuple(Sample(past, mono_s - (now - past).total_seconds(), *amounts) for past, *amounts in readings)
            return replace(begun, samples=samples)

        rng = Random(seed)  # noqa: S311  jitter, not a secret
        poller = Poller(name, client, interval_s, published.append, clock, rng, recall=recall)
        while (delay_s := poller.run_cycle()) <= (at - clock.utc()).total_seconds():
            clock.forward(delay_s)
    return published[-1]
