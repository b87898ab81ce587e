"""Text from outside made safe to print, and "did you mean". Pure.

Names and messages come from servers, devices and files. Every package escapes and folds them here, so that none of their
characters moves a cursor, reverses the direction of writing or is invisible. Formats of other programs (CSV, Pango, tmux) are
not here.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable

# Unicode categories: control, format (marks that reverse the text, joiners that make two names look equal), surrogate, private,
# unassigned, and the two line separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LONGEST_NAME = 60  # characters of a mistyped name that are compared: the comparison takes quadratic time


def escape_unprintable(text: str, keep_lines: bool = True) -> str:
    """Return `text` with each unprintable character as its Python escape (`\\x1b`); line feeds stay if `keep_lines`."""
    kept = "\n" if keep_lines else ""
    return "".join(char if char.isprintable() or char == kept else ascii(char)[1:-1] for char in text)


def printable(text: str, gap: str = "") -> str:
    """Return `text` without characters that move a cursor, end a line, reverse the direction of text or are invisible."""
    return "".join(gap if unicodedata.category(char) in _INVISIBLE else char for char in text)


def single_line(text: str) -> str:
    """Return `text` with each run of unprintable characters and white space as one space."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def escaped_json(value: object, indent: int | None = None) -> str:
    """Return `value` as JSON that keeps non-ASCII letters and escapes unprintable ones; it parses to the same value."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def nearest_name(found: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name most like `found`; None when none is at least `cutoff` (0 to 1) like it."""
    import difflib  # here: only an error needs it

    by_lower_case = {name.lower(): name for name in names}
    matches = difflib.get_close_matches(found[:_LONGEST_NAME].lower(), list(by_lower_case), n=1, cutoff=cutoff)
    return by_lower_case[matches[0]] if matches else None


def did_you_mean(found: str, names: Iterable[str]) -> str:
    """Return the end of an error message, `; did you mean 'balance'?`; empty when no name is similar."""
    name = nearest_name(found, names)
    return f"; did you mean '{name}'?" if name else ""
