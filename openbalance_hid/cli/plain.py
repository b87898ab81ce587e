"""Words that a terminal may be shown: names and messages come from servers, devices and files."""

from __future__ import annotations

import json


def plain(text: str) -> str:
    """`text` without letters that move a cursor, turn the direction of writing or are not seen; lines stay lines."""
    return "".join(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text)


def plain_json(value: object, indent: int | None = None) -> str:
    """JSON that says the same, in which such letters are written as escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)
