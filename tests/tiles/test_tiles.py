"""What each tile says of an account that is well; those that say it of all tiles alike are in `test_every_tile`."""

from datetime import timedelta

import pytest

from openbalance_hid.account.episode import Episode, acknowledge
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.spike import Level
from openbalance_hid.tiles.view import Age, Bars, Hero, Icon, Line, Row, Tone
from tests.build import NOON, day_of_samples, days_back, snapshot
from tests.tiles.said import FULL, gauge, hero, lines, notice, said


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
