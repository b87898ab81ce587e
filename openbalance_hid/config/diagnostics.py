"""Read parsed tables key by key and collect every problem instead of stopping at the first.

The sections of the configuration and their keys are in `sections`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from msgspec import Struct

from openbalance_hid.config.schema import ConfigLocation
from openbalance_hid.config.toml_positions import KeyPath
from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import did_you_mean, escape_unprintable
from openbalance_hid.tiles.options import LONGEST_WORD, MOST_WORDS, Option, is_command

_MAX_PROBLEMS = 100  # in one message
_MAX_VALUE_CHARS = 60  # of a value that a message repeats
_WITH_A_FORM = {"night": "23:00-07:00", "listen": "127.0.0.1:9469"}  # texts of which not every one is accepted
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Problem(Struct, frozen=True):
    """One problem, and its location."""

    location: ConfigLocation
    text: str

    def __str__(self) -> str:
        return f"{self.location}: {self.text}"


class Diagnostics:
    """The problems of one file.

    `first_header`: of its first table; `places`: setting -> where it belongs, for one that is in the wrong table.
    `report_missing`: False when a line could not be read, so that a missing setting may be in it.
    """

    def __init__(
        self, file: str, lines: Mapping[KeyPath, int], first_header: str | None = None, report_missing: bool = True
    ) -> None:
        self._file = file
        first_lines: dict[KeyPath, int] = {}  # also of a table that has no header of its own
        for path, line in lines.items():
            for end in range(1, len(path)):
                first_lines.setdefault(path[:end], line)
        self._lines = {**first_lines, **lines}
        self.first_header = first_header
        self._report_missing = report_missing
        self.places: Mapping[str, str] = {}
        self.problems: list[Problem] = []

    def location(self, path: KeyPath) -> ConfigLocation:
        """Return the location of `path`; a missing key has the line of the table that lacks it, or of the first one in it."""
        known = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in self._lines), None)
        return ConfigLocation(self._file, None if known is None else self._lines[known], dotted_path(path))

    def add(self, path: KeyPath, text: str) -> None:
        """Add a problem. API keys in it are masked: one pasted into the wrong line must not reach terminals and logs."""
        location = self.location(path)
        location = ConfigLocation(location.file, location.line, mask_keys(location.path))
        self.problems.append(Problem(location, mask_keys(text)))

    def add_slip(self, line: int | None, text: str) -> None:
        """Add a problem with the text of the file, before its meaning."""
        self.problems.append(
            Problem(ConfigLocation(self._file, line, ""), mask_keys(escape_unprintable(text, keep_lines=False)))
        )

    def add_missing(self, path: KeyPath, accepted: str) -> None:
        """Add a problem: a required setting is missing."""
        if self._report_missing:
            self.add(path, f"missing, accepted: {accepted}")

    def reject(self, path: KeyPath, found: object, accepted: str, names: Iterable[str] = ()) -> None:
        """Add a problem: `found` is not accepted. `names`: the accepted names, for a suggestion."""
        suggestion = self.suggestion(found, names) if isinstance(found, str) else ""
        self.add(path, f"found {short_text(found)}, accepted: {accepted}{suggestion}")

    def suggestion(self, found: str, names: Iterable[str]) -> str:
        """Return "did you mean"; empty after many problems, because each comparison takes about 50 µs."""
        return did_you_mean(found, names) if len(self.problems) < _MAX_PROBLEMS else ""

    def raise_any(self) -> None:
        """Raise ConfigError with one problem a line, if there is any."""
        if self.problems:
            ordered = sorted(self.problems, key=lambda problem: problem.location.line or 0)
            lines = [str(problem) for problem in ordered[:_MAX_PROBLEMS]]
            if len(self.problems) > _MAX_PROBLEMS:
                lines.append(f"{self._file}: and {len(self.problems) - _MAX_PROBLEMS} more")
            raise ConfigError("\n".join(lines), hint("the configuration has problems", "run"))


class Section:
    """One table of the file. Keys are taken out one by one; `close` reports each key that is left as unknown."""

    def __init__(self, found: Mapping[str, object], path: KeyPath, diagnostics: Diagnostics) -> None:
        self.path = path
        self.diagnostics = diagnostics
        self._given = frozenset(found)
        self._left = dict(found)
        self._known: list[str] = []

    def value(self, option: Option, required: bool = False) -> Any:
        """Return the checked value, or the option's default if it is absent or wrong. `required`: absence is a problem."""
        if option.kind == "command":
            return self.command(option.name) or option.default
        self._known.append(option.name)
        path = (*self.path, option.name)
        if option.name not in self._left:
            if required:
                self.diagnostics.add_missing(path, option.accepted)
            return option.default
        found = self._left.pop(option.name)
        try:
            return option.check(found)
        except ValueError as refusal:
            self.diagnostics.reject(path, found, f"{refusal}{_other_type(option, found)}", option.choices or ())
            return option.default

    def peek(self, name: str) -> object:
        """Return what the file has for `name`, unchecked; it stays in the table."""
        return self._left.get(name)

    def has(self, name: str) -> bool:
        """Return whether the key `name` is left in this table."""
        return name in self._left

    def was_given(self, name: str) -> bool:
        """Return whether the file has the key `name` in this table, valid or not."""
        return name in self._given

    def take(self, name: str) -> object:
        """Return what the file has for `name`, unchecked; None if it is absent."""
        self._known.append(name)
        return self._left.pop(name, None)

    def table(self, name: str) -> Section:
        """Return the table `name` inside this one; an empty one if it is absent or not a table."""
        found = self._take(name, dict, "a table", {})
        return Section(found, (*self.path, name), self.diagnostics)

    def optional_table(self, name: str) -> Section | None:
        """Return the table `name` inside this one; None if it is absent."""
        self._known.append(name)
        return self.table(name) if name in self._left else None

    def tables(self, name: str) -> list[Section]:
        """Return the array of tables `name` inside this one; each has its index in its path."""
        accepted = f"[[{dotted_path((*(part for part in self.path if isinstance(part, str)), name))}]] tables"
        sections = []
        if isinstance(self._left.get(name), dict):  # a header of a table inside, without the header of this one
            section = self.table(name)
            self.diagnostics.add(section.path, f"put a line [[{dotted_path(section.path)}]] above this one")
            return [section]
        for index, item in enumerate(self._take(name, list, accepted, [])):
            path = (*self.path, name, index)
            if isinstance(item, dict):
                sections.append(Section(item, path, self.diagnostics))
            else:
                self.diagnostics.reject(path, item, accepted)
        return sections

    def texts(self, name: str, is_program: bool = False) -> list[tuple[KeyPath, str]]:
        """Return the list of texts `name`, each with its path. `is_program`: they are a program and its arguments."""
        accepted = f"a list of texts{_as_list(self._left.get(name), is_program)}"
        texts = []
        for index, item in enumerate(self._take(name, list, accepted, [])):
            path = (*self.path, name, index)
            if isinstance(item, str):
                texts.append((path, item))
            else:
                self.diagnostics.reject(path, item, "a text")
        return texts

    def command(self, name: str) -> tuple[str, ...] | None:
        """Return the program `name` with its arguments; None if it is absent or wrong."""
        if not self.has(name):
            self._known.append(name)
            return None
        known = len(self.diagnostics.problems)
        words = self.texts(name, is_program=True)
        path = (*self.path, name)
        if len(self.diagnostics.problems) > known:
            return None
        if not words:
            self.diagnostics.add(path, "found no words, accepted: a program's absolute path and its arguments")
        elif not words[0][1].startswith("/"):
            accepted = f"the absolute path of a program{_absolute(words[0][1])}"
            self.diagnostics.reject(words[0][0], words[0][1], accepted)
        elif len(words) > MOST_WORDS or not is_command([word for _, word in words]):
            limits = f"at most {MOST_WORDS} words, without NUL and of at most {LONGEST_WORD} characters"
            self.diagnostics.add(path, f"found other words, accepted: {limits}")
        else:
            return tuple(word for _, word in words)
        return None

    def subtables(self) -> dict[str, Section]:
        """Return everything that is left, by name; each must be a table."""
        return {name: self.table(name) for name in list(self._left)}

    def close(self) -> None:
        """Add a problem for each key that was not taken."""
        for name in self._left:
            place = self.diagnostics.places.get(name)
            accepted = ", ".join(sorted(self._known))
            self.diagnostics.add(
                (*self.path, name),
                f"not a setting of this table; {place}"
                if place is not None
                else f"unknown, accepted: {accepted}{self.diagnostics.suggestion(name, self._known)}",
            )

    def _take(self, name: str, kind: type, accepted: str, absent: Any) -> Any:
        self._known.append(name)
        found = self._left.pop(name, absent)
        if isinstance(found, kind):
            return found
        self.diagnostics.reject((*self.path, name), found, accepted)
        return absent


