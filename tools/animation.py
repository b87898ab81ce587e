"""The animated picture of the README: a hold that refreshes, and a spike that a tap acknowledges.

It is the controller itself under virtual time, with sample accounts and key events; only the deck is drawn. The same moment
gives the same frames.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from PIL import Image

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import LightTouchKey
from openbalance_hid.app.events import Event, SmallScreen, TimePassed
from openbalance_hid.config.load import load_config
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived, KeyEvent
from openbalance_hid.render import fonts
from openbalance_hid.render.body import draw_deck
from openbalance_hid.render.draw import draw
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.theme import DARK
from openbalance_hid.runtime.deck_picture import body_of, sample_snapshots
from openbalance_hid.simulator.device.models import model_named

SERIAL: Final = "animation"
MODEL: Final = "neo"
BALANCE, SPIKE = 0, 3  # keys of `.github/pictures/deck.toml`
PAGE, INK = (255, 255, 255), (36, 41, 47)  # behind the deck, and the words below it
WORDS_PX, ROOM_PX = 22, 36  # their size, and the room for them
QUALITY: Final = 82  # of WebP: letters stay sharp, and the file is a third of a lossless one
LATER: Final = timedelta(minutes=25)  # what a refresh shows: the numbers of that time

Frame = tuple[Image.Image, int]  # a picture, and how long it is shown, in milliseconds


def animation_webp(config_file: Path, at: datetime) -> bytes:
    """Return the animation as a WebP file that repeats for ever. `at`: the time of its start, aware UTC."""
    frames = frames_of(config_file, at)
    (first, *others), durations = [image for image, _ in frames], [ms for _, ms in frames]
    with BytesIO() as out:
        first.save(out, "WEBP", save_all=True, append_images=others, duration=durations, loop=0, quality=QUALITY, method=6)
        return out.getvalue()


def frames_of(config_file: Path, at: datetime) -> list[Frame]:
    """Return every frame of the animation; none equals the one before it."""
    config = load_config(config_file)
    calm = sample_snapshots(config, {}, at)["default"]
    fresh = sample_snapshots(config, {}, at + LATER)["default"]
    spike = sample_snapshots(config, {"default": "critical"}, at + LATER)["default"]
    film = _Film(config, calm, at)
    film.say("Hold a key for 2 seconds to refresh it")
    film.wait(1.2)
    film.key(BALANCE, True)
    film.wait(2.3)
    film.key(BALANCE, False)
    film.wait(0.7)
    film.forward(LATER)
    film.step(replace(fresh, started_at=calm.started_at, polls=calm.polls + 1))
    film.wait(2.2)
    film.say("Another day: spending runs away, and the key says so")
    film.step(replace(spike, started_at=calm.started_at, polls=calm.polls + 2))
    film.wait(3.0)
    film.say("Tap the key to acknowledge the alert")
    film.key(SPIKE, True)
    film.wait(0.4)
    film.key(SPIKE, False)
    film.wait(3.0)
    return film.frames


class _Film:
    """A controller with a deck under virtual time. Each change of the deck is a frame."""

    def __init__(self, config: Config, snapshot: Snapshot, at: datetime) -> None:
        self.frames: list[Frame] = []
        self._model = model = model_named(MODEL)
        self._now = Moment(at, 1000.0)
        self._lights: dict[int, tuple[int, int, int]] = {}
        self._words = ""
        self._controller = Controller(config, {"default": snapshot}, self._now)
        self.step(DeckArrived(SERIAL, MODEL, model.keys, True, touch_keys=model.touch_keys, screen=True))

    def say(self, words: str) -> None:
        """Put these words below the deck."""
        self._words = words

    def key(self, number: int, down: bool) -> None:
        """Press or release a key."""
        self.step(KeyEvent(SERIAL, number, down, self._now.mono_s))

    def step(self, event: Event) -> None:
        """Pass an event to the controller."""
        for effect in self._controller.step(event, self._now):
            if isinstance(effect, LightTouchKey) and effect.tone is not None:
                self._lights[effect.touch_key] = DARK.colour(effect.tone)

    def wait(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end_s = self._now.mono_s + seconds
        while (due_s := self._controller.next_deadline()) <= end_s:
            self._move(max(due_s, self._now.mono_s))
            self.step(TimePassed())
        self._move(end_s)

    def forward(self, time: timedelta) -> None:
        """Move the clock on the wall, which no frame shows."""
        self._now = Moment(self._now.utc + time, self._now.mono_s)

    def _move(self, to_s: float) -> None:
        """Move the time, and keep what the deck shows until then."""
        ms = round((to_s - 1000.0) * 1000) - round((self._now.mono_s - 1000.0) * 1000)
        self._now = Moment(self._now.utc + timedelta(milliseconds=ms), to_s)
        if ms <= 0:
            return
        picture = self._picture()
        if self.frames and self.frames[-1][0].tobytes() == picture.tobytes():
            self.frames[-1] = (picture, self.frames[-1][1] + ms)
        else:
            self.frames.append((picture, ms))

    def _picture(self) -> Image.Image:
        model, faces = self._model, self._controller.faces
        keys = {key: draw(faces[SERIAL, key], model.key_width, model.key_height) for key in range(model.keys)}
        assert model.screen is not None
        screen = draw(faces[SERIAL, SmallScreen()], model.screen.width, model.screen.height)
        deck = draw_deck(keys, body_of(model), "", [screen], self._lights, scale=1)
        page = Image.new("RGB", (deck.width, deck.height + ROOM_PX), PAGE)
        page.paste(deck, (0, 0), deck)
        words = fonts.run(self._words, Weight.STRONG, WORDS_PX)
        left = (page.width - fonts.width_px(self._words, Weight.STRONG, WORDS_PX)) // 2
        page.paste(INK, (left, page.height - ROOM_PX // 2 - words.baseline_px), words.mask)
        return page
