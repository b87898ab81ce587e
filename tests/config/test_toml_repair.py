"""The usual slips in a configuration: a sentence with the line for each, all at once, and no follow-up problems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.config.load import parse
from openbalance_hid.config.toml_repair import ARRAYS, repair
from openbalance_hid.errors import ConfigError

KEY = "[[decks]]\n[[decks.keys]]\nkey = 0\n"
BALANCE = KEY + 'tile = "balance"\n'


def problems(text: str) -> list[str]:
    """Return the problems of `text`, each without the name of the file."""
    with pytest.raises(ConfigError) as refusal:
        parse(text, "c.toml")
    return [line.removeprefix("c.toml:") for line in refusal.value.message.splitlines()]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (KEY + "tile = balance", '4: a text needs quotes: tile = "balance"'),
        (KEY + "tile = top-models  # mine", '4: a text needs quotes: tile = "top-models"'),
        ("[dim]\nnight = 23:00-07:00", '2: a text needs quotes: night = "23:00-07:00"'),
        (KEY + "tile = “balance”", '4: write straight quotes: tile = "balance"'),
        (KEY + "tile = ‘balance’", '4: write straight quotes: tile = "balance"'),
        (KEY + 'tile = "balance', '4: the text has no closing quote: tile = "balance"'),
        (KEY + "tile = 'balance", '4: the text has no closing quote: tile = "balance"'),
        ("theme = 'dark\nnotify = true\n", '1: the text has no closing quote: theme = "dark"'),
        ('theme = dark"', '1: the text has no opening quote: theme = "dark"'),
        ("theme = dark'\nnotify = true\n", '1: the text has no opening quote: theme = "dark"'),
        ("[[decks]]\n[decks.strip]\ntiles = ['runway'\n", "3: the list has no closing ]: tiles = ['runway']"),
        ('[[alerts]]\nrun = ["/bin/a"\non = ["spike"]\n', '2: the list has no closing ]: run = ["/bin/a"]'),
        (BALANCE + 'label = "a\\me"', "5: a text with a backslash needs single quotes: label = 'a\\me'"),
        ('theme = "dark",', '1: no comma at the end of a line: theme = "dark"'),
        ("notify = True", "1: found True, write true: notify = true"),
        ("notify = off", "1: found off, write false: notify = false"),
        ("refresh_minutes = 5 min", "1: found 5 min, write the number alone: refresh_minutes = 5"),
        ("refresh_minutes = 05", "1: found 05, write the number alone: refresh_minutes = 5"),
        ("[[decks]]\nbrightness = 70%", "2: found 70%, write the number alone: brightness = 70"),
        (BALANCE + "low_usd = $5", "5: found $5, write the number alone: low_usd = 5"),
        ("hold_seconds = 1,5", "1: found 1,5, write the number alone: hold_seconds = 1.5"),
        ("theme =", "1: a value is missing after theme ="),
        ('theme "dark"', "1: = is missing after theme"),
        ('theme: "dark"', "1: write = and not : after theme"),
        ("theme\u00a0=\u00a0'dark'", "1: found the character U+00A0, which looks like a space or nothing: write spaces only"),
        (
            "notify = true\n\ufefftheme = 'dark'",
            "2: found the character U+FEFF, which looks like a space or nothing: write spaces only",
        ),
        ("notify = true\r\ntheme = dark\r\n", '2: a text needs quotes: theme = "dark"'),
        ("theme\u2028= 'dark'", "1: found the character U+2028, which looks like a space or nothing: write spaces only"),
        ("theme ＝ 'dark'", "1: found ＝, write ="),
        ("theme = ＂dark＂", '1: found ＂, write "'),
        ("refresh_minutes = １５", "1: found １, write 1"),
        ("［dim］", "1: found ［, write ["),
        (BALANCE + 'label = "残高！', '5: the text has no closing quote: label = "残高！"'),
        ("// a comment", "1: a comment begins with #, not with //"),
        ("theme = 'dark' notify = true", "1: only one setting on each line"),
        ("[dim]\nto_percent = 1\nto_percent = 2", "3: to_percent is set twice in this table; keep one of the two lines"),
        ("[dim]\n[dim]", "2: [dim] is in the file twice; keep one"),
        ("[dim", "1: found [dim, write [dim]"),
        ("[[dim]]", "1: found [[dim]], write [dim]"),
        ("[[decks]", "1: found [[decks], write [[decks]]"),
        ("[decks]\nbrightness = 3", "1: found [decks], write [[decks]]"),
        ("[[accounts.work]]", "1: found [[accounts.work]], write [accounts.work]"),
        ('[[decks.keys]]\nkey = 0\ntile = "blank"', "1: decks: put a line [[decks]] above this one"),
        ("[decks.strip]\ntiles = []", "1: decks: put a line [[decks]] above this one"),
        ("[[decks]]\n[decks.strip]\ntiles = [runway, 'today']", '3: texts need quotes: tiles = ["runway", "today"]'),
        ('[dim]\non_exit = "logo"', "2: dim.on_exit: not a setting of this table; put it above [dim]"),
        ("[[decks]]\nhold_seconds = 1", "2: decks[0].hold_seconds: not a setting of this table; put it above [[decks]]"),
        ("brightness = 70", "1: brightness: not a setting of this table; put it below [[decks]]"),
        ("to_percent = 7", "1: to_percent: not a setting of this table; put it below [dim]"),
        ('[[decks]]\ntile = "today"', "2: decks[0].tile: not a setting of this table; put it below [[decks.keys]]"),
        (BALANCE + "bars = 3", "5: decks[0].keys[0].bars: not a setting of this table; an option of the tile monthly-spend"),
        ('notify = "true"', "1: notify: found 'true', accepted: true or false; write true without quotes"),
        (
            '[[decks]]\nbrightness = "70%"',
            "2: decks[0].brightness: found '70%', accepted: a whole number from 0 to 100; write 70 without quotes",
        ),
        ("[[decks]]\nserial = 12", '2: decks[0].serial: found 12, accepted: a text of 1 to 64 characters; write "12"'),
    ],
)
def test_each_slip_is_one_sentence_with_its_line(text: str, problem: str):
    assert problems(text)[0] == problem


@pytest.mark.parametrize("name", sorted(ARRAYS))
def test_every_list_of_tables_needs_two_brackets(name: str):
    assert f"1: found [{name}], write [[{name}]]" in problems(f"[{name}]\nx = 1")


def test_slips_and_wrong_values_are_reported_at_once():
    found = problems("refresh_minutes = 0\n[[decks]]\nbrightness = 70%\n[decks.keys]\nkey = 0\ntile = balanse\nshow: used\n")
    assert [line.split(":")[0] for line in found] == ["1", "3", "4", "6", "6", "7", "7"]
    assert "did you mean 'balance'?" in "".join(found)


def test_a_setting_on_a_line_that_was_left_out_is_not_reported_as_missing():
    assert problems("[[decks]]\n[[decks.keys]]\nkey = 0\ntile =") == ["4: a value is missing after tile ="]


def test_an_api_key_in_a_slip_is_not_repeated():
    assert "0123" not in "".join(problems('theme = "sk-or-v1-0123456789abcdef'))


def test_valid_text_is_not_changed():
    text = '[[decks]]\n# [decks]\n[[decks.keys]]\nkey = 0\ntile = "balance" # ]\n'
    assert repair(text) == (text, (), False)


LINES = st.sampled_from(
    [
        "[decks]",
        "[[dim]]",
        "[[decks.keys]]",
        "tile = balance",
        "a: b",
        "a b",
        "a = [1",
        'a = "x',
        "a = $5",
        "a =",
        "// x",
        "'''",
    ]
)


@given(st.lists(LINES | st.text(max_size=12), max_size=8))
def test_any_lines_end_in_problems_with_lines_or_in_a_configuration(lines: list[str]):
    try:
        parse("\n".join(lines), "c.toml")
    except ConfigError as refusal:
        assert all(line.startswith("c.toml:") for line in refusal.message.splitlines())
