"""What a program of a `command` tile has printed, and how it has ended. Frozen values; pure.

A program prints one or two lines of text, or one JSON object as for waybar (its `custom` module, waybar-custom(5)). Everything
that it prints is untrusted: escape sequences, control characters and API keys are removed, and long text is cut.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from msgspec import Struct

from openbalance_hid.secret import mask_keys
from openbalance_hid.text import single_line
from openbalance_hid.tiles.view import Tone

MOST_BYTES = 4096  # of one output, or of one line of a program that keeps printing
LONGEST_LINE = 80  # characters on a key
LONGEST_TEXT = 300  # characters of a tooltip, for the accessible text

# CSI, OSC and other escape sequences (ECMA-48 5.4 and 5.6): colours, titles, links.
_ESCAPES = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]"
_START_OF_OBJECT = r'\ufeff?\s*\{\s*"'
_MARKUP = r"</?(?:span|b|big|i|s|sub|sup|small|tt|u)(?:\s[^<>]*)?>"  # Pango's, which waybar shows as letters
_TONES: Mapping[str, Tone] = MappingProxyType(
    {
        **dict.fromkeys(("critical", "urgent", "error", "alarm", "alert", "failed", "bad", "danger", "down"), Tone.ALARM),
        **dict.fromkeys(("warning", "warn", "degraded", "high", "low", "unknown", "pending", "recording"), Tone.WARN),
        **dict.fromkeys(("good", "ok", "normal", "connected", "charging", "full", "playing", "active", "on", "up"), Tone.GOOD),
        **dict.fromkeys(("muted", "inactive", "off", "disabled", "stopped", "paused", "disconnected", "idle"), Tone.MUTED),
    }
)  # the usual classes of waybar's modules and of scripts for it


class EndKind(Enum):
    """How the run of a program has ended. `STOPPED`: it was ended because its output is not wanted any more."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    TOO_SLOW = "too slow"
    TOO_LONG = "too long"  # it printed more than `MOST_BYTES`
    NOT_FOUND = "not found"
    REFUSED = "refused"  # another user could change the program
    NOT_STARTED = "not started"
    STOPPED = "stopped"


class ProgramEnd(Struct, frozen=True):
    """The end of a run. `code`: exit code, or number of the signal; `output`: the first `MOST_BYTES` of it."""

    kind: EndKind
    code: int = 0
    output: bytes = b""
    detail: str = ""  # one sentence for the log and the accessible text

    @property
    def is_good(self) -> bool:
        """Whether the program ended by itself, with exit code 0."""
        return self.kind is EndKind.EXITED and self.code == 0


class ShownOutput(Struct, frozen=True):
    """What a program printed, as a key can show it. `share`: 0..1 of a gauge; `tone`: of its class; `tooltip`: one line."""

    hero: str
    caption: str = ""
    tooltip: str = ""
    tone: Tone | None = None
    share: float | None = None


class CommandState(Struct, frozen=True):
    """What is known of the programs of one tile.

    `output`: the last one, printed at `printed_at` by a run that ended with `exit_code`; `problem`: of the last run, if it
    printed nothing to show; `press_problem`: of the last program that a press started.
    """

    output: ShownOutput | None = None
    exit_code: int = 0
    printed_at: datetime | None = None
    problem: ProgramEnd | None = None
    is_running: bool = False  # the program that prints
    is_pressed: bool = False  # the program of a press
    press_problem: ProgramEnd | None = None
    press_ended_at: datetime | None = None


def shown_output(raw: bytes) -> ShownOutput | None:
    """Return what a program printed; None where there is nothing to show, or only a part of a JSON object."""
    text = raw[:MOST_BYTES].decode(errors="replace")
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        found = _json(text)
        if found is not None:
            return _from_json(found)
        if len(raw) >= MOST_BYTES and re.match(_START_OF_OBJECT, text):  # it was cut: a part of it is not for reading
            return None
    lines = _lines("\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")))  # as a terminal overwrites
    return ShownOutput(lines[0], lines[1] if len(lines) > 1 else "") if lines else None


def _json(text: str) -> Mapping[str, object] | None:
    text = text.strip("\ufeff \t\r\n")
    for candidate in (text, text.splitlines()[0]):  # an object over several lines, or one a line
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):  # also of a text that only looks like it, or was cut
            continue
        return found if isinstance(found, dict) else None
    return None


def _from_json(found: Mapping[str, object]) -> ShownOutput | None:
    lines = _lines(_without_markup(_text(found.get("text"))))
    tips = _lines(_without_markup(_text(found.get("tooltip"))))
    share = _share(found.get("percentage"))
    if not lines and share is None:
        return None
    hero = lines[0] if lines else f"{share or 0:.0%}".replace("%", " %")
    caption = lines[1] if len(lines) > 1 else next((tip for tip in tips if tip != hero), "")
    return ShownOutput(hero, caption, cut(" · ".join(tips), LONGEST_TEXT), _tone(found.get("class")), share)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def _share(value: object) -> float | None:
    """Return a percentage as a share, 0..1; a number beyond is the nearest that a gauge can show."""
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return min(1.0, max(0.0, round(number / 100, 4))) if math.isfinite(number) else None


def _tone(value: object) -> Tone | None:
    names = value if isinstance(value, list) else [value]
    known = (_TONES.get(name.lower()) for name in names if isinstance(name, str))
    return next((tone for tone in known if tone is not None), None)


def _without_markup(text: str) -> str:
    from html import unescape  # its table of names is large

    return unescape(re.sub(_MARKUP, "", text))


def _lines(text: str) -> list[str]:
    """Return the lines that are not blank, each safe to show."""
    plain = (mask_keys(single_line(re.sub(_ESCAPES, "", line))) for line in re.split(r"[\r\n]+", text))
    return [cut(line, LONGEST_LINE) for line in plain if line]


def cut(text: str, longest: int) -> str:
    """Return the text, with an ellipsis for what is beyond `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
