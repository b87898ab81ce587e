"""Reading one parsed table key by key, and collecting what is wrong with it instead of stopping at the first.

Knows nothing of decks and tiles: which keys there are is said by whoever reads a `Section`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from msgspec import Struct

from openbalance_hid.config.schema import Place
from openbalance_hid.config.toml_positions import KeyPath
from openbalance_hid.errors import ConfigError
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import did_you_mean
from openbalance_hid.tiles.options import Option

_SHOWN = 100  # problems in one message; who has more mends these first
_LONGEST = 60  # characters of a found value that are repeated
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Problem(Struct, frozen=True):
    """One thing that is wrong, and where."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Diagnostics:
    """The problems of one file."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self._file = file
        self._lines = lines
        self.problems: list[Problem] = []

    def place(self, path: KeyPath) -> Place:
        """Where `path` is written; a thing that is missing has the line of what it is missing from."""
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self._lines), None)
        return Place(self._file, None if known is None else self._lines[known], written(path))

    def say(self, path: KeyPath, text: str) -> None:
        # An API key pasted into the wrong place must not travel on into terminals and logs.
        place = self.place(path)
        place = Place(place.file, place.line, mask_keys(place.path))
        self.problems.append(Problem(place, mask_keys(text)))

    def wrong(self, path: KeyPath, found: object, accepted: str, names: Iterable[str] = ()) -> None:
        """`found` is not accepted; `names` are those that it may have been meant to be."""
        guess = did_you_mean(found, names) if isinstance(found, str) else ""
        self.say(path, f"found {shown(found)}, accepted: {accepted}{guess}")

    def raise_any(self) -> None:
        """ConfigError with one problem a line, if there are any."""
        if self.problems:
            ordered = sorted(self.problems, key=lambda problem: problem.place.line or 0)
            lines = [str(problem) for problem in ordered[:_SHOWN]]
            if len(self.problems) > _SHOWN:
                lines.append(f"{self._file}: and {len(self.problems) - _SHOWN} more")
            raise ConfigError("\n".join(lines), "openbalance-hid config check")


class Section:
    """One table of the file. Keys are taken out one by one; `close` reports those that nobody took."""

    def __init__(self, found: Mapping[str, object], path: KeyPath, findings: Diagnostics) -> None:
        self.path = path
        self.findings = findings
        self._left = dict(found)
        self._known: list[str] = []

    def value(self, option: Option, required: bool = False) -> Any:
        """The checked value, or the option's default where it is absent or wrong; absence is a problem if it is `required`."""
        self._known.append(option.name)
        path = (*self.path, option.name)
        if option.name not in self._left:
            if required:
                self.findings.say(path, f"missing, accepted: {option.accepted}")
            return option.default
        found = self._left.pop(option.name)
        try:
            return option.check(found)
        except ValueError as refusal:
            self.findings.wrong(path, found, str(refusal), option.choices or ())
            return option.default

    def table(self, name: str) -> Section:
        """A table inside this one; empty where it is absent or something else."""
        found = self._take(name, dict, "a table", {})
        return Section(found, (*self.path, name), self.findings)

    def tables(self, name: str) -> list[Section]:
        """An array of tables inside this one, each with its index in its path."""
        accepted = f"[[{written((*(part for part in self.path if isinstance(part, str)), name))}]] tables"
        sections = []
        for index, item in enumerate(self._take(name, list, accepted, [])):
            path = (*self.path, name, index)
            if isinstance(item, dict):
                sections.append(Section(item, path, self.findings))
            else:
                self.findings.wrong(path, item, accepted)
        return sections

    def texts(self, name: str) -> list[tuple[KeyPath, str]]:
        """A list of texts, each with its path."""
        accepted = "a list of texts"
        texts = []
        for index, item in enumerate(self._take(name, list, accepted, [])):
            path = (*self.path, name, index)
            if isinstance(item, str):
                texts.append((path, item))
            else:
                self.findings.wrong(path, item, "a text")
        return texts

    def subtables(self) -> dict[str, Section]:
        """All that is left, each of which must be a table; their names are the owner's."""
        return {name: self.table(name) for name in list(self._left)}

    def close(self) -> None:
        for name in self._left:
            accepted = ", ".join(sorted(self._known))
            self.findings.say((*self.path, name), f"unknown, accepted: {accepted}{did_you_mean(name, self._known)}")

    def _take(self, name: str, kind: type, accepted: str, absent: Any) -> Any:
        self._known.append(name)
        found = self._left.pop(name, absent)
        if isinstance(found, kind):
            return found
        self.findings.wrong((*self.path, name), found, accepted)
        return absent


def written(path: KeyPath) -> str:
    """`("decks", 0, "tile")` as `decks[0].tile`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else json.dumps(part)
            text += f".{name}" if text else name
    return text


def shown(value: object) -> str:
    """A value of the file in one short line, without letters that could move a terminal's cursor."""
    match value:
        case bool():
            text = "true" if value else "false"
        case str():
            text = repr(value)
        case list():
            text = "a list"
        case dict():
            text = "a table"
        case datetime() | date() | time():
            text = value.isoformat()
        case int() | Decimal():
            text = str(value)
        case _:
            text = type(value).__name__
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
