"""The spike rule's vectors, by number, and the properties that hold for any account."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.account.counter import ticks
from openbalance_hid.account.hours import active_hours, hourly_usd
from openbalance_hid.account.snapshot import Credits, Health, Reading, Snapshot, Spend, Window
from openbalance_hid.account.spike import Level, SpikeRule, judge
from openbalance_hid.history.keeper import remembered
from openbalance_hid.history.records import StoredAccount, StoredSample
from openbalance_hid.openrouter.activity import to_activity
from openbalance_hid.tiles.formatting import times
from tests.build import NOON, day_of_samples, days_back, samples, snapshot, usd

RULE = SpikeRule(burst=False)
BURST = SpikeRule()


def last_hours(*spent):
    """A sample every 15 minutes; each amount is spent evenly over an hour, the last one up to now."""
    usage, readings = Decimal(50), [(NOON - timedelta(hours=len(spent)), Decimal(50))]
    for hour, amount in enumerate(spent):
        for quarter in range(1, 5):
            usage += usd(amount) / 4
            readings.append((NOON - timedelta(hours=len(spent) - hour) + timedelta(minutes=15 * quarter), usage))
    return samples(readings)


def judged(given_snapshot: Snapshot, now: datetime = NOON, rule: SpikeRule = RULE) -> tuple[Level, str]:
    verdict = judge(given_snapshot, now, rule)
    return verdict.level, times(verdict.ratio)


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        ("5.99", (Level.NORMAL, "2.9×")),
        ("6.00", (Level.SPIKE, "3.0×")),
        ("11.99", (Level.SPIKE, "5.9×")),
        ("12.00", (Level.CRITICAL, "6.0×")),
    ],
)
def test_vector_1_levels_are_inclusive(spent, expected):
    assert judged(snapshot(days=days_back([2, 2, 2, 2, 2]), taken=day_of_samples(spent))) == expected


def test_vector_2_two_days_are_no_baseline():
    verdict = judge(snapshot(days=days_back([2, 2]), taken=day_of_samples(50)), NOON, RULE)
    assert (verdict.level, verdict.active_days, verdict.ratio) == (Level.GATHERING, 2, None)


def test_vector_3_yesterday_counts_only_with_fewer_than_three_others():
    three = judge(snapshot(days=days_back([9, 3, 3]), taken=day_of_samples(5)), NOON, RULE)
    four = judge(snapshot(days=days_back([9, 3, 3, 3]), taken=day_of_samples(5)), NOON, RULE)
    assert (three.active_days, three.baseline_usd) == (3, Decimal(5))
    assert (four.active_days, four.baseline_usd) == (3, Decimal(3))


@pytest.mark.parametrize(("spent", "expected"), [("0.30", (Level.NORMAL, "15.0×")), ("1.00", (Level.CRITICAL, "50.0×"))])
def test_vector_4_spend_below_the_floor_is_normal(spent, expected):
    assert judged(snapshot(days=days_back(["0.02"] * 5), taken=day_of_samples(spent))) == expected


def test_vector_5_idle_days_are_not_in_the_baseline():
    amounts = [0 if age % 3 else 3 for age in range(1, 31)]
    assert judge(snapshot(days=days_back(amounts), taken=day_of_samples(3)), NOON, RULE).baseline_usd == 3


def test_vector_6_yesterdays_spike_does_not_raise_its_baseline():
    now = datetime(2026, 11, 22, 0, 20, tzinfo=UTC)
    taken = day_of_samples(20, now)
    before = snapshot(now, days=days_back([2] * 10, now, newest=2), taken=taken)
    after = snapshot(now, days=days_back([20] + [2] * 10, now), taken=taken)
    assert judged(before, now) == judged(after, now) == (Level.CRITICAL, "10.0×")


def test_vector_7_one_old_outlier_lifts_the_mean_only_a_little():
    verdict = judge(snapshot(days=days_back([2] * 15 + [60] + [2] * 14), taken=day_of_samples(8)), NOON, RULE)
    assert (verdict.level, times(verdict.ratio)) == (Level.NORMAL, "2.0×")
    assert verdict.baseline_usd == pytest.approx(Decimal("4"), abs=Decimal("0.1"))


def test_vector_8_the_first_start_uses_yesterday():
    now = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
    verdict = judge(snapshot(now, days=days_back([2] * 5, now), today={"A": "0.30"}), now, RULE)
    assert (verdict.level, times(verdict.ratio), verdict.approximate) == (Level.NORMAL, "1.1×", True)


def test_vector_9_spend_found_after_sleep_counts_in_the_day():
    taken = samples(
        [(NOON - timedelta(hours=24), 50), (NOON - timedelta(hours=11), 51), (NOON - timedelta(hours=1), 59), (NOON, 59)]
    )
    verdict = judge(snapshot(days=days_back([2] * 5), taken=taken), NOON, BURST)
    assert (verdict.level, times(verdict.ratio), verdict.lane == "1h") == (Level.SPIKE, "4.5×", False)


def test_vector_10_a_top_up_changes_nothing():
    base = day_of_samples(5)
    topped = tuple(
        sample if index < 50 else type(sample)(sample.at, sample.mono_s, sample.total_credits_usd + 50, sample.total_usage_usd)
        for index, sample in enumerate(base)
    )
    assert judged(snapshot(days=days_back([2] * 5), taken=base)) == judged(snapshot(days=days_back([2] * 5), taken=topped))


def test_vector_15_a_switch_of_models_never_alarms():
    days = days_back([10] * 5, model="v/model-a")
    verdict = judge(snapshot(days=days, today={"Model B": 10}, taken=day_of_samples(10)), NOON, RULE)
    assert (verdict.level, times(verdict.ratio)) == (Level.NORMAL, "1.0×")
    assert verdict.driver is not None
    assert (verdict.driver.name, verdict.driver.times) == ("Model B", None)


def test_vector_16_an_unpublished_yesterday_is_unknown_not_zero():
    now = datetime(2026, 11, 22, 0, 40, tzinfo=UTC)
    verdict = judge(snapshot(now, days=days_back([2] * 5, now, newest=2), taken=day_of_samples(2, now)), now, RULE)
    assert (verdict.active_days, verdict.baseline_usd) == (5, Decimal(2))


def test_vector_17_a_burst_needs_two_polls_in_a_row():
    days = days_back([8] * 5)
    even = judge(snapshot(days=days, today={"A": 1}, taken=last_hours(6, 6)), NOON, BURST)
    assert (even.level, times(even.ratio), even.lane == "1h") == (Level.SPIKE, "6.0×", True)
    once = judge(snapshot(days=days, today={"A": 1}, taken=last_hours(0, 6)), NOON, BURST)  # a poll ago it was 4.5×
    assert (once.level, once.lane == "1h") == (Level.NORMAL, False)
    wild = judge(snapshot(days=days, today={"A": 1}, taken=last_hours(12, 12)), NOON, BURST)
    assert (wild.level, wild.lane == "1h") == (Level.CRITICAL, True)
    daily = judge(snapshot(days=days, today={"A": 1}, taken=last_hours(12, 12)), NOON, RULE)
    assert daily.level is Level.SPIKE, "what the counter has of today already proves it"


@pytest.mark.parametrize(("apart_s", "is_burst"), [(59, True), (-59, True), (61, False), (-61, False)])
def test_a_clock_set_within_the_hour_disables_the_burst_check(apart_s, is_burst):
    taken = last_hours(6, 6)
    late = [replace(each, mono_s=each.mono_s - apart_s) for each in taken[-2:]]  # the wall jumped, the monotonic clock did not
    verdict = judge(snapshot(days=days_back([8] * 5), today={"A": 1}, taken=(*taken[:-2], *late)), NOON, BURST)
    assert (verdict.lane == "1h") is is_burst


@pytest.mark.parametrize(("apart_s", "approximate"), [(59, False), (61, True)])
def test_a_clock_set_at_the_window_start_makes_the_ratio_approximate(apart_s, approximate):
    later = NOON + timedelta(minutes=7)  # the window begins between two samples
    taken = (*day_of_samples(5), *samples([(later, "55.1")]))
    shifted = (replace(taken[0], mono_s=taken[0].mono_s - apart_s), *taken[1:])
    assert judge(snapshot(now=later, days=days_back([2] * 5), taken=shifted), later, RULE).approximate is approximate


def test_the_burst_check_uses_the_users_active_hours():
    def hours(*spent):
        by_day = hourly_usd(ticks(last_hours(*spent)))
        return active_hours({day: by_day[day] for day in sorted(by_day)[1:-1]}, Decimal(6))

    assert hours(*[0] * 10) == 8  # no day with work yet
    day = [0] * 12 + [1] * 6 + [0] * 6
    assert hours(*day * 4) == 6
    assert hours(*[1] * 96) == 24
    assert hours(*([0] * 23 + [1]) * 4) == 4
    assert hours(*(["0.001"] * 18 + [1] * 6) * 4) == 6  # a heartbeat is no work


def test_spend_below_the_floor_is_no_burst():
    days = days_back(["0.08"] * 5)
    assert judge(snapshot(days=days, today={"A": 0}, taken=last_hours("0.45", "0.45")), NOON, BURST).level is Level.NORMAL


def test_vector_19_day_boundaries_follow_the_server():
    wrong = NOON + timedelta(days=1)
    seen = snapshot(days=days_back([2] * 5), taken=day_of_samples(6))
    skewed = Snapshot(**{**{name: getattr(seen, name) for name in seen.__slots__}, "server_skew_s": -86400.0})
    assert judge(skewed, wrong, RULE).baseline_usd == judge(seen, NOON, RULE).baseline_usd


def test_vector_20_the_literal_rule_is_available():
    rule = SpikeRule(burst=False, floor_usd=Decimal(0), window_hours=Decimal("0.25"))
    taken = samples([(NOON - timedelta(minutes=15), 50), (NOON, "50.75")])
    assert judged(snapshot(days=days_back([24] * 5), taken=taken), rule=rule) == (Level.SPIKE, "3.0×")


def test_no_samples_and_no_today_is_preparing_never_normal():
    assert judge(snapshot(days=days_back([2] * 5)), NOON, RULE).level is Level.PREPARING


@given(
    days=st.lists(st.decimals("0.01", "500", places=2), min_size=4, max_size=30),
    spent=st.decimals("0", "900", places=2),
    factor=st.integers(2, 9),
)
def test_scaling_all_money_changes_no_ratio(days, spent, factor):
    rule = SpikeRule(burst=False, floor_usd=Decimal(0))
    one = judge(snapshot(days=days_back(days), taken=day_of_samples(spent)), NOON, rule)
    scaled = snapshot(days=days_back([day * factor for day in days]), taken=day_of_samples(spent * factor, start=50 * factor))
    many = judge(scaled, NOON, rule)
    assert one.level == many.level
    assert one.ratio is not None
    assert many.ratio == pytest.approx(one.ratio)


@given(spent=st.decimals("0", "900", places=2), bought=st.decimals("0", "9999", places=2))
def test_credits_bought_never_enter_the_verdict(spent, bought):
    taken = day_of_samples(spent)
    richer = tuple(type(each)(each.at, each.mono_s, usd(bought) + 1, each.total_usage_usd) for each in taken)
    assert judge(snapshot(days=days_back([2] * 5), taken=taken), NOON, RULE) == judge(
        snapshot(days=days_back([2] * 5), taken=richer), NOON, RULE
    )


# --- properties -------------------------------------------------------------------------------------------------------------

CENTS = st.decimals("0", "40", places=2)
HOURLY = st.lists(st.decimals("0", "9", places=2), min_size=24, max_size=47)


@pytest.mark.statistical
@given(hours=HOURLY, days=st.lists(CENTS, min_size=3, max_size=30), bought=st.lists(CENTS, min_size=1, max_size=9))
def test_no_top_up_at_any_poll_changes_any_verdict(hours, days, bought):
    taken = last_hours(*hours)
    topped = tuple(
        replace(each, total_credits_usd=each.total_credits_usd + sum(bought[: index % len(bought)]) + index)
        for index, each in enumerate(taken)
    )
    plain, richer = (judge(snapshot(days=days_back(days), taken=each), NOON, BURST) for each in (taken, topped))
    assert plain == richer


@given(
    days=st.lists(st.decimals("0.5", "40", places=2), min_size=8, max_size=16),  # too few for a leak
    share=st.integers(0, 100),
)
def test_a_switch_of_models_at_equal_spend_never_alarms(days, share):
    """However the same money is shared out among models, old and new, the level and the ratio are those of the total."""
    usual = sum(days[1:]) / len(days[1:])
    past = days_back(days, model="v/model-a")
    switched = {"v/model-a": usual * (100 - share) / 100, "v/model-b": usual * share / 100}
    verdict = judge(snapshot(days=past, today=switched, taken=day_of_samples(usual)), NOON, RULE)
    assert verdict.level is Level.NORMAL
    assert verdict.ratio is not None
    assert 0 < verdict.ratio <= 1 + Decimal("1e-20")  # below 1 where a habit raises the bar


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from("abcd"), st.sampled_from("xy"), st.decimals("0", "9", places=3)),
        min_size=3,
        max_size=40,
    ),
    spent=CENTS,
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_of_activity_changes_nothing(rows, spent, order):
    def reply(given_rows):
        rows = [
            {"date": f"{NOON.date() - timedelta(days=age)} 00:00:00", "model": f"v/{model}", "provider_name": provider,
             "usage": float(usage), "requests": 1, "prompt_tokens": 2, "completion_tokens": 3}
            for age, model, provider, usage in given_rows
        ]  # fmt: skip
        return to_activity(json.dumps({"data": rows}).encode(), NOON.date()).value

    shuffled = list(rows)
    order.shuffle(shuffled)
    base = snapshot(days={}, taken=day_of_samples(spent))
    one, other = (replace(base, activity=replace(base.activity, value=reply(each))) for each in (rows, shuffled))
    assert judge(one, NOON, BURST) == judge(other, NOON, BURST)


@pytest.mark.statistical
@given(hours=HOURLY, days=st.lists(CENTS, min_size=3, max_size=30), stop=st.integers(0, 100))
def test_a_restart_at_any_sample_gives_the_same_verdict(hours, days, stop):
    """What the history gives back is judged as what was never forgotten, also for the polls that come after."""
    taken = last_hours(*hours)
    cut = stop % len(taken)
    before, after = taken[: cut + 1], taken[cut + 1 :]
    at, mono_s = before[-1].at, 77.0  # another process: another monotonic clock
    past = StoredAccount(
        samples=tuple(StoredSample(each.at, Credits(each.total_credits_usd, each.total_usage_usd)) for each in before)
    )
    recalled = remembered(Snapshot("default", at, 900.0), past, at, mono_s).samples
    shifted = tuple(replace(each, mono_s=mono_s + (each.at - at).total_seconds()) for each in after)
    through = judge(snapshot(days=days_back(days), taken=taken), NOON, BURST)
    again = judge(snapshot(days=days_back(days), taken=recalled + shifted), NOON, BURST)
    assert through == again


# --- the driver ---------------------------------------------------------------------------------------------------------------

USUAL = {day: {"v/model-a": 10, "v/model-b": "0.02"} for day in days_back([1] * 6)}
WILD = {"v/model-a": Spend(Decimal(14)), "v/model-b": Spend(Decimal(3))}


def driver(window: Window | None, rule: SpikeRule = RULE, today: Mapping[str, int] | None = None, days=USUAL):
    """The driver of an account that requested the window a second after its credits."""
    seen = snapshot(days=days, today=today, taken=day_of_samples(40))
    asked = Reading() if window is None else Reading(window, NOON + timedelta(seconds=1.2), Health.OK)
    found = judge(replace(seen, window=asked), NOON + timedelta(seconds=2), rule).driver
    return found and (found.name, times(found.times), found.approximate)


def window(
    end: datetime = NOON + timedelta(seconds=1), by_model: Mapping[str, Spend] = WILD, truncated: bool = False
) -> Window:
    return Window(end - timedelta(hours=24), end, by_model, truncated)


def test_the_driver_has_the_largest_excess_in_dollars_and_not_in_ratio():
    assert driver(window()) == ("v/model-a", "1.4×", False)
    by_model = {"v/model-a": Spend(Decimal(11)), "v/model-b": Spend(Decimal(3))}
    assert driver(window(by_model=by_model)) == ("v/model-b", "99×", False)


@pytest.mark.parametrize(
    "given",
    [
        window(end=NOON - timedelta(minutes=91)),
        window(truncated=True),
        None,
    ],
)
def test_without_the_window_by_model_the_driver_is_approximate(given):
    assert driver(given) == ("v/model-a", "1.0×", True)  # the newest completed day
    assert driver(given, today={"v/model-b": 25}) == ("v/model-b", "99×", True)  # today, where most of the window's money is
    assert driver(given, today={"v/model-b": 5}) == ("v/model-a", "1.0×", True)


def test_the_window_query_is_not_used_for_a_shorter_window():
    assert driver(window(), SpikeRule(window_hours=Decimal(6), burst=False)) == ("v/model-a", "1.0×", True)


@pytest.mark.parametrize(("usual", "said"), [("0.0099", "—"), ("0.01", "99×")])
def test_a_model_below_a_cent_a_day_is_new(usual, said):
    days = {day: {"v/model-a": 10, "v/model-b": usual} for day in days_back([1] * 6)}
    assert driver(window(by_model={"v/model-b": Spend(Decimal(30))}), days=days) == ("v/model-b", said, False)


# --- time that passes ------------------------------------------------------------------------------------------------------

LATE = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)
FIRST_DAY = day_of_samples(5, LATE, hours=6)  # the window is not covered yet: today so far and a part of yesterday


@pytest.mark.parametrize("later", [timedelta(minutes=9), timedelta(minutes=14), timedelta(hours=5), timedelta(days=31)])
@pytest.mark.parametrize("taken", [FIRST_DAY, day_of_samples(9, LATE, hours=48)])
def test_a_verdict_stays_until_the_next_answer(taken, later):
    seen = snapshot(LATE, days=days_back([2] * 5, LATE), today={"A": 7}, taken=taken)
    verdict = judge(seen, LATE, BURST)
    assert verdict.level > Level.GATHERING
    assert judge(seen, LATE + later, BURST) == verdict


@pytest.mark.parametrize(("floor", "level"), [("1.1", Level.NORMAL), ("1", Level.SPIKE)])
def test_the_floor_applies_to_an_estimated_window(floor, level):
    rule = SpikeRule(burst=False, floor_usd=Decimal(floor), window_hours=Decimal(2))
    verdict = judge(snapshot(days=days_back([2, 4, 4, 4]), today={"A": 11}), NOON, rule)  # 12 a day, 1.00 in two hours
    assert (verdict.level, verdict.window_usd, verdict.approximate) == (level, 1, True)


@given(days=st.lists(st.decimals("0.27", "0.4", places=2), min_size=8, max_size=30), times_=st.integers(3, 20))
def test_a_level_starts_exactly_at_its_multiple(days, times_):
    """Also where the mean of the days has no end: three days that cost ten come to three times itself."""
    total, past = sum(days[1:]), days_back(days)
    spent = usd(total) * times_
    taken = samples([(NOON - timedelta(hours=24), 0), (NOON, spent)])
    rule = SpikeRule(threshold=Decimal(times_ * (len(days) - 1)), floor_usd=Decimal(0), burst=False)
    assert judge(snapshot(days=past, taken=taken), NOON, rule).level is Level.SPIKE
