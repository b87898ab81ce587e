"""One option of a tile, as data: what `config.toml` may say, checked in one place.

Each tile states its options as a tuple of these; the configuration reads them, so that a tile never meets a value it does not
accept. What an option *means* is the tile's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

OptionType = Literal["choice", "decimal", "float", "int", "bool", "text"]
Number = int | float | Decimal

LARGEST = 10**12  # no amount, time or count comes near; beyond it Decimal arithmetic could overflow its context


@dataclass(frozen=True, slots=True)
class Option:
    """One option. The default stands when the owner is silent; None means off and cannot be written."""

    name: str
    kind: OptionType
    default: object
    choices: tuple[str, ...] | None = None  # of a choice, the default first
    minimum: Number | None = None  # inclusive; of a text, its length in characters
    maximum: Number | None = None
    help: str = ""  # one line, lower case

    def __post_init__(self) -> None:
        if self.default is not None:  # a default is what `check` would give, so that a tile meets one type only
            default = Decimal(repr(self.default)) if isinstance(self.default, float) else self.default
            object.__setattr__(self, "default", self.check(default))

    @property
    def accepted(self) -> str:
        """What the owner may write, in words: "a whole number from 1 to 14"."""
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
            case _:
                return f"a number{self._range}"

    def check(self, value: object) -> object:
        """The value as the tile gets it: Decimal, float, int, bool or str by `kind`.

        Numbers are taken as int or Decimal, never as float: money comes from the text of the file. ValueError, with `accepted`
        as its text, for anything else.
        """
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
        if self.kind == "choice":
            return value in (self.choices or ())
        return self.kind == "text" and value.isprintable() and self._within(len(value))

    def _number(self, value: int | Decimal) -> Number:
        fits = self.kind in ("decimal", "float") or (self.kind == "int" and isinstance(value, int))
        finite = isinstance(value, int) or value.is_finite()
        if not fits or not finite or not -LARGEST <= value <= LARGEST or not self._within(value):
            raise ValueError(self.accepted)
        if self.kind == "decimal":
            return Decimal(value)
        return float(value) if self.kind == "float" else value

    def _within(self, value: Number) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)
