"""The deck that stands on the page: its shape, what each part of it shows, and what a word from a page does to it.

No socket and no thread of its own; everything here may be called from any thread. A page is known only as a `holder`.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from openbalance_hid.simulator.device.models import DeckModel
from openbalance_hid.simulator.web import page_messages as words
from openbalance_hid.simulator.web.page_client import Item
from openbalance_hid.simulator.web.page_input import InputPart, PageInput

if TYPE_CHECKING:
    from PIL import Image

PANEL, BRIGHTNESS, SCENARIO, NOTE, DECK = "panel", "brightness", "scenario", "note", "deck"


class ShownDeck(Protocol):
    """What the page needs of a deck; `VirtualDeck` is one."""

    @property
    def model(self) -> DeckModel: ...
    @property
    def serial(self) -> str: ...
    @property
    def brightness(self) -> int: ...
    def press(self, key: int) -> None: ...
    def release(self, key: int) -> None: ...
    def turn(self, dial: int, steps: int) -> None: ...
    def push(self, dial: int, down: bool) -> None: ...
    def touch(self, x: int, y: int, long: bool = False) -> None: ...
    def drag(self, x: int, y: int, x_out: int, y_out: int) -> None: ...
    def glass_png(self, key: int) -> bytes: ...
    def strip(self) -> Image.Image | None: ...
    def screen(self) -> Image.Image | None: ...
    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Something the page can choose. `rows`: (name, title) in order; `choose` is called with a name of these, on any thread."""

    rows: Sequence[tuple[str, str]] = ()
    chosen: Callable[[], str] = str
    choose: Callable[[str], None] | None = None

    @property
    def offered(self) -> list[words.Named]:
        """The rows, or nothing when choosing does nothing."""
        return [words.Named(name, title) for name, title in self.rows] if self.choose else []

    def take(self, name: str) -> bool:
        """Chooses `name`; False when it is not offered."""
        if self.choose is None or name not in {row[0] for row in self.rows}:
            return False
        self.choose(name)
        return True


@dataclass(slots=True)
class PagePresenter:
    """One deck on the page. `texts`: the tiles' words, asked whenever they are told: by the number of a key, and by
    "cell N", "screen" and "touch key N" for what is beside the keys.
    """

    deck: ShownDeck
    texts: Callable[[], Mapping[Item, str]]
    scenarios: Choice = field(default_factory=Choice)
    models: Choice = field(default_factory=Choice)
    note: str = ""
    fingers: PageInput = field(init=False)

    def __post_init__(self) -> None:
        self.fingers = PageInput(self._move)

    @property
    def keys(self) -> range:
        """Numbers of all keys, touch keys last."""
        return range(self.deck.model.keys + self.deck.model.touch_keys)

    @property
    def panel(self) -> words.DisplayShape | None:
        """The strip or screen beside the keys."""
        model = self.deck.model
        shape = model.strip or model.screen
        return words.DisplayShape(shape.width, shape.height, model.strip is not None) if shape else None

    def items(self) -> list[Item]:
        """Everything that a page has to be told when it connects, in this order."""
        return [*self.keys, *([PANEL] if self.panel else []), BRIGHTNESS, *([SCENARIO] if self.scenarios.rows else []), NOTE]

    def message(self, item: Item) -> str | None:
        """The present state of `item` as JSON text; None when this deck has no such thing."""
        if isinstance(item, int):
            if item not in self.keys:
                return None
            png = self.key_png(item) or b""
            return words.say(words.KeyMessage(item, self.text(item), base64.b64encode(png).decode()))
        if item == PANEL:
            picture = self.panel_png()
            return words.say(words.StripMessage(base64.b64encode(picture).decode(), self.panel_texts())) if picture else None
        word: words.FromServer
        match item:
            case "brightness":
                word = words.BrightnessMessage(self.deck.brightness)
            case "scenario":
                word = words.ScenarioMessage(self.scenarios.chosen())
            case "note":
                word = words.NoteMessage(self.note)
            case _:
                word = words.DeckMessage(self.description())
        return words.say(word)

    def text(self, key: int) -> str:
        """What a key or touch key says or does."""
        beside = key - self.deck.model.keys
        return self.texts().get(key if beside < 0 else f"touch key {beside}", "")

    def panel_texts(self) -> list[str]:
        """What stands on the strip above each dial, or on the screen."""
        texts = self.texts()
        parts = [f"cell {cell}" for cell in range(self.deck.model.dials)] if self.deck.model.strip else ["screen"]
        return [texts.get(part, "") for part in parts]

    def key_png(self, key: int) -> bytes | None:
        """What is on the glass of `key`, upright; None for a key without a display, and for one that does not exist."""
        return self.deck.glass_png(key) if key in self.keys and self.deck.model.key_width else None

    def panel_png(self) -> bytes | None:
        """What is on the strip or screen, upright; None when there is neither."""
        image = self.deck.strip() or self.deck.screen()
        if image is None:
            return None
        with io.BytesIO() as file:
            image.save(file, "PNG")
            return file.getvalue()

    def description(self) -> words.Description:
        """The deck as `/deck.json` describes it."""
        model = self.deck.model
        pictures = {key: self.key_png(key) for key in self.keys}
        return words.Description(
            serial=self.deck.serial,
            model=words.Named(model.name, model.title),
            cols=model.cols,
            rows=model.rows,
            key=words.KeySize(model.key_width, model.key_height),
            touch_keys=model.touch_keys,
            dials=model.dials,
            strip=self.panel,
            brightness=self.deck.brightness,
            keys=[
                words.KeyRow(key, self.text(key), hashlib.sha256(png).hexdigest() if png else None)
                for key, png in pictures.items()
            ],
            scenario=self.scenarios.chosen(),
            scenarios=self.scenarios.offered,
            models=self.models.offered,
        )

    def obey(self, holder: object, word: words.FromPage) -> bool:
        """Does what a page said. False when it asks for something that this deck does not have."""
        match word:
            case words.PressMessage(key) if key in self.keys:
                self.fingers.down(holder, InputPart.KEY, key)
            case words.ReleaseMessage(key) if key in self.keys:
                self.fingers.up(holder, InputPart.KEY, key)
            case words.PushMessage(dial, down) if dial < self.deck.model.dials:
                (self.fingers.down if down else self.fingers.up)(holder, InputPart.DIAL, dial)
            case words.TurnMessage(dial, steps) if dial < self.deck.model.dials:
                if steps:
                    self.deck.turn(dial, steps)
            case words.TouchMessage(x, y, long, x_out) if (
                (strip := self.deck.model.strip) and x < strip.width and y < strip.height
            ):
                if x_out is None:
                    self.deck.touch(x, y, long)
                else:
                    self.deck.drag(x, y, min(x_out, strip.width - 1), y)
            case words.ChooseScenario(name):
                return self.scenarios.take(name)
            case words.ChooseModel(name):
                return self.models.take(name)
            case _:
                return False
        return True

    def _move(self, part: InputPart, index: int, down: bool) -> None:
        if part is InputPart.DIAL:
            self.deck.push(index, down)
        elif down:
            self.deck.press(index)
        else:
            self.deck.release(index)