def _absolute(program: str) -> str:
    """Return how to write the path of a program that is not absolute; empty if it is not found."""
    found = _program_path(program)
    return f"; write {json.dumps(found)}" if found is not None else ""


def _program_path(program: str) -> str | None:
    if program.startswith("~/"):
        return str(Path.home() / program[2:])
    return shutil.which(program) if _BARE_KEY.fullmatch(program) else None


def _as_list(found: object, is_program: bool) -> str:
    """Return how to write a text as a list of texts, a program with its path; empty if it is no short text."""
    if not isinstance(found, str) or not found.isprintable() or not 0 < len(found) <= _MAX_VALUE_CHARS:
        return ""
    try:
        words = shlex.split(found) if is_program else [found]
    except ValueError:  # an open quote
        return ""
    if is_program and words:
        words[0] = _program_path(words[0]) or words[0]
    return f"; write [{', '.join(json.dumps(word, ensure_ascii=False) for word in words)}]" if words else ""


def _other_type(option: Option, found: object) -> str:
    """Return how to write a value of the wrong type: `"70 %"` for 70, or 5 for `"5"`; empty if that is not the mistake."""
    if isinstance(found, str):
        word = found.strip().lower().strip("$% ")
        values: list[object] = [word == "true"] if word in ("true", "false") else []
        with suppress(InvalidOperation):
            values.append(Decimal(word))
        values += [int(value) for value in values if isinstance(value, Decimal) and value.is_finite() and value % 1 == 0]
        written = word
    else:
        values, written = [str(found)], f'"{found}"'
        if option.name in _WITH_A_FORM:
            return f'; for example "{_WITH_A_FORM[option.name]}"'
    for value in values:
        with suppress(ValueError):
            if not isinstance(found, dict | list):
                option.check(value)
                return f"; write {written}{' without quotes' if isinstance(found, str) else ''}"
    return ""


def dotted_path(path: KeyPath) -> str:
    """Return `("decks", 0, "tile")` as `decks[0].tile`, with long names cut."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            cut = part[:_MAX_VALUE_CHARS]
            name = (cut if _BARE_KEY.fullmatch(part) else json.dumps(cut)) + ("…" if cut != part else "")
            text += f".{name}" if text else name
    return text


def short_text(value: object) -> str:
    """Return a value of the file as one short line without control characters."""
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
    return text if len(text) <= _MAX_VALUE_CHARS else text[:_MAX_VALUE_CHARS] + "…"
