"""The messages between page and server: JSON objects over the WebSocket, tagged by `type`.

Only their shape. Numbers are checked here for ranges that do not depend on the model; the presenter checks whether the deck has
such a key.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

CLIENT_MESSAGE_BYTES = 1024  # the longest message of a page has about 60 bytes

_Number = Annotated[int, msgspec.Meta(ge=0, le=255)]
_Steps = Annotated[int, msgspec.Meta(ge=-64, le=64)]  # per message; a quick turn makes about 10
_Pixels = Annotated[int, msgspec.Meta(ge=0, le=65535)]  # 16 bits in a touch report
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    """One message. Unknown fields are ignored, so that an older server works with a newer page."""


# --- from page to server -------------------------------------------------------------------------------------------------


class PressMessage(_Message, frozen=True, tag="press"):
    """A key was pressed."""

    key: _Number


class ReleaseMessage(_Message, frozen=True, tag="release"):
    """A key was released."""

    key: _Number


class TurnMessage(_Message, frozen=True, tag="turn"):
    """A dial was turned. `steps`: clicks; positive: clockwise."""

    dial: _Number
    steps: _Steps


class PushMessage(_Message, frozen=True, tag="push"):
    """A dial was pressed or released."""

    dial: _Number
    down: bool


class TouchMessage(_Message, frozen=True, tag="touch"):
    """The strip was touched. Pixels from its top left."""

    x: _Pixels
    y: _Pixels
    long: bool = False
    x_out: _Pixels | None = None  # end of a drag


class ChooseScenario(_Message, frozen=True, tag="scenario"):
    """The user chose another scenario of the sample account."""

    name: _Name


class ChooseModel(_Message, frozen=True, tag="model"):
    """The user chose another model of deck."""

    name: _Name


ClientMessage = PressMessage | ReleaseMessage | TurnMessage | PushMessage | TouchMessage | ChooseScenario | ChooseModel


def decode(text: str | bytes) -> ClientMessage | None:
    """Return the message of a page; None for an invalid one."""
    try:
        message: ClientMessage = msgspec.json.decode(text, type=ClientMessage)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return message


# --- /deck.json --------------------------------------------------------------------------------------------------------


class NamedOption(msgspec.Struct, frozen=True):
    """A scenario or model that the user can choose."""

    name: str
    title: str


class KeySize(msgspec.Struct, frozen=True):
    """Pixels of a key picture; 0 × 0 for keys without a display."""

    width: int
    height: int


class DisplayShape(msgspec.Struct, frozen=True):
    """The touch strip (`touch`) or the information screen. Pixels."""

    width: int
    height: int
    touch: bool


class KeyRow(msgspec.Struct, frozen=True):
    """One key. `image_sha256`: of `/keys/N.png`; None without a display."""

    key: int
    text: str
    image_sha256: str | None


class DeckDescription(msgspec.Struct, frozen=True):
    """The shape of the deck and the state of its keys. Touch keys are numbered after the `cols` × `rows` keys."""

    serial: str
    model: NamedOption
    cols: int
    rows: int
    key: KeySize
    touch_keys: int
    dials: int
    strip: DisplayShape | None
    brightness: int
    keys: list[KeyRow]
    upside_down: bool  # strip or screen and dials are above the keys
    scenario: str
    scenarios: list[NamedOption]  # `title`: one sentence about the scenario
    models: list[NamedOption]


# --- from server to page -------------------------------------------------------------------------------------------------


class KeyMessage(_Message, frozen=True, tag="key"):
    """The content of a key. `png`: base64, upright; empty for a key without a display."""

    key: int
    text: str
    png: str


class StripMessage(_Message, frozen=True, tag="strip"):
    """The content of the touch strip or the information screen. `png`: base64; `texts`: of its parts, left to right."""

    png: str
    texts: list[str] = []


class BrightnessMessage(_Message, frozen=True, tag="brightness"):
    """The brightness of the display, 0 to 100."""

    percent: int


class ScenarioMessage(_Message, frozen=True, tag="scenario"):
    """The current scenario of the sample account."""

    name: str


class NoteMessage(_Message, frozen=True, tag="note"):
    """The line below the deck: the result of a press."""

    text: str


class InvalidReportsMessage(_Message, frozen=True, tag="invalid_reports"):
    """Reports of the host that the deck does not support. `last`: the newest one, as text; empty when there is none."""

    count: int
    last: str


class DeckMessage(_Message, frozen=True, tag="deck"):
    """Another deck was plugged in; the pictures of its keys follow."""

    deck: DeckDescription


ServerMessage = (
    KeyMessage | StripMessage | BrightnessMessage | ScenarioMessage | NoteMessage | InvalidReportsMessage | DeckMessage
)


def encode(message: ServerMessage) -> str:
    """Return the message as JSON text."""
    return msgspec.json.encode(message).decode()
