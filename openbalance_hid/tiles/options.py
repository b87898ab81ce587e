"""One option of a tile as data: the values that `config.toml` may have, checked in one place.

Each tile has a tuple of them. The configuration checks values with them, so that a tile never gets a value that it does not
accept. The meaning of an option is in the tile's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

OptionType = Literal["choice", "decimal", "float", "int", "bool", "text", "command"]
OptionNumber = int | float | Decimal

COMMAND = "a list: the absolute path of a program, and its arguments"
LONGEST_WORD = 4096  # characters of one argument
MOST_WORDS = 100
LARGEST = 10**12  # no amount, time or count comes near; beyond it Decimal arithmetic could overflow its context


class Option(Struct, frozen=True):
    """One option. The default holds where the configuration has no value; None means off and cannot be written."""

    name: str
    kind: OptionType
    default: object
    choices: tuple[str, ...] | None = None  # of a choice, the default first; of a number, words in its place
    minimum: OptionNumber | None = None  # inclusive; of a text, its length in characters
    maximum: OptionNumber | None = None
    help: str = ""  # one line, lower case

    def __post_init__(self) -> None:
        if self.default is not None:  # as `check` returns it, so that a tile gets one type only
            default = Decimal(repr(self.default)) if isinstance(self.default, float) else self.default
            force_setattr(self, "default", self.check(default))

    @property
    def accepted(self) -> str:
        """Return the accepted values in words: "a whole number from 1 to 14"."""
        match self.kind:
            case "choice":
                names = [f"'{choice}'" for choice in self.choices or ()]
                return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
            case "bool":
                return "true or false"
            case "text":
                return f"a text of {self.minimum or 0} to {self.maximum} characters" if self.maximum is not None else "a text"
            case "int":
                return f"a whole number{self._range}"
            case "command":
                return COMMAND
            case _:
                return " or ".join((f"a number{self._range}", *(f"'{word}'" for word in self.choices or ())))

    def check(self, value: object) -> object:
        """Return the value as the tile gets it: Decimal, float, int, bool, str or a tuple of str by `kind`.

        Numbers are taken as int or Decimal, never as float: money comes from the text of the file. Raises
        ValueError, with `accepted` as its text, for anything else.
        """
        if isinstance(value, list | tuple):
            return self._command(value)
        if isinstance(value, bool):
            right = self.kind == "bool"
        elif isinstance(value, str):
            right = self._text_fits(value)
        elif isinstance(value, int | Decimal):
            return self._number(value)
        else:
            right = False
        if not right:
            raise ValueError(self.accepted)
        return value

    @property
    def _range(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f" from {self.minimum} to {self.maximum}"
        if self.minimum is not None:
            return f" of at least {self.minimum}"
        return f" of at most {self.maximum}" if self.maximum is not None else ""

    def _text_fits(self, value: str) -> bool:
        if self.choices is not None:
            return value in self.choices
        return self.kind == "text" and self._within(len(value)) and value.isprintable()

    def _command(self, words: Sequence[object]) -> tuple[str, ...]:
        """Return a program and its arguments."""
        texts = tuple(word for word in words if isinstance(word, str))
        if self.kind != "command" or len(texts) != len(words) or not is_command(texts):
            raise ValueError(self.accepted)
        return texts

    def _number(self, value: int | Decimal) -> OptionNumber:
        fits = self.kind in ("decimal", "float") or (self.kind == "int" and isinstance(value, int))
        finite = isinstance(value, int) or value.is_finite()
        if not fits or not finite or not -LARGEST <= value <= LARGEST or not self._within(value):
            raise ValueError(self.accepted)
        if self.kind == "decimal":
            return Decimal(value)
        return float(value) if self.kind == "float" else value

    def _within(self, value: OptionNumber) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def is_command(words: Sequence[str]) -> bool:
    """Return whether the words are an absolute path and arguments that a system accepts."""
    fits = len(words) <= MOST_WORDS and all("\0" not in word and len(word) <= LONGEST_WORD for word in words)
    return bool(words) and fits and words[0].startswith("/")
