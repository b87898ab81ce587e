"""CSV and JSON of `export`, and the text of a value in every format. Pure: a table and its rows in, text out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from openbalance_hid.account.spike import Level
from openbalance_hid.cli.export_tables import ExportRow
from openbalance_hid.text import escaped_json

Item = TypeVar("Item")

# The characters that start a formula in a spreadsheet (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ROWS_A_PIECE = 1000
KEPT_TEXTS = 4096  # texts of values: more than the models of one day
# A spreadsheet that separates by ; | or tab, as some locales do, splits a name there, also inside our quotes.
_FORMULA_IN_A_CELL = re.compile(r'(?:^|(?<=[;|\t\r\n]))(?=[\s"]*[=+\-@＝＋－＠])')


def as_csv(columns: Sequence[str], rows: Iterable[ExportRow]) -> Iterator[str]:
    """Yield a header and one line a row (RFC 4180), in pieces, so that a long history needs no memory.

    An apostrophe precedes a name that would be a formula in a spreadsheet.
    """
    cell = lru_cache(KEPT_TEXTS, typed=True)(_cell)  # names, days and counts come again and again
    for number, piece in enumerate(batched(rows)):
        with io.StringIO(newline="") as out:
            writer = csv.writer(out, lineterminator="\r\n")
            if number == 0:
                writer.writerow(columns)
            writer.writerows([cell(row[column]) for column in columns] for row in piece)
            yield out.getvalue()


def as_json(what: str, columns: Sequence[str], rows: Iterable[ExportRow]) -> Iterator[str]:
    """Yield an object with one list, in pieces. Amounts are decimal strings, as in `status --json`."""
    text = lru_cache(KEPT_TEXTS, typed=True)(lambda value: escaped_json(_json(value)))
    names = [(column, f"   {escaped_json(column)}: ") for column in columns]
    before = f"{{\n {escaped_json(what)}: ["
    for piece in batched(rows):
        objects = (",\n".join([name + text(row[column]) for column, name in names]) for row in piece)
        joined = "\n  },\n  {\n".join(objects)
        yield f"{before}\n  {{\n{joined}\n  }}" if piece else before
        before = "," if piece else ""
    yield "\n ]\n}\n" if before == "," else "]\n}\n"


def batched(rows: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield lists of rows; one empty list without any."""
    waiting = iter(rows)
    first = piece = list(islice(waiting, ROWS_A_PIECE))
    while piece or piece is first:
        yield piece
        piece = list(islice(waiting, ROWS_A_PIECE))


def _cell(value: object) -> str:
    text = text_of(value)
    if not isinstance(value, str):
        return text
    text = _FORMULA_IN_A_CELL.sub("'", text)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json(value: object) -> object:
    if value is None or isinstance(value, bool | str) or (isinstance(value, int) and not isinstance(value, Level)):
        return value
    return text_of(value)


def text_of(value: object) -> str:
    """Return an amount as a plain decimal, an instant in ISO 8601 UTC, a level as its name; empty for None."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Level():
            return value.name.lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return str(value)
