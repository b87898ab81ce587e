"""The usual slips in a text that is not valid TOML: each is described in one sentence, and repaired in memory.

The repaired text is only read to find the remaining problems of the file; the file itself is not changed, and a configuration
with a slip is refused. The meaning of the settings is in `sections`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

ARRAYS = frozenset(("decks", "decks.keys", "decks.pages", "decks.pages.keys", "decks.dials", "alerts"))  # headers in [[…]]
_MAX_REPAIRS = 50
_LONGEST_LINE = 300  # characters; sentences repeat the value
_LINES_BACK = 5  # to a list that is not closed
_REPAIRED_CHARS = 400_000  # read again in all repairs together, so that a large broken file takes no seconds

# Patterns are compiled at their first use: a file without a slip needs one of them.
_POSITION = r"(?s)(.*) \(at (?:line (\d+), column \d+|end of document)\)"
_HEADER = r"(\s*)(\[+)\s*([A-Za-z0-9_.\" -]+?)\s*(\]*)(\s*(?:#.*)?)"
_PAIR = r"(\s*)([A-Za-z0-9_.\"'-]+)(\s*=\s*)(.*?)(\s*(?:\s#.*)?)"
_COLON = r"(\s*)([A-Za-z0-9_-]+)\s*:\s*(.*)"
_NO_EQUALS = r"(\s*)([A-Za-z0-9_-]+)\s+([^=\s].*)"
_FOREIGN_BLANK = r"[^\S \t\r]|[\u00ad\u200b-\u200f\u2060\ufeff]"  # looks like a space or like nothing: web pages have them
_WIDE = "[！-～]"  # wide forms of ASCII, U+FF01 to U+FF5E: input methods for Chinese, Japanese and Korean type them
_WIDE_OFFSET = 0xFEE0
_QUOTED = r"\"[^\"]*(?:\"|$)|'[^']*(?:'|$)"
_FOREIGN_COMMENT = r"(\s*)(//|;|--)"
_SECOND_SETTING = r"^[^\[{]*\S[\s,;]+[A-Za-z0-9_-]+\s*="
_CURLY_QUOTES = "[“”„‟«»‘’‚]"
_BOOLEANS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_NUMBER = r"[$€]?\s*(-?\d+(?:[.,]\d+)?)\s*(?:%|°|[$€]|[A-Za-z]{1,10})?"
_BROKEN_FURTHER_ON = ("Unclosed", "Expected \"'''\"", 'Expected \'"""\'', "Unterminated")  # the line is not where the slip is


class Slip(NamedTuple):
    """One slip. `line`: from 1, None: not known; `text`: what is wrong and how to write it."""

    line: int | None
    text: str


class Repair(NamedTuple):
    """A text that tomllib reads, or None; the slips in it; and whether a setting was left out, so that others miss it."""

    text: str | None
    slips: tuple[Slip, ...]
    left_out: bool


