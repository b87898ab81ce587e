"""What holds for every tile: its states, its age, and that nothing breaks it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.view import Age, Icon, Notice, Tone
from tests.build import NOON, day_of_samples, days_back, samples, snapshot, usd
from tests.tiles.views import FULL, KEYS, OF_AN_ACCOUNT, notice, view_of


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
@pytest.mark.parametrize(
    ("health", "words"),
    [
        (Health.NO_KEY, "Set up"),
        (Health.NOT_MANAGEMENT_KEY, "Not a Management key"),
        (Health.KEY_REJECTED, "Key rejected"),
        (Health.OFFLINE, "Offline"),
        (Health.RATE_LIMITED, "Slow down"),
        (Health.SERVER_ERROR, "API error"),
    ],
)
def test_without_a_value_the_trouble_fills_the_key(tile, health, words):
    view = view_of(tile, snapshot(balance=None, health=health))
    assert notice(view).words == words
    assert words in view.text


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
def test_a_certificate_that_is_not_valid_at_this_time_asks_for_the_clock(tile):
    late = replace(snapshot(balance=None, health=Health.OFFLINE), wrong_clock=True)
    assert (notice(view_of(tile, late)).words, notice(view_of(tile, late)).icon) == ("Clock?", Icon.CLOCK)
    assert view_of(tile, replace(FULL, health=Health.OFFLINE, wrong_clock=True)).trouble.text == "Clock?"


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
def test_a_reading_that_a_trouble_prevented_shows_that_trouble(tile):
    view = view_of(tile, snapshot(balance=None, health=Health.RATE_LIMITED, activity_health=Health.PREPARING))
    assert notice(view).words == "Slow down"


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
@pytest.mark.parametrize("health", [Health.PREPARING, Health.OFFLINE])
def test_preparing_becomes_the_real_reason_after_a_minute(tile, health):
    waiting = snapshot(balance=None, health=health, started=NOON - timedelta(seconds=59))
    assert notice(view_of(tile, waiting)).words == "Preparing…"
    assert notice(view_of(tile, waiting, NOON + timedelta(seconds=1))).words == "Offline"


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
@pytest.mark.parametrize("health", [each for each in Health if each not in (Health.OK, Health.PREPARING)])
def test_an_error_never_replaces_a_good_value(tile, health):
    troubled = replace(FULL, health=health)
    view = view_of(tile, troubled)
    assert not any(isinstance(block, Notice) for block in view.blocks)


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
def test_a_trouble_is_beside_the_value_and_leaves_the_name(tile):
    view = view_of(tile, replace(FULL, health=Health.OFFLINE))
    assert view.trouble is not None
    assert (view.trouble.text, view.trouble.icon, view.trouble.tone) == ("Offline", Icon.OFFLINE, Tone.WARN)
    assert (view.title, view.health) == (view_of(tile, FULL).title, Health.OFFLINE)


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
@pytest.mark.parametrize(("minutes", "age"), [(29, Age.FRESH), (30, Age.OLD), (59, Age.OLD), (60, Age.STALE)])
def test_every_tile_shows_its_age(tile, minutes, age):
    view = view_of(tile, FULL, NOON + timedelta(minutes=minutes))
    assert view.age is age
    assert view.text.count(f"{minutes} m old") == (0 if age is Age.FRESH else 1), "once, and nothing else gives way to it"


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
def test_nothing_known_is_never_a_zero(tile):
    assert "$0" not in view_of(tile, snapshot(balance=None, health=Health.PREPARING)).text


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
@pytest.mark.parametrize("now", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)])
def test_a_clock_that_is_years_off_breaks_no_tile(tile, now):
    assert view_of(tile, snapshot(now, days=days_back([3] * 6, now), today={"A": 1}), now).blocks
    assert view_of(tile, FULL, now).blocks


@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
@pytest.mark.parametrize("amount", ["1e24", "-1e24", "0.000000001"])
def test_amounts_of_any_size_break_no_tile(tile, amount):
    assert view_of(tile, snapshot(balance=(0, amount), days=days_back([abs(Decimal(amount))] * 6), today={"A": amount})).text


@pytest.mark.parametrize("name", ["v/" + "x" * 300, "😀🎉", "\u202e\n\x1b[31m", ""])
def test_a_strange_model_name_is_one_harmless_line(name):
    days = {day: {name: 3} for day in days_back([1] * 6)}
    for tile in ("top-models", "spike-alert"):
        view = view_of(tile, snapshot(days=days, taken=day_of_samples(3)))
        assert view.text.isprintable()


def test_no_rows_in_thirty_days_is_no_activity():
    for tile in ("top-models", "monthly-spend"):
        assert notice(view_of(tile, snapshot(days={}))).words == "No activity yet"


def test_requests_that_cost_nothing_are_activity_without_spend():
    free = snapshot(days={day: {"v/model:free": 0} for day in days_back([1] * 6)}, today={"Free": 0}, taken=day_of_samples(0))
    for tile, options in (("top-models", {}), ("providers", {}), ("top-models", {"period": "today"})):
        assert notice(view_of(tile, free, **options)).words == "No spend yet"
    assert view_of("monthly-spend", free).text.startswith("Spent 30 d $0.00")
    assert "model:free 6 req" in view_of("top-models", free, by="requests").text


@pytest.mark.parametrize(("by", "amount"), [("spend", "$6.00"), ("requests", "6 req"), ("tokens", "600 tok")])
@pytest.mark.parametrize("tile", ["top-models", "providers"])
def test_a_count_has_its_unit(tile, by, amount):
    assert amount in view_of(tile, snapshot(days=days_back([1] * 6)), by=by).text


@pytest.mark.parametrize("tile", ["balance", "today"])
def test_a_stale_trend_has_no_tone(tile):
    taken = samples([(NOON - timedelta(hours=48 - hour), 50 + min(hour, 36)) for hour in range(49)])  # nothing today
    seen = snapshot(days=days_back([24, 24]), today={"A": 0}, taken=taken)
    tones = [
        next(block.tone for block in view_of(tile, seen, NOON + timedelta(minutes=age)).blocks if block.text.endswith("less"))
        for age in (0, 61)
    ]
    assert tones == [Tone.GOOD, Tone.MUTED]


@pytest.mark.parametrize(
    ("tile", "options"), [("api-keys", {}), ("api-keys", {"key_name": "ci"}), ("top-models", {"period": "today"})]
)
@pytest.mark.parametrize(("spent", "age"), [(0, Age.FRESH), ("0.01", Age.STALE)])
def test_a_rarely_requested_reading_is_old_after_more_spend(tile, options, spent, age):
    """A poll an hour later, which requested only the credits."""
    later = NOON + timedelta(hours=1)
    taken = samples([(NOON, 50), (later, 50 + usd(spent))])
    seen = snapshot(later, keys=KEYS, today={"A": 3}, taken=taken)
    seen = replace(seen, keys=replace(seen.keys, measured_at=NOON), today=replace(seen.today, measured_at=NOON))
    view = view_of(tile, seen, later, **options)
    assert view.age is age
    assert ("60 m old" in view.text) is (age is Age.STALE)


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
def test_a_period_from_midnight_shows_that_it_is_utc(tile, period):
    assert "UTC" in view_of(tile, FULL, period=period).text


@pytest.mark.parametrize(
    ("back_s", "age", "words"), [(59, Age.FRESH, None), (61, Age.STALE, "age unknown"), (86_400, Age.STALE, "age unknown")]
)
@pytest.mark.parametrize("tile", OF_AN_ACCOUNT)
def test_the_age_of_a_value_is_unknown_after_the_clock_was_set_back(tile, back_s, age, words):
    view = view_of(tile, FULL, NOON - timedelta(seconds=back_s))
    assert view.age is age
    assert ("age unknown" in view.text) is (words is not None)
