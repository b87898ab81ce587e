"""The tile of API keys: amounts of a period, limits, one key alone."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Hero, Row, Tone
from tests.build import api_key, snapshot
from tests.tiles.views import FULL, gauge, lines, notice, rows, view_of


def test_keys_come_two_at_a_time_with_the_used_share_of_their_limit():
    first, second = (view_of("api-keys", FULL, turn=turn) for turn in (0, 1))
    assert rows(first) == [("laptop", "$0.62"), ("ci", "$0.27")]
    assert rows(second) == [("notebook", "$0.11"), ("old", "$0.00")]
    assert (first.title, first.page) == ("Keys today", (0, 2))
    keys = [block for view in (first, second) for block in view.blocks if isinstance(block, Row)]
    assert [(key.share, key.tone, key.note) for key in keys] == [
        (1.0, Tone.ACCENT, ""),
        (0.8, Tone.WARN, "80 %"),
        (1.0, Tone.ALARM, "100 %"),
        (0.0, Tone.ACCENT, ""),
    ]
    assert {key.column for key in keys} == {("$0.62", "$0.27", "$0.11", "$0.00")}
    assert "ci $0.27, 80 % of its limit of $50.00" in first.text


@pytest.mark.parametrize(
    ("period", "amount", "title"),
    [("today", "$0.62", "Keys today"), ("week", "$2.48", "Keys this week"), ("month", "$9.92", "Keys this month")],
)
def test_the_title_names_the_period_and_the_text_that_it_is_utc(period, amount, title):
    view = view_of("api-keys", FULL, period=period)
    assert (rows(view)[0], view.title) == (("laptop", amount), title)
    assert view.text.startswith(f"{title} (UTC): laptop {amount}")


def test_one_key_is_a_number_with_its_limit_as_a_gauge():
    view = view_of("api-keys", FULL, key_name="ci", period="month")
    number = next(block for block in view.blocks if isinstance(block, Hero))
    assert (number.text, view.title, lines(view)) == ("$4.32", "ci this month", ["80 % of limit"])
    assert (gauge(view).share, gauge(view).tone) == (0.8, Tone.WARN)
    assert view_of("api-keys", FULL, key_name="laptop").title == "laptop today"
    assert notice(view_of("api-keys", FULL, key_name="none of them")).words == "No such key"


@pytest.mark.parametrize("tile", ["api-keys", "key-switch", "spike-alert"])
def test_a_key_is_not_said_to_be_missing_while_a_workspace_was_not_read(tile):
    seen = replace(FULL, keys=replace(FULL.keys, message="without the workspace team: HTTP 403"))
    assert [notice(view_of(tile, each, key_name="gone")).words for each in (FULL, seen)] == ["No such key", "Key not read"]


@pytest.mark.parametrize(
    ("period", "still", "over"),
    [
        ("today", datetime(2026, 11, 22, 23, 59, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        ("week", datetime(2026, 11, 22, 23, 59, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),  # a Sunday
        ("month", datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_an_amount_of_a_period_that_is_over_is_unknown(period, still, over):
    assert rows(view_of("api-keys", FULL, still, period=period))[0][1] != "—"
    assert rows(view_of("api-keys", FULL, over, period=period))[0][1] == "—"


@pytest.mark.parametrize(
    ("limit", "left", "words", "tone"),
    [
        (10, "0.001", ">99 %", Tone.WARN),
        (10, 0, "100 %", Tone.ALARM),
        (10, -2, "120 %", Tone.ALARM),
        (10, 10, "0 %", Tone.GOOD),
        (0, 0, "limit $0", Tone.ALARM),
        (10, None, None, Tone.ACCENT),
    ],
)
def test_a_limit_is_used_up_when_nothing_is_left_of_it_and_not_before(limit, left, words, tone):
    view = view_of("api-keys", snapshot(keys=(api_key("ci", 1, limit, left),)))
    (row,) = [block for block in view.blocks if isinstance(block, Row)]
    assert (row.name, row.note, row.tone) == ("ci", words or "", tone)


def test_a_disabled_key_is_left_out_unless_it_spent():
    keys = (api_key("on", 0), api_key("off", 0, disabled=True), api_key("late", 1, disabled=True))
    assert [name for name, _ in rows(view_of("api-keys", snapshot(keys=keys)))] == ["late", "on"]
    assert notice(view_of("api-keys", snapshot(keys=()))).words == "No keys yet"


def test_keys_that_were_not_requested_yet_are_prepared():
    assert notice(view_of("api-keys", snapshot(activity_health=Health.SERVER_ERROR))).words == "Preparing…"


def test_a_second_key_of_the_same_name_does_not_hide_the_first():
    keys = (api_key("prod 1a2b3c", 3, given_name="prod"), api_key("prod 4d5e6f", 2, given_name="prod"), api_key("dev", 1))
    view = view_of("api-keys", snapshot(keys=keys), key_name="prod")
    assert rows(view) == [("prod 1a2b3c", "$3.00"), ("prod 4d5e6f", "$2.00")]
    one = view_of("api-keys", snapshot(keys=keys), key_name="prod 4d5e6f")
    assert next(block.text for block in one.blocks if isinstance(block, Hero)) == "$2.00"


def test_the_keys_of_one_workspace_can_be_chosen():
    keys = (api_key("a", 3, workspace="Default"), api_key("b", 2, workspace="Research"))
    assert rows(view_of("api-keys", snapshot(keys=keys), workspace="Research")) == [("b", "$2.00")]
    assert notice(view_of("api-keys", snapshot(keys=keys), workspace="Lab")).words == "No keys yet"


@pytest.mark.parametrize(
    ("reset", "over"),
    [
        ("daily", datetime(2026, 11, 23, tzinfo=UTC)),
        ("weekly", datetime(2026, 11, 23, tzinfo=UTC)),  # a Monday
        ("monthly", datetime(2026, 12, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_what_is_used_of_a_limit_is_unknown_once_it_has_been_reset(reset, over):
    seen = snapshot(keys=(api_key("ci", 1, 10, "-2.5", limit_reset=reset),))
    before = (over or datetime(2026, 12, 1, tzinfo=UTC)) - timedelta(minutes=1)
    for now, note in ((before, "125 %"), (over or before, "" if over else "125 %")):
        (row,) = [block for block in view_of("api-keys", seen, now).blocks if isinstance(block, Row)]
        assert row.note == note
    if over:
        assert lines(view_of("api-keys", seen, over, key_name="ci"))[-1] == "limit $10.00"


def test_a_key_that_may_not_be_used_says_so():
    keys = (api_key("old", 2, disabled=True, expired=True), api_key("off", 1, 10, 4, disabled=True))
    view = view_of("api-keys", snapshot(keys=keys))
    assert [(block.note, block.share) for block in view.blocks if isinstance(block, Row)] == [
        ("expired", None),
        ("disabled", 0.6),
    ]
    assert view.text.endswith("old $2.00 (expired), off $1.00, 60 % of its limit of $10.00 (disabled)")
    assert lines(view_of("api-keys", snapshot(keys=keys), key_name="off")) == ["disabled"]