def repair(text: str) -> Repair:
    """Return the text with each slip repaired. Without a slip it is `text` itself. Lines keep their numbers."""
    lines = text.split("\n")
    slips = [] if '"""' in text or "'''" in text else _repair_brackets(lines)
    left_out = False
    for _ in range(max(1, min(_MAX_REPAIRS, _REPAIRED_CHARS // (len(text) + 1)))):
        error = _toml_error("\n".join(lines))
        if error is None:
            return Repair("\n".join(lines) if slips else text, tuple(slips), left_out)
        match = re.fullmatch(_POSITION, error)
        if match is None:
            return Repair(None, (*slips, Slip(None, "broken TOML: a value cannot be read")), left_out)
        number = _line_of_slip(lines, int(match[2]) if match[2] else len(lines), match[1])
        words = _lower_first(match[1])
        if words.startswith("cannot declare"):
            return Repair(None, (*slips, Slip(number, f"{lines[number - 1].strip()} is in the file twice; keep one")), left_out)
        slip, repaired = _repair_line(lines[number - 1], match[1])
        if slip is None or repaired == lines[number - 1]:
            return Repair(None, (*slips, Slip(number, f"broken TOML: {words}")), left_out)
        slips.append(Slip(number, slip))
        left_out |= repaired is None
        lines[number - 1] = repaired or ""
    return Repair(None, tuple(slips), left_out)


def _toml_error(text: str) -> str | None:
    try:
        tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        return "Nested too deeply"
    except (ValueError, ArithmeticError) as error:  # TOMLDecodeError, or an exponent beyond Decimal's
        return str(error)
    return None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


# --- headers -------------------------------------------------------------------------------------------------------------


def _repair_brackets(lines: list[str]) -> list[Slip]:
    """Give each header the brackets that its name has in a configuration: two for a list of tables."""
    slips = []
    for index, line in enumerate(lines):
        match = re.fullmatch(_HEADER, line) if len(line) <= _LONGEST_LINE else None
        if match is None:
            continue
        blank, opened, name, closed, rest = match.groups()
        wanted = 2 if name in ARRAYS else 1
        if (len(opened), len(closed)) != (wanted, wanted) and _is_section(name):
            header = f"{'[' * wanted}{name}{']' * wanted}"
            slips.append(Slip(index + 1, f"found {line.strip()}, write {header}"))
            lines[index] = f"{blank}{header}{rest}"
    return slips


def _is_section(name: str) -> bool:
    return name in ARRAYS or name.split(".")[0] in ("accounts", "dim", "publish", "metrics") or name == "decks.strip"


# --- one line ------------------------------------------------------------------------------------------------------------


def _repair_line(line: str, error: str) -> tuple[str | None, str | None]:
    """Return the sentence about the line, None if it is no usual slip; and the line repaired, None if it is left out."""
    is_further_on = error.startswith(_BROKEN_FURTHER_ON) and not _unclosed_text(line) and not _is_unclosed_list(line)
    if len(line) > _LONGEST_LINE or is_further_on:
        return None, None
    if error.startswith("Cannot overwrite") and (match := re.fullmatch(_PAIR, line)):
        return f"{match[2]} is set twice in this table; keep one of the two lines", None
    if match := re.search(_FOREIGN_BLANK, line):
        found = f"found the character U+{ord(match[0]):04X}, which looks like a space or nothing"
        return f"{found}: write spaces only", re.sub(_FOREIGN_BLANK, " ", line)
    if match := re.search(_WIDE, re.sub(_QUOTED, "", line)):
        repaired = re.sub(_WIDE, lambda wide: chr(ord(wide[0]) - _WIDE_OFFSET), line)
        return f"found {match[0]}, write {chr(ord(match[0]) - _WIDE_OFFSET)}", repaired
    if match := re.match(_FOREIGN_COMMENT, line):
        return f"a comment begins with #, not with {match[2]}", f"#{line}"
    if (match := re.fullmatch(_PAIR, line)) and not error.startswith("Cannot"):
        return _repair_value(match)
    if match := re.fullmatch(_COLON, line):
        return f"write = and not : after {match[2]}", f"{match[1]}{match[2]} = {match[3]}"
    if (match := re.fullmatch(_NO_EQUALS, line)) and not line.lstrip().startswith("["):
        return f"= is missing after {match[2]}", f"{match[1]}{match[2]} = {match[3]}"
    return None, None


def _line_of_slip(lines: list[str], number: int, error: str) -> int:
    """Return the line that opens a text or a list without closing it; `number`, where that was noticed, without one."""
    if error.startswith('Expected "\'"'):  # noticed at the end of the file
        return next((at for at, line in enumerate(lines[:number], 1) if _unclosed_text(line)), number)
    if error.startswith("Unclosed array"):  # noticed in the next setting
        return next((at for at in range(number, max(0, number - _LINES_BACK), -1) if _is_unclosed_list(lines[at - 1])), number)
    return number


def _is_unclosed_list(line: str) -> bool:
    match = re.fullmatch(_PAIR, line) if len(line) <= _LONGEST_LINE else None
    return match is not None and match[4] != "[" and _unclosed_list(match[4]) is not None


def _unclosed_text(line: str) -> bool:
    match = re.fullmatch(_PAIR, line) if len(line) <= _LONGEST_LINE else None
    return match is not None and match[4][:1] in ("'", '"') and match[4].count(match[4][0]) == 1


def _repair_value(match: re.Match[str]) -> tuple[str | None, str | None]:
    blank, key, equals, value, rest = match.groups()
    if not value or value.startswith("#"):
        return f"a value is missing after {key} =", None
    if re.search(_SECOND_SETTING, value):
        return "only one setting on each line", None
    for recognise in _VALUE_SLIPS:
        found = recognise(value)
        if found is not None:
            sentence, repaired = found
            return f"{sentence}: {key} = {repaired}", f"{blank}{key}{equals}{repaired}{rest}"
    return None, None


_Found = tuple[str, str] | None  # the sentence, and the value as TOML


def _curly_quotes(value: str) -> _Found:
    if not re.search(_CURLY_QUOTES, value):
        return None
    return "write straight quotes", re.sub(_CURLY_QUOTES, '"', value)


def _trailing_comma(value: str) -> _Found:
    kept = value.rstrip(",; ")
    return ("no comma at the end of a line", kept) if kept and kept != value and _is_value(kept) else None


def _unclosed_quote(value: str) -> _Found:
    if value[0] not in "'\"" or value.count(value[0]) != 1:
        return None
    return "the text has no closing quote", json.dumps(value[1:].strip(), ensure_ascii=False)


def _unopened_quote(value: str) -> _Found:
    if len(value) < 2 or value[-1] not in "'\"" or value.count(value[-1]) != 1 or value[0] in "[{":
        return None
    return "the text has no opening quote", json.dumps(value[:-1].strip(), ensure_ascii=False)


def _unclosed_list(value: str) -> _Found:
    is_open = value[:1] == "[" and not value.endswith(",") and not _is_value(value)
    return ("the list has no closing ]", f"{value}]") if is_open and _is_value(f"{value}]") else None


def _backslash(value: str) -> _Found:
    if not (value[0] == value[-1] == '"' and len(value) > 1 and "\\" in value and "'" not in value):
        return None
    return "a text with a backslash needs single quotes", f"'{value[1:-1]}'"


def _boolean(value: str) -> _Found:
    word = _BOOLEANS.get(value.lower())
    return (f"found {value}, write {word}", word) if word is not None else None


def _number(value: str) -> _Found:
    match = re.fullmatch(_NUMBER, value)
    if match is None:
        return None
    digits = match[1].replace(",", ".")
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, dot, part = digits.partition(".")
    return f"found {value}, write the number alone", f"{sign}{whole.lstrip('0') or '0'}{dot}{part}"


def _list_without_quotes(value: str) -> _Found:
    if not re.fullmatch(r"\[[^\[\]{}]*\]", value):
        return None
    items = [item.strip().strip("'\"") for item in value[1:-1].split(",")]
    return "texts need quotes", f"[{', '.join(json.dumps(item, ensure_ascii=False) for item in items if item)}]"


def _without_quotes(value: str) -> _Found:
    if value[0] in "[{" or any(quote in value for quote in "'\"") or "=" in value or not value.isprintable():
        return None
    return "a text needs quotes", json.dumps(value, ensure_ascii=False)


_VALUE_SLIPS: tuple[Callable[[str], _Found], ...] = (
    _curly_quotes,
    _trailing_comma,
    _unclosed_quote,
    _unopened_quote,
    _unclosed_list,
    _backslash,
    _boolean,
    _number,
    _list_without_quotes,
    _without_quotes,
)


def _is_value(text: str) -> bool:
    return _toml_error(f"value = {text}") is None
