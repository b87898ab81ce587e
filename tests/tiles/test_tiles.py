"""What each tile says, in every state it can be in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbalance_hid.account.episode import Episode, acknowledge
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.spike import Level
from openbalance_hid.daemon.board import NOBODYS
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import Age, Bars, Gauge, Hero, Icon, Line, Notice, Row, TileView, Tone
from tests.build import NOON, api_key, day_of_samples, days_back, samples, snapshot, usd

SPOKEN = [name for name in TILES if name not in NOBODYS]  # those that say something about an account


def said(
    tile: str, seen: Snapshot, now: datetime = NOON, turn: int = 0, episode: Episode | None = None, **options: Any
) -> TileView:
    kind = TILES[tile]
    return kind.view(Scene(tile, seen, now, {**kind.defaults(), **options}, turn=turn, episode=episode))


def notice(view: TileView) -> Notice:
    (block,) = view.blocks
    assert isinstance(block, Notice)
    return block


def hero(view: TileView) -> Hero:
    block = view.blocks[0]
    assert isinstance(block, Hero)
    return block


def lines(view: TileView) -> list[str]:
    return [block.text for block in view.blocks if isinstance(block, Line)]


KEYS = (api_key("laptop", "0.62"), api_key("ci", "0.27", 50, 10), api_key("notebook", "0.11", 10, 0), api_key("old", 0))
FULL = snapshot(days=days_back([2, 3, 4, 5, 6, 7, 8]), today={"Model A": 1}, taken=day_of_samples(3), keys=KEYS)


@pytest.mark.parametrize("tile", SPOKEN)
@pytest.mark.parametrize(
    ("health", "words"),
    [
        (Health.NO_KEY, "Set up"),
        (Health.NOT_MANAGEMENT_KEY, "Not a Management key"),
        (Health.KEY_REJECTED, "Key rejected"),
        (Health.OFFLINE, "Offline"),
        (Health.RATE_LIMITED, "Slow down"),
        (Health.SERVER_ERROR, "OpenRouter error"),
    ],
)
def test_without_a_value_the_trouble_fills_the_key(tile, health, words):
    view = said(tile, snapshot(balance=None, health=health))
    assert notice(view).words == words
    assert words in view.text


@pytest.mark.parametrize("tile", SPOKEN)
def test_what_was_not_asked_because_of_a_trouble_says_that_trouble(tile):
    view = said(tile, snapshot(balance=None, health=Health.RATE_LIMITED, activity_health=Health.PREPARING))
    assert notice(view).words == "Slow down"


@pytest.mark.parametrize("tile", SPOKEN)
@pytest.mark.parametrize("health", [Health.PREPARING, Health.OFFLINE])
def test_preparing_becomes_the_real_reason_after_a_minute(tile, health):
    waiting = snapshot(balance=None, health=health, started=NOON - timedelta(seconds=59))
    assert notice(said(tile, waiting)).words == "Preparing…"
    assert notice(said(tile, waiting, NOON + timedelta(seconds=1))).words == "Offline"


@pytest.mark.parametrize("tile", SPOKEN)
@pytest.mark.parametrize("health", [each for each in Health if each not in (Health.OK, Health.PREPARING)])
def test_an_error_never_replaces_a_good_value(tile, health):
    troubled = Snapshot(**{**{name: getattr(FULL, name) for name in FULL.__slots__}, "health": health})
    view = said(tile, troubled)
    assert not any(isinstance(block, Notice) for block in view.blocks)


@pytest.mark.parametrize("tile", ["top-models", "monthly-spend"])
def test_a_tile_without_a_trend_says_its_trouble_in_the_titles_place(tile):
    troubled = Snapshot(**{**{name: getattr(FULL, name) for name in FULL.__slots__}, "health": Health.OFFLINE})
    trouble = said(tile, troubled).trouble
    assert trouble is not None
    assert (trouble.text, trouble.icon, trouble.tone) == ("Offline", Icon.OFFLINE, Tone.WARN)


@pytest.mark.parametrize("tile", SPOKEN)
def test_a_refused_activity_does_not_blank_the_balance(tile):
    view = said(tile, snapshot(activity_health=Health.SERVER_ERROR))
    if tile in ("balance", "usage"):
        assert hero(view).text == "$74.25"
    elif tile == "meter":
        assert hero(view).text == "Start"
    elif tile == "today":
        assert hero(view).text == "—"
    elif tile == "api-keys":
        assert notice(view).words == "Preparing…"
    else:
        assert notice(view).words == "OpenRouter error"


@pytest.mark.parametrize("tile", SPOKEN)
@pytest.mark.parametrize(("minutes", "age"), [(29, Age.FRESH), (30, Age.OLD), (59, Age.OLD), (60, Age.STALE)])
def test_every_tile_shows_its_age(tile, minutes, age):
    assert said(tile, FULL, NOON + timedelta(minutes=minutes)).age is age


@pytest.mark.parametrize("tile", SPOKEN)
def test_nothing_known_is_never_a_zero(tile):
    assert "$0" not in said(tile, snapshot(balance=None, health=Health.PREPARING)).text


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"show": "remaining"}, "$74.25"),
        ({"show": "used", "period": "7d"}, "$36.00"),
        ({"show": "used", "period": "30d"}, "$36.00"),
        ({"show": "used", "period": "all"}, "$25.75"),
        ({"show": "percent", "period": "all"}, "26%"),
        ({"show": "percent", "period": "7d"}, "36%"),
    ],
)
def test_balance_shows_what_was_asked(options, text):
    assert hero(said("balance", FULL, **options)).text == text


def test_balance_used_is_unknown_without_activity():
    view = said("balance", snapshot(activity_health=Health.SERVER_ERROR), show="used")
    assert hero(view).text == "—"
    assert lines(view) == ["OpenRouter error"]


@pytest.mark.parametrize(
    ("bought", "tone", "word"),
    [
        ("35.75", Tone.INK, None),
        ("35.74", Tone.WARN, "low"),
        ("27.75", Tone.WARN, "low"),
        ("27.74", Tone.ALARM, "very low"),
        ("20", Tone.ALARM, "below zero"),
    ],
)
def test_low_balance_turns_amber_then_red_and_says_so(bought, tone, word):
    view = said("balance", snapshot(balance=(bought, "25.75")), low_usd=10)
    assert hero(view).tone is tone
    assert (view.trouble.text if view.trouble else None) == (f"Balance {word}" if word else None)
    assert (f", Balance {word}" if word else "$") in view.text


def test_beside_another_number_a_low_balance_leaves_its_name():
    view = said("balance", snapshot(balance=("30", "25.75")), show="percent", period="all", low_usd=10)
    assert (view.trouble.text, view.trouble.variants) == ("Used all, low", ("Used all",))


def test_a_negative_balance_is_shown_and_red_without_any_option():
    number = hero(said("balance", snapshot(balance=(10, "12.40"))))
    assert (number.text, number.tone) == ("-$2.40", Tone.ALARM)


def test_the_trend_is_green_down_and_red_up():
    down = said("balance", snapshot(days=days_back([3, 5]))).blocks[1]
    up = said("balance", snapshot(days=days_back([5, 3]))).blocks[1]
    assert isinstance(down, Line)
    assert isinstance(up, Line)
    assert (down.icon, down.tone, down.text) == (Icon.DOWN, Tone.GOOD, "$2.00 yest")
    assert (up.icon, up.tone, up.text) == (Icon.UP, Tone.ALARM, "$2.00 yest")


def test_the_trouble_takes_the_place_of_the_trend():
    late = snapshot(days=days_back([3, 5]), health=Health.OFFLINE)
    assert lines(said("balance", late)) == ["Offline"]


MANY = snapshot(
    days={NOON.date() - timedelta(days=1): {f"v/model-{letter}": 10 - index for index, letter in enumerate("abcdefg")}}
)


@pytest.mark.parametrize(
    ("turn", "names", "page"),
    [
        (0, ["model-a", "model-b"], (0, 3)),
        (1, ["model-c", "model-d"], (1, 3)),
        (2, ["model-e", "model-f"], (2, 3)),
        (3, ["model-a", "model-b"], (0, 3)),
    ],
)
def test_top_models_turn_two_at_a_time_through_six(turn, names, page):
    view = said("top-models", MANY, turn=turn)
    assert [block.name for block in view.blocks if isinstance(block, Row)] == names
    assert view.page == page


def test_tokens_of_today_are_unknown_never_zero():
    view = said("top-models", snapshot(days={}, today={"Model A": 2, "Model B": 3}), period="today", by="tokens")
    assert [(block.name, block.amount) for block in view.blocks if isinstance(block, Row)] == [
        ("Model B", "—"),
        ("Model A", "—"),
    ]


@pytest.mark.parametrize("tile", SPOKEN)
@pytest.mark.parametrize("now", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)])
def test_a_clock_that_is_years_off_breaks_no_tile(tile, now):
    assert said(tile, snapshot(now, days=days_back([3] * 6, now), today={"A": 1}), now).blocks
    assert said(tile, FULL, now).blocks


@pytest.mark.parametrize("tile", SPOKEN)
@pytest.mark.parametrize("amount", ["1e24", "-1e24", "0.000000001"])
def test_amounts_of_any_size_break_no_tile(tile, amount):
    assert said(tile, snapshot(balance=(0, amount), days=days_back([abs(Decimal(amount))] * 6), today={"A": amount})).text


@pytest.mark.parametrize("name", ["v/" + "x" * 300, "😀🎉", "\u202e\n\x1b[31m", ""])
def test_a_strange_model_name_is_one_harmless_line(name):
    days = {day: {name: 3} for day in days_back([1] * 6)}
    for tile in ("top-models", "spike-alert"):
        view = said(tile, snapshot(days=days, taken=day_of_samples(3)))
        assert view.text.isprintable()


def test_no_rows_in_thirty_days_is_no_activity():
    for tile in ("top-models", "monthly-spend"):
        assert notice(said(tile, snapshot(days={}))).words == "No activity yet"


def test_monthly_spend_draws_an_unknown_day_as_unknown():
    view = said("monthly-spend", snapshot(days=days_back([2, 4])))
    bars = view.blocks[1]
    assert isinstance(bars, Bars)
    assert bars.shares == (0, 0, 0, 0, 1.0, 0.5, None)
    assert hero(view).text == "$6.00"


def test_monthly_spend_draws_no_bar_for_a_day_of_refunds():
    days = {NOON.date() - timedelta(days=age): {"v/a": amount} for age, amount in ((1, -3), (2, 4))}
    bars = said("monthly-spend", snapshot(days=days, today={"A": 1})).blocks[1]
    assert isinstance(bars, Bars)
    assert bars.shares == (0, 0, 0, 0, 1.0, 0, 0.25)


@pytest.mark.parametrize(
    ("spent", "word", "tone", "attention"),
    [(3, "Normal", Tone.GOOD, False), (12, "Spike", Tone.WARN, True), (24, "Critical", Tone.ALARM, True)],
)
def test_spike_says_word_driver_and_ratio(spent, word, tone, attention):
    view = said("spike-alert", snapshot(days=days_back([3] * 6), today={"Model A": spent}, taken=day_of_samples(spent)))
    assert (hero(view).text, hero(view).tone, view.attention) == (word, tone, attention)
    assert lines(view)[-1] == f"{spent / 3:.1f}× 24h"
    assert "model-a" in lines(view)[0]


def test_an_acknowledged_spike_stops_calling_and_stays_true():
    seen = snapshot(days=days_back([3] * 6), taken=day_of_samples(12))
    episode = acknowledge(Episode(NOON, Level.SPIKE), Level.SPIKE)
    view = said("spike-alert", seen, episode=episode)
    assert (hero(view).text, view.attention) == ("Spike", False)
    worse = snapshot(days=days_back([3] * 6), taken=day_of_samples(30))
    assert said("spike-alert", worse, episode=episode).attention


def test_vector_2_and_18_gathering_and_grey_age():
    young = said("spike-alert", snapshot(days=days_back([2, 2]), taken=day_of_samples(50)))
    assert (notice(young).words, notice(young).detail) == ("Gathering baseline", "2/3")
    old = said("spike-alert", FULL, NOON + timedelta(minutes=70))
    assert (hero(old).tone, hero(old).icon, lines(old)[0]) == (Tone.MUTED, Icon.CLOCK, "70 m old")


def gauge(view: TileView) -> Gauge:
    return next(block for block in view.blocks if isinstance(block, Gauge))


@pytest.mark.parametrize(
    ("bought", "text", "tone", "icon"),
    [
        ("125.75", "≈50 d", Tone.INK, None),
        ("39.75", "≈7 d", Tone.INK, None),
        ("39.74", "≈6 d", Tone.WARN, Icon.WARNING),
        ("30.00", "≈2 d", Tone.ALARM, Icon.WARNING),
        ("26.75", "≈12 h", Tone.ALARM, Icon.WARNING),
        ("20", "≈0 d", Tone.ALARM, Icon.WARNING),
        ("23.3500000001", "≈0 d", Tone.ALARM, Icon.WARNING),
        ("99999", ">999 d", Tone.INK, None),
    ],
)
def test_runway_counts_days_at_the_seven_day_pace(bought, text, tone, icon):
    number = hero(said("runway", snapshot(balance=(bought, "25.75"), days=days_back([2] * 30))))
    assert (number.text, number.tone, number.icon) == (text, tone, icon)


def test_runway_says_the_range_to_the_thirty_day_pace():
    view = said("runway", snapshot(balance=(39, 25), days=days_back([2] * 7 + [1] * 23)))
    assert lines(view) == ["7–11 d"]
    assert gauge(view).share == pytest.approx(7 / 30)


def test_runway_counts_idle_days():
    idle = said("runway", snapshot(balance=(39, 25), days=days_back([7, 0, 0, 0, 0, 0, 0, 7])))
    assert hero(idle).text == "≈14 d"


@pytest.mark.parametrize(
    ("amounts", "why"), [([50, 50], "too few days"), (["0.001"] * 30, "little spent"), ([], "little spent")]
)
def test_runway_without_history_or_pace_is_unknown(amounts, why):
    view = said("runway", snapshot(days=days_back(amounts)))
    assert (hero(view).text, lines(view)) == ("—", [why])


def test_today_says_amount_comparison_and_leader():
    seen = snapshot(days=days_back([24, 24]), today={"Claude Sonnet 4.5": 9, "GPT-5": 6}, taken=day_of_samples(48, hours=48))
    view = said("today", seen)
    assert (hero(view).text, lines(view)) == ("$15.00", ["$3.00 yest", "Sonnet 4.5"])
    assert "UTC" in view.title


@pytest.mark.parametrize("tile", ["balance", "today"])
def test_an_old_trend_is_no_news(tile):
    seen = snapshot(days=days_back([24, 24]), today={"A": 9}, taken=day_of_samples(48, hours=48))
    tones = [
        next(block.tone for block in said(tile, seen, NOON + timedelta(minutes=age)).blocks if isinstance(block, Line))
        for age in (0, 61)
    ]
    assert tones == [Tone.GOOD, Tone.MUTED]


def test_a_today_that_is_not_known_from_midnight_says_since_when_it_is():
    view = said("today", snapshot(taken=day_of_samples("1.50", hours=3)))
    assert (hero(view).text, lines(view), view.title) == ("$1.50", ["since 09:00"], "Today UTC")
    assert "since 09:00" in view.text
    one = said("today", snapshot(taken=day_of_samples(1)[-1:]))
    assert (hero(one).text, lines(one)) == ("—", []), "one sample has counted nothing"
    whole = said("today", snapshot(taken=day_of_samples(13, hours=13)))
    assert (hero(whole).text, lines(whole)) == ("$12.00", [])


def test_today_unknown_is_a_dash_and_blames_nobody():
    view = said("today", snapshot(days=days_back([2] * 5)))
    assert (hero(view).text, lines(view)) == ("—", [])


@pytest.mark.parametrize(
    ("bought", "days", "words"),
    [
        ("99", [2] * 30, "steady pace"),
        ("9999", [2] * 7, "at either pace"),
        ("20", [2] * 7, "nothing left"),
        ("27", [2] * 7 + [1] * 23, "12–19 h"),
        ("28", [2] * 7, "1–4 d"),
    ],
)
def test_the_range_says_its_unit_once(bought, days, words):
    assert lines(said("runway", snapshot(balance=(bought, 26), days=days_back(days)))) == [words]


@pytest.mark.parametrize(
    ("display", "numbers"), [("both", ["$74.25", "$1.00", "Today UTC"]), ("balance", ["$74.25"]), ("usage", ["$1.00"])]
)
def test_usage_shows_what_was_chosen(display, numbers):
    view = said("usage", FULL, display=display)
    assert [block.text for block in view.blocks if isinstance(block, Hero | Line)] == numbers


def test_usage_as_an_icon_says_the_state():
    assert notice(said("usage", FULL, display="icon")).words == "All well"
    late = Snapshot(**{**{name: getattr(FULL, name) for name in FULL.__slots__}, "health": Health.OFFLINE})
    assert notice(said("usage", late, display="icon")).words == "Offline"


def test_usage_as_an_icon_is_well_only_while_that_is_known_and_true():
    assert notice(said("usage", snapshot(balance=(10, "10.01")), display="icon")).words == "Below zero"
    assert said("usage", FULL, NOON + timedelta(minutes=31), display="icon").age is Age.OLD
    late = said("usage", FULL, NOON + timedelta(minutes=61), display="icon")
    assert (notice(late).words, notice(late).icon, late.age) == ("61 m old", Icon.CLOCK, Age.STALE)
    assert "61 m old" in late.text


def test_providers_add_up_their_models():
    days = {NOON.date() - timedelta(days=1): {"one/a": 3, "one/b": 2, "two/c": 4}}
    rows = [block for block in said("providers", snapshot(days=days)).blocks if isinstance(block, Row)]
    assert [(row.name, row.amount) for row in rows] == [("one", "$5.00"), ("two", "$4.00")]


def rows(view: TileView) -> list[tuple[str, str]]:
    return [(block.name, block.amount) for block in view.blocks if isinstance(block, Row)]


def test_api_keys_turn_two_at_a_time_and_say_how_much_of_a_limit_is_used():
    first, second = (said("api-keys", FULL, turn=turn) for turn in (0, 1))
    assert rows(first) == [("laptop", "$0.62"), ("ci 80%", "$0.27")]
    assert rows(second) == [("notebook 100%", "$0.11"), ("old", "$0.00")]
    assert (first.title, first.page) == ("Today UTC", (0, 2))
    bars = [(block.share, block.tone) for view in (first, second) for block in view.blocks if isinstance(block, Row)]
    assert bars == [(0.62, Tone.ACCENT), (0.8, Tone.WARN), (1.0, Tone.ALARM), (0.0, Tone.ACCENT)]
    assert "ci $0.27, 80% of its limit of $50.00" in first.text


@pytest.mark.parametrize(
    ("period", "amount", "title"),
    [("today", "$0.62", "Today UTC"), ("week", "$2.48", "Week UTC"), ("month", "$9.92", "Month UTC")],
)
def test_api_keys_periods_are_utc_and_say_so(period, amount, title):
    view = said("api-keys", FULL, period=period)
    assert (rows(view)[0], view.title) == (("laptop", amount), title)


def test_one_key_is_a_number_with_its_limit_as_a_gauge():
    view = said("api-keys", FULL, key_name="ci", period="month")
    number = next(block for block in view.blocks if isinstance(block, Hero))
    assert (number.text, view.title, lines(view)) == ("$4.32", "Month UTC", ["ci", "80% of $50.00"])
    assert (gauge(view).share, gauge(view).tone) == (0.8, Tone.WARN)
    assert lines(said("api-keys", FULL, key_name="laptop")) == ["laptop"]
    assert notice(said("api-keys", FULL, key_name="nobody")).words == "No such key"


@pytest.mark.parametrize(
    ("period", "still", "over"),
    [
        ("today", datetime(2026, 11, 22, 23, 59, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        ("week", datetime(2026, 11, 22, 23, 59, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),  # a Sunday
        ("month", datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_an_amount_of_a_period_that_is_over_is_unknown(period, still, over):
    assert rows(said("api-keys", FULL, still, period=period))[0][1] != "—"
    assert rows(said("api-keys", FULL, over, period=period))[0][1] == "—"


@pytest.mark.parametrize(
    ("limit", "left", "words", "tone"),
    [
        (10, "0.001", "99%", Tone.WARN),
        (10, 0, "100%", Tone.ALARM),
        (10, -2, "120%", Tone.ALARM),
        (10, 10, "0%", Tone.GOOD),
        (0, 0, "100%", Tone.ALARM),
        (10, None, None, Tone.ACCENT),
    ],
)
def test_a_limit_is_used_up_when_nothing_is_left_of_it_and_not_before(limit, left, words, tone):
    view = said("api-keys", snapshot(keys=(api_key("ci", 1, limit, left),)))
    (row,) = [block for block in view.blocks if isinstance(block, Row)]
    assert (row.name, row.tone) == ("ci" if words is None else f"ci {words}", tone)


@pytest.mark.parametrize(
    ("tile", "options"), [("api-keys", {}), ("api-keys", {"key_name": "ci"}), ("top-models", {"period": "today"})]
)
@pytest.mark.parametrize(("spent", "age"), [(0, Age.FRESH), ("0.01", Age.STALE)])
def test_what_is_asked_seldom_is_old_once_more_was_spent(tile, options, spent, age):
    """A poll an hour later, which asked only for the credits."""
    later = NOON + timedelta(hours=1)
    taken = samples([(NOON, 50), (later, 50 + usd(spent))])
    seen = snapshot(later, keys=KEYS, today={"A": 3}, taken=taken)
    seen = replace(seen, keys=replace(seen.keys, measured_at=NOON), today=replace(seen.today, measured_at=NOON))
    view = said(tile, seen, later, **options)
    assert view.age is age
    assert ("60 m old" in view.text) is (age is Age.STALE)


def test_a_disabled_key_is_left_out_unless_it_spent():
    keys = (api_key("on", 0), api_key("off", 0, disabled=True), api_key("late", 1, disabled=True))
    assert [name for name, _ in rows(said("api-keys", snapshot(keys=keys)))] == ["late", "on"]
    assert notice(said("api-keys", snapshot(keys=()))).words == "No keys yet"


@pytest.mark.parametrize(
    ("tile", "period"),
    [
        (kind.name, period)
        for kind in TILES.values()
        for option in kind.options
        if option.name == "period"
        for period in option.choices or ()
        if period in ("today", "week", "month")
    ],
)
def test_a_period_that_begins_at_a_midnight_says_that_it_is_utc(tile, period):
    view = said(tile, FULL, period=period, **({"display": "usage"} if tile == "usage" else {}))
    assert "UTC" in view.title
    assert "UTC" in view.text
