"""Text from outside, made safe to print, and the nearest name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.text import did_you_mean, escape_unprintable, escaped_json, nearest_name, single_line


def test_escaped_text_moves_no_cursor_and_keeps_letters_of_any_script() -> None:
    assert escape_unprintable("A\x1b[2J\u202e\x9bB") == "A\\x1b[2J\\u202e\\x9bB"
    assert escape_unprintable("é ▼ 鍵\nb") == "é ▼ 鍵\nb"
    assert escape_unprintable("é ▼ 鍵\nb", keep_lines=False) == "é ▼ 鍵\\nb"


@given(st.text())
def test_escaped_text_is_printable_line_by_line(text: str) -> None:
    assert all(line.isprintable() for line in escape_unprintable(text).split("\n"))
    assert escape_unprintable(text, keep_lines=False).isprintable()


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaped_json_is_printable_and_parses_to_the_same_value(value: object) -> None:
    text = escaped_json(value)
    assert text.isprintable()
    assert json.loads(text) == value


def test_escaped_json_takes_a_lone_surrogate() -> None:
    assert json.loads(escaped_json("\ud800")) == "\ud800"


@given(st.text())
def test_a_single_line_is_printable_and_folds_white_space(text: str) -> None:
    line = single_line(text)
    assert line.isprintable()
    assert line == " ".join(line.split())


@pytest.mark.parametrize(
    ("found", "name"),
    [("balence", "balance"), ("BALANCE", "balance"), ("main", "Main"), ("", None), ("zzz", None), ("balance" * 10_000, None)],
)
def test_the_nearest_name_ignores_case_and_is_none_without_a_similar_one(found: str, name: str | None) -> None:
    assert nearest_name(found, ("balance", "usage", "Main")) == name


def test_a_suggestion_is_the_end_of_a_message_or_empty() -> None:
    assert did_you_mean("balence", ["balance"]) == "; did you mean 'balance'?"
    assert did_you_mean("zzz", ["balance"]) == ""
    assert did_you_mean("balance", []) == ""
