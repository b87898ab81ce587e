"""Tables on a terminal: headings, columns as wide as their longest cell, and colours. In a pipe there are none of them.

`rich` would bring markup, wrapping and 40 ms of import for what is a few lines here: names and amounts are never wrapped.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TextIO

from openbalance_hid.cli.terminal import in_colour

BOLD = "\x1b[1m"
GAP = "  "
TableCell = str | tuple[str, str]  # a text, or a text and its colour
_WIDE = frozenset("WF")  # East Asian Width (Unicode TR 11): such a character takes two cells


def shows_tables(stream: TextIO | None) -> bool:
    """Return whether this stream is a terminal, so that a reader and no program reads it."""
    return stream is not None and stream.isatty()


def table_lines(
    headings: Sequence[str], rows: Sequence[Sequence[TableCell]], stream: TextIO | None, env: Mapping[str, str]
) -> list[str]:
    """Return the headings and the rows, in columns. A heading without any cell below it is left out, with its column."""
    kept = [number for number in range(len(headings)) if any(_text(row[number]) for row in rows)]
    widths = [max(_width(each) for each in (headings[number], *(_text(row[number]) for row in rows))) for number in kept]
    lines = [in_colour(_line([headings[number] for number in kept], widths), BOLD, stream, env)]
    for row in rows:
        padded = _line([_text(row[number]) for number in kept], widths, [row[number] for number in kept], stream, env)
        lines.append(padded)
    return lines


def print_table(headings: Sequence[str], rows: Sequence[Sequence[TableCell]]) -> None:
    """Print the table on standard output."""
    import click

    for line in table_lines(headings, rows, sys.stdout, os.environ):
        click.echo(line, color=True)


def _line(
    texts: Sequence[str],
    widths: Sequence[int],
    cells: Sequence[TableCell] = (),
    stream: TextIO | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    parts = []
    for number, (text, width) in enumerate(zip(texts, widths, strict=True)):
        padding = " " * (width - _width(text)) if number < len(texts) - 1 else ""
        cell = cells[number] if cells else text
        parts.append((in_colour(text, cell[1], stream, env or {}) if isinstance(cell, tuple) else text) + padding)
    return GAP.join(parts).rstrip()


def _text(cell: TableCell) -> str:
    return cell[0] if isinstance(cell, tuple) else cell


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in _WIDE else 1 for char in text if not unicodedata.combining(char))
