"""The words that page and server say to each other over the WebSocket, as JSON objects told apart by `type`.

Only their shape. A number is checked here for its range as far as it does not depend on the model; whether the deck has that
key is for the server to know.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

CLIENT_MESSAGE_BYTES = 1024  # a page never says more than some 60 bytes at once

Index = Annotated[int, msgspec.Meta(ge=0, le=255)]
Steps = Annotated[int, msgspec.Meta(ge=-64, le=64)]  # of one message; a quick hand makes some 10
Pixels = Annotated[int, msgspec.Meta(ge=0, le=65535)]  # a touch report has 16 bit for it
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Word(msgspec.Struct, frozen=True, tag_field="type"):
    """One message. Unknown fields are ignored, so that an older server understands a newer page."""


# --- what the page says --------------------------------------------------------------------------------------------------


class PressMessage(_Word, frozen=True, tag="press"):
    """A finger went down on a key."""

    key: Index


class ReleaseMessage(_Word, frozen=True, tag="release"):
    """The finger left the key."""

    key: Index


class TurnMessage(_Word, frozen=True, tag="turn"):
    """A dial was turned. Positive: clockwise, in clicks."""

    dial: Index
    steps: Steps


class PushMessage(_Word, frozen=True, tag="push"):
    """A dial was pushed down or let go."""

    dial: Index
    down: bool


class TouchMessage(_Word, frozen=True, tag="touch"):
    """The strip was touched. Pixels of the strip, from its top left."""

    x: Pixels
    y: Pixels
    long: bool = False
    x_out: Pixels | None = None  # where a finger that moved left the strip


class ChooseScenario(_Word, frozen=True, tag="scenario"):
    """The sample account is to show another scenario."""

    name: Name


class ChooseModel(_Word, frozen=True, tag="model"):
    """Another model of deck is to be plugged in."""

    name: Name


FromPage = PressMessage | ReleaseMessage | TurnMessage | PushMessage | TouchMessage | ChooseScenario | ChooseModel


def understand(message: str | bytes) -> FromPage | None:
    """What the page said; None for anything that is none of its words."""
    try:
        word: FromPage = msgspec.json.decode(message, type=FromPage)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return word


# --- what /deck.json says ------------------------------------------------------------------------------------------------


class Named(msgspec.Struct, frozen=True):
    """A scenario or model that can be chosen."""

    name: str
    title: str


class KeySize(msgspec.Struct, frozen=True):
    """Pixels of one key's picture; 0 × 0 for keys without a display."""

    width: int
    height: int


class DisplayShape(msgspec.Struct, frozen=True):
    """The touch strip (`touch`) or the information screen. Pixels."""

    width: int
    height: int
    touch: bool


class KeyRow(msgspec.Struct, frozen=True):
    """One key. `image_sha256`: of what `/keys/N.png` answers, or None without a display."""

    key: int
    text: str
    image_sha256: str | None


class Description(msgspec.Struct, frozen=True):
    """The shape of the deck, and what is on it. Touch keys are numbered after the `cols` × `rows` keys."""

    serial: str
    model: Named
    cols: int
    rows: int
    key: KeySize
    touch_keys: int
    dials: int
    strip: DisplayShape | None
    brightness: int
    keys: list[KeyRow]
    scenario: str
    scenarios: list[Named]  # `title` is what the scenario shows, in a sentence
    models: list[Named]


# --- what the server says ------------------------------------------------------------------------------------------------


class KeyMessage(_Word, frozen=True, tag="key"):
    """What one key shows now. `png`: base64, upright; empty for a key without a display."""

    key: int
    text: str
    png: str


class StripMessage(_Word, frozen=True, tag="strip"):
    """What the touch strip or the information screen shows now. `png`: base64; `texts`: of its parts, left to right."""

    png: str
    texts: list[str] = []


class BrightnessMessage(_Word, frozen=True, tag="brightness"):
    """The panel's brightness, 0 to 100."""

    percent: int


class ScenarioMessage(_Word, frozen=True, tag="scenario"):
    """The scenario that the sample account shows now."""

    name: str


class NoteMessage(_Word, frozen=True, tag="note"):
    """One line on what a press did, for the line below the deck."""

    text: str


class DeckMessage(_Word, frozen=True, tag="deck"):
    """Another deck is plugged in; the pictures of its keys follow."""

    deck: Description


FromServer = KeyMessage | StripMessage | BrightnessMessage | ScenarioMessage | NoteMessage | DeckMessage


def say(word: FromServer) -> str:
    """The word as JSON text."""
    return msgspec.json.encode(word).decode()
