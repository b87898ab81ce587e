"""`status`: the lines about accounts and decks, and the commands that fix them."""

import pytest

from openbalance_hid.cli.control import status_lines
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.tiles.formatting import duration
from tests.build import NOON
from tests.cli.test_devices import PROBLEMS
from tests.torture.app_harness import AppHarness
from tests.torture.faulty_deck import FaultyDeck, made


@pytest.fixture
def deck() -> FaultyDeck:
    return made("A1")


@pytest.mark.parametrize(
    ("health", "command"),
    [
        ("no_key", "openbalance-hid setup --account work"),
        ("key_rejected", "openbalance-hid setup --account work"),
        ("offline", "openbalance-hid doctor"),
        ("rate_limited", None),
        ("ok", None),
    ],
)
def test_status_prints_the_command_that_fixes_an_account(health: str, command: str | None):
    account = {"health": health, "message": None, "balance_usd": None, "spend_usd": {"today": None}}
    account |= {"measured_at": None, "next_poll_at": None, "lower_bounds": [], "approximate": []}
    reply = {"version": "1", "pid": 1, "uptime_s": 1.0, "config": {"error": None}, "accounts": {"work": account}, "decks": []}
    assert [line.strip() for line in status_lines(reply) if "try:" in line] == ([f"try: {command}"] if command else [])


@pytest.mark.parametrize(
    ("marks", "shown"),
    [
        ({}, "today $2.85 (UTC)"),
        ({"lower_bounds": ["today"]}, "today ≥ $2.85 (UTC)"),
        ({"approximate": ["today"]}, "today ~$2.85 (UTC)"),
    ],
)
def test_status_marks_a_spend_that_is_not_exact_as_the_keys_do(marks: dict[str, list[str]], shown: str):
    account = {
        "health": "ok",
        "message": None,
        "balance_usd": "9",
        "spend_usd": {"today": "2.854"},
        "lower_bounds": [],
        "approximate": [],
    }
    account |= {"measured_at": None, "next_poll_at": None, **marks}
    reply = {"version": "1", "pid": 1, "uptime_s": 1.0, "config": {"error": None}, "accounts": {"work": account}, "decks": []}
    assert any(line.endswith(shown) for line in status_lines(reply))


@pytest.mark.parametrize(("problem", "why", "hint"), PROBLEMS)
def test_a_deck_that_cannot_be_opened_is_in_the_status_and_once_in_the_log(
    deck: FaultyDeck, caplog, problem, why: str, hint: str
):
    problem(deck)
    whole = AppHarness(deck)
    whole.wait(60.0)
    reply = status(whole.controller, whole.decks.counts(), ProcessInfo(1, 1.0, "config.toml", NOON, None), whole.now)
    assert [(each["trouble"], each["hint"], each["connected"]) for each in reply["decks"]] == [(why, hint, False)]
    assert status_lines(reply)[-2:] == [f"A1  mk2: {why}", f"  try: {hint}"]
    assert [record.message for record in caplog.records] == [f"{why} – try: {hint}"]
    problem(deck, False)
    whole.wait(2.0)
    assert whole.is_right(deck), "opened again once it is free"
    assert [each.trouble for each in whole.decks.counts()] == [None]
    whole.end()


def test_times_are_said_as_people_say_them():
    assert [duration(seconds) for seconds in (0, 59, 60, 150, 7199, 7200, 172799, 172800)] == [
        "0 s", "59 s", "1 min", "2 min", "119 min", "2 h", "47 h", "2 days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("today", "month", "line"),
    [
        ("0", "0", None),
        ("0.184", "5.52", "own key (BYOK) ≥ $0.18 today, ≥ $5.52 in 30 days (UTC), in no other amount"),
        (None, "5.52", "own key (BYOK) — today, ≥ $5.52 in 30 days (UTC), in no other amount"),
        (None, None, "own key (BYOK) — today, — in 30 days (UTC), in no other amount"),
    ],
)
def test_status_has_own_key_cost_apart_unless_there_is_none(today: str | None, month: str | None, line: str | None):
    account = {"health": "ok", "message": None, "balance_usd": "9", "spend_usd": {"today": "2"}, "lower_bounds": []}
    account |= {"measured_at": None, "next_poll_at": None, "approximate": []}
    account |= {"byok_usd": {"today": today, "30d": month}, "byok_lower_bounds": ["today", "30d"]}
    reply = {"version": "1", "pid": 1, "uptime_s": 1.0, "config": {"error": None}, "accounts": {"work": account}, "decks": []}
    assert [each.strip() for each in status_lines(reply) if "own key" in each] == ([line] if line else [])
