"""Presenter of a deck on the page: messages about its shape and content, and the effect of messages from a page.

No socket and no thread. Thread-safe. A page is an opaque object here.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from openbalance_hid.simulator.device.models import DeckModel
from openbalance_hid.simulator.device.report_decoder import Fault
from openbalance_hid.simulator.web import page_messages as messages
from openbalance_hid.simulator.web.page_client import PageItem
from openbalance_hid.simulator.web.page_input import InputPart, PageInput

if TYPE_CHECKING:
    from PIL import Image

PANEL, BRIGHTNESS, SCENARIO, NOTE, DECK = "panel", "brightness", "scenario", "note", "deck"
INVALID_REPORTS = "invalid reports"


class ShownDeck(Protocol):
    """The part of `VirtualDeck` that the page uses."""

    @property
    def model(self) -> DeckModel: ...
    @property
    def serial(self) -> str: ...
    @property
    def brightness(self) -> int: ...
    @property
    def is_upside_down(self) -> bool: ...
    @property
    def faults(self) -> Sequence[Fault]: ...
    @property
    def fault_count(self) -> int: ...
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
class PageChoice:
    """A list to choose from on the page. `rows`: (name, title) in order; `choose` gets one of these names, on any thread."""

    rows: Sequence[tuple[str, str]] = ()
    chosen: Callable[[], str] = str
    choose: Callable[[str], None] | None = None

    @property
    def offered(self) -> list[messages.NamedOption]:
        """Return the rows; empty without `choose`."""
        return [messages.NamedOption(name, title) for name, title in self.rows] if self.choose else []

    def select(self, name: str) -> bool:
        """Choose `name`; return False when it is not offered."""
        if self.choose is None or name not in {row[0] for row in self.rows}:
            return False
        self.choose(name)
        return True


@dataclass(slots=True)
class PagePresenter:
    """One deck on the page. `texts` returns the texts of the tiles, by the number of a key, and by "cell N", "screen" and
    "touch key N" for the parts beside the keys.
    """

    deck: ShownDeck
    texts: Callable[[], Mapping[PageItem, str]]
    scenarios: PageChoice = field(default_factory=PageChoice)
    models: PageChoice = field(default_factory=PageChoice)
    note: str = ""
    input: PageInput = field(init=False)

    def __post_init__(self) -> None:
        self.input = PageInput(self._move)

    @property
    def keys(self) -> range:
        """Return the numbers of all keys, touch keys last."""
        return range(self.deck.model.keys + self.deck.model.touch_keys)

    @property
    def panel(self) -> messages.DisplayShape | None:
        """Return the strip or screen beside the keys."""
        model = self.deck.model
        shape = model.strip or model.screen
        return messages.DisplayShape(shape.width, shape.height, model.strip is not None) if shape else None

    def items(self) -> list[PageItem]:
        """Return all items that a page gets when it connects, in this order."""
        panel, scenario = [PANEL] if self.panel else [], [SCENARIO] if self.scenarios.rows else []
        return [*self.keys, *panel, BRIGHTNESS, *scenario, INVALID_REPORTS, NOTE]

    def message(self, item: PageItem) -> str | None:
        """Return the current state of `item` as JSON text; None when the deck has no such item."""
        if isinstance(item, int):
            if item not in self.keys:
                return None
            png = self.key_png(item) or b""
            return messages.encode(messages.KeyMessage(item, self.text(item), base64.b64encode(png).decode()))
        if item == PANEL:
            picture = self.panel_png()
            return (
                messages.encode(messages.StripMessage(base64.b64encode(picture).decode(), self.panel_texts()))
                if picture
                else None
            )
        message: messages.ServerMessage
        match item:
            case "brightness":
                message = messages.BrightnessMessage(self.deck.brightness)
            case "scenario":
                message = messages.ScenarioMessage(self.scenarios.chosen())
            case "note":
                message = messages.NoteMessage(self.note)
            case "invalid reports":
                last = "".join(f"{fault.what}: {fault.detail}" for fault in self.deck.faults[-1:])
                message = messages.InvalidReportsMessage(self.deck.fault_count, last)
            case _:
                message = messages.DeckMessage(self.description())
        return messages.encode(message)

    def text(self, key: int) -> str:
        """Return the text of a key or touch key."""
        beside = key - self.deck.model.keys
        return self.texts().get(key if beside < 0 else f"touch key {beside}", "")

    def panel_texts(self) -> list[str]:
        """Return the text above each dial, or of the screen."""
        texts = self.texts()
        parts = [f"cell {cell}" for cell in range(self.deck.model.dials)] if self.deck.model.strip else ["screen"]
        return [texts.get(part, "") for part in parts]

    def key_png(self, key: int) -> bytes | None:
        """Return the picture on `key`, upright; None for a key without a display or an unknown key."""
        return self.deck.glass_png(key) if key in self.keys and self.deck.model.key_width else None

    def panel_png(self) -> bytes | None:
        """Return the picture on the strip or screen, upright; None when there is neither."""
        image = self.deck.strip() or self.deck.screen()
        if image is None:
            return None
        with io.BytesIO() as file:
            image.save(file, "PNG")
            return file.getvalue()

    def description(self) -> messages.DeckDescription:
        """Return the content of `/deck.json`."""
        model = self.deck.model
        pictures = {key: self.key_png(key) for key in self.keys}
        return messages.DeckDescription(
            serial=self.deck.serial,
            model=messages.NamedOption(model.name, model.title),
            cols=model.cols,
            rows=model.rows,
            key=messages.KeySize(model.key_width, model.key_height),
            touch_keys=model.touch_keys,
            dials=model.dials,
            strip=self.panel,
            brightness=self.deck.brightness,
            keys=[
                messages.KeyRow(key, self.text(key), hashlib.sha256(png).hexdigest() if png else None)
                for key, png in pictures.items()
            ],
            upside_down=self.deck.is_upside_down,
            scenario=self.scenarios.chosen(),
            scenarios=self.scenarios.offered,
            models=self.models.offered,
        )

    def handle(self, page: object, message: messages.ClientMessage) -> bool:
        """Handle the message of a page. Return False when the deck has no such part."""
        match message:
            case messages.PressMessage(key) if key in self.keys:
                self.input.press(page, InputPart.KEY, key)
            case messages.ReleaseMessage(key) if key in self.keys:
                self.input.release(page, InputPart.KEY, key)
            case messages.PushMessage(dial, down) if dial < self.deck.model.dials:
                (self.input.press if down else self.input.release)(page, InputPart.DIAL, dial)
            case messages.TurnMessage(dial, steps) if dial < self.deck.model.dials:
                if steps:
                    self.deck.turn(dial, steps)
            case messages.TouchMessage(x, y, long, x_out) if (
                (strip := self.deck.model.strip) and x < strip.width and y < strip.height
            ):
                if x_out is None:
                    self.deck.touch(x, y, long)
                else:
                    self.deck.drag(x, y, min(x_out, strip.width - 1), y)
            case messages.ChooseScenario(name):
                return self.scenarios.select(name)
            case messages.ChooseModel(name):
                return self.models.select(name)
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
