"""The line of each key in a TOML text. Only for messages: the values come from tomllib, which keeps no positions.

The text is valid TOML, so this reads just enough of the grammar (https://toml.io/en/v1.0.0) to step over values.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import suppress

KeyPath = tuple[str | int, ...]  # names of keys, indexes of lists

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?""""{0,2}'  # up to two quotes may precede the closing three
    r"|'''.*?''''{0,2}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_FIRST_HEADER = re.compile(r"(?m)^[ \t]*(\[{1,2}[^\[\]\n]+\]{1,2})")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")


def line_numbers(text: str) -> Mapping[KeyPath, int]:
    """Return key path -> line, from 1, that first names it. `text` is valid TOML with "\\n" line ends."""
    scanner = _Scanner(text)
    # Nested as deeply as tomllib can parse, or not TOML: line numbers are optional, so the lines found so far are returned.
    with suppress(RecursionError, tomllib.TOMLDecodeError):
        scanner.document()
    return scanner.lines


def first_header(text: str) -> str | None:
    """Return the first table header of the text, as `[dim]`; None without one."""
    match = _FIRST_HEADER.search(text)
    return match[1] if match else None


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._breaks = [index for index, letter in enumerate(text) if letter == "\n"]
        self._tables: dict[KeyPath, int] = {}  # array of tables -> its length so far

    def document(self) -> None:
        table: KeyPath = ()
        self._step(_BLANK)
        while self.at < len(self.text):
            table = self._entry(table)
            self._step(_BLANK)

    def _entry(self, table: KeyPath) -> KeyPath:
        """Read one header or one `key = value`; return the table that the next entry belongs to."""
        start = self.at
        if self._skip("[["):
            table = self._next_of(self._key())
            self._note(table[:-1], start)
            self._skip("]]")
        elif self._skip("["):
            table = self._resolve(self._key())
            self._skip("]")
        else:
            self._pair(table)
        if self.at == start:  # not TOML: skip a letter, so that the loop ends
            self.at += 1
        self._note(table, start)
        return table

    def _pair(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        self._skip("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._step(_SPACE)
        if self._skip("["):
            self._items(path)
        elif self._skip("{"):
            self._step(_BLANK)
            while self.at < len(self.text) and not self._skip("}"):
                before = self.at
                self._pair(path)
                self._comma(before)
        elif not self._step(_STRING):
            self._step(_BARE_VALUE)

    def _items(self, path: KeyPath) -> None:
        index = 0
        self._step(_BLANK)
        while self.at < len(self.text) and not self._skip("]"):
            before = self.at
            self._note((*path, index), before)
            self._value((*path, index))
            self._comma(before)
            index += 1

    def _comma(self, before: int) -> None:
        self._step(_BLANK)
        self._skip(",")
        self._step(_BLANK)
        if self.at == before:
            self.at += 1

    def _key(self) -> list[str]:
        parts = []
        more = True
        while more:
            self._step(_SPACE)
            quoted = self._step(_STRING)
            parts.append(tomllib.loads(f"key = {quoted}")["key"] if quoted else self._step(_BARE_KEY))
            self._step(_SPACE)
            more = self._skip(".")
        return parts

    def _resolve(self, parts: list[str]) -> KeyPath:
        """Return the path of a header; an array of tables on it means its last table so far."""
        path: KeyPath = ()
        for part in parts:
            path = (*path, part)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _next_of(self, parts: list[str]) -> KeyPath:
        path = (*self._resolve(parts[:-1]), parts[-1])
        self._tables[path] = self._tables.get(path, 0) + 1
        return (*path, self._tables[path] - 1)

    def _note(self, path: KeyPath, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._breaks, at - 1) + 1)

    def _step(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def _skip(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found
