"""Tables on a terminal: headings, columns as wide as their longest cell, and colours. In a pipe there are none of them.

`rich` would bring markup, wrapping and 40 ms of import for what is a few lines here: names and amounts are never wrapped.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TextIO

import click

from openbalance_hid.cli.terminal import in_colour

BOLD = "\x1b[1m"
GAP = "  "
TableCell = str | tuple[str, str]  # a text, or a text and its colour
_WIDE = frozenset("WF")  # East Asian Width (Unicode TR 11): such a character takes two cells


def table_lines(
    headings: Sequence[str], rows: Sequence[Sequence[TableCell]], stream: TextIO | None, env: Mapping[str, str]
) -> list[str]:
    """Return the headings and the rows, in columns. A heading without any cell below it is left out, with its column."""
    kept = [number for number in range(len(headings)) if any(_text(row[number]) for row in rows)]
    shown = [[row[number] for number in kept] for row in (headings, *rows)]
    widths = [max(_width(_text(cell)) for cell in column) for column in zip(*shown, strict=True)]
    first, *others = (_line(cells, widths, stream, env) for cells in shown)
    return [in_colour(first, BOLD, stream, env), *others]


def print_table(headings: Sequence[str], rows: Sequence[Sequence[TableCell]]) -> None:
    """Print the table on standard output."""
    for line in table_lines(headings, rows, sys.stdout, os.environ):
        click.echo(line, color=True)


def _line(cells: Sequence[TableCell], widths: Sequence[int], stream: TextIO | None, env: Mapping[str, str]) -> str:
    parts = []
    for cell, width in zip(cells, widths, strict=True):
        text = _text(cell)
        shown = in_colour(text, cell[1], stream, env) if isinstance(cell, tuple) else text
        parts.append(shown + " " * (width - _width(text)))
    return GAP.join(parts).rstrip()


def _text(cell: TableCell) -> str:
    return cell[0] if isinstance(cell, tuple) else cell


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in _WIDE else 1 for char in text if not unicodedata.combining(char))
