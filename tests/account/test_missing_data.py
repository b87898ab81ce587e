"""Missing data never improves a verdict: it is the last one, or a worse one that the counter proves."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading, Snapshot, Spend, Today
from openbalance_hid.account.spike import Level, SpikeRule, judge
from tests.build import activity, api_key, days_back, samples, snapshot, usd

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MIDNIGHT = MONDAY + timedelta(days=1)
RULE = SpikeRule(burst=False)


def monday(spent: str, until: datetime, *, awake_from: int = 15, newest: int | None = None) -> Snapshot:
    """A laptop that is open from `awake_from` on; all of `spent` is spent by 23:00. Days of $10 before, Sunday idle."""
    begins = MONDAY + timedelta(hours=awake_from)
    busy = timedelta(hours=23 - awake_from)
    taken = [
        (at, 100 + usd(spent) * Decimal(min(1.0, (at - begins) / busy)))
        for step in range(4 * 24)
        if (at := begins + timedelta(minutes=15 * step)) <= until
    ]
    behind = (until.date() - MONDAY.date()).days
    days = {MONDAY.date() - timedelta(days=age): {"v/model-a": 10} for age in range(2, 30) if age % 7 > 1}
    read_at = until if newest is None else MONDAY + timedelta(hours=6)
    seen = snapshot(until, days=days, taken=samples(taken, 1000), measured=until)
    assert behind in (0, 1)
    return replace(seen, activity=Reading(activity(days), read_at, Health.OK))


def test_the_turn_of_the_day_does_not_end_a_spike():
    """No sample is older than Monday 15:00, and Monday is published at 00:40."""
    before = judge(monday("45", MIDNIGHT - timedelta(minutes=15), newest=2), MIDNIGHT - timedelta(minutes=15), RULE)
    assert before.level is Level.SPIKE
    for minutes in (0, 15, 30):
        at = MIDNIGHT + timedelta(minutes=minutes)
        after = judge(monday("45", at, newest=2), at, RULE)
        assert (after.level, after.approximate) == (Level.SPIKE, True), minutes


def test_what_analytics_said_of_yesterday_is_not_forgotten_at_midnight():
    """The first day after the installation: most was spent before the first sample."""
    said = Reading(Today(MONDAY.date(), {"v/a": Spend(usd(45))}), MIDNIGHT - timedelta(minutes=20), Health.OK)
    evening, night = MIDNIGHT - timedelta(minutes=15), MIDNIGHT + timedelta(minutes=15)
    before = replace(monday("1", evening, awake_from=22, newest=2), today=said)
    assert judge(before, evening, RULE).level is Level.SPIKE
    today = Reading(Today(MIDNIGHT.date(), {}), night, Health.OK)
    after = replace(monday("1", night, awake_from=22, newest=2), today=today, yesterday=said)
    verdict = judge(after, night, RULE)
    assert (verdict.level, verdict.approximate) == (Level.SPIKE, True)


def test_a_calm_verdict_is_kept_with_its_age_while_yesterday_is_unknown():
    at = MIDNIGHT + timedelta(minutes=15)
    kept = judge(monday("9", at, newest=2), at, RULE)
    assert (kept.level, kept.approximate) == (Level.NORMAL, True)
    assert kept.measured_at is not None
    assert kept.measured_at < MIDNIGHT


def test_what_the_counter_proves_is_worse_than_the_last_verdict():
    at = MIDNIGHT + timedelta(minutes=30)
    seen = monday("9", at, newest=2)
    more = samples([(MIDNIGHT + timedelta(minutes=20), 170), (at, 171)], 1000)
    worse = judge(replace(seen, samples=(*(each for each in seen.samples if each.at <= MIDNIGHT), *more)), at, RULE)
    assert worse.level is Level.CRITICAL


def test_a_reset_of_the_counter_keeps_the_last_verdict():
    at = MONDAY + timedelta(hours=20)
    seen = monday("60", at)
    assert judge(seen, at, RULE).level is Level.SPIKE
    reset = samples([(at + timedelta(minutes=15 * step), 1 + Decimal(step) / 100) for step in (1, 2, 3)], 1000)
    later = reset[-1].at
    verdict = judge(replace(seen, samples=(*seen.samples, *reset)), later, RULE)
    assert (verdict.level, verdict.approximate) == (Level.SPIKE, True)


def test_without_any_verdict_before_it_is_preparing():
    at = MIDNIGHT + timedelta(minutes=15)
    seen = replace(monday("9", at, newest=2), samples=())
    assert judge(seen, at, RULE).level is Level.PREPARING


@pytest.mark.parametrize(("spent", "level"), [("1", Level.PREPARING), ("9", Level.PREPARING), ("45", Level.SPIKE)])
def test_a_day_of_which_only_the_end_was_seen_is_never_normal_while_analytics_fail(spent, level):
    """A new history at 20:00: what was spent before could be a spike; what the counter saw can only be one."""
    at = MONDAY + timedelta(hours=23)
    seen = replace(monday(spent, at, awake_from=20), today=Reading(None, None, Health.SERVER_ERROR))
    verdict = judge(seen, at, RULE)
    assert (verdict.level, verdict.approximate) == (level, level is Level.SPIKE)


def test_an_answer_of_analytics_from_before_the_samples_leaves_a_gap():
    at, early = MONDAY + timedelta(hours=23), MONDAY + timedelta(hours=2)
    seen = monday("9", at, awake_from=20)
    for read_at, level in ((early, Level.PREPARING), (MONDAY + timedelta(hours=21), Level.NORMAL)):
        said = Reading(Today(MONDAY.date(), {"v/a": Spend(usd(1))}), read_at, Health.SERVER_ERROR)
        assert judge(replace(seen, today=said), at, RULE).level is level


# --- one API key ---------------------------------------------------------------------------------------------------------


def with_keys(spent: int, **more: object) -> Snapshot:
    at = MONDAY + timedelta(hours=20)
    seen = snapshot(at, days=days_back([10] * 10, at), keys=(api_key("ci", spent), api_key("laptop", 1)))
    by_key = {MONDAY.date() - timedelta(days=age): {"ci": Spend(usd(2)), "laptop": Spend(usd(8))} for age in range(1, 11)}
    return replace(seen, key_days=Reading(by_key, at, Health.OK), **more)


@pytest.mark.parametrize(("spent", "level"), [(5, Level.NORMAL), (6, Level.SPIKE), (12, Level.CRITICAL)])
def test_a_key_is_judged_by_its_own_days_and_its_spend_of_today(spent, level):
    seen = with_keys(spent)
    verdict = judge(seen, MONDAY + timedelta(hours=20), SpikeRule(key_name="ci"))
    part_of_yesterday = Decimal(2) * 4 / 24
    assert verdict.ratio == pytest.approx((spent + part_of_yesterday) / 2)
    assert verdict.level is level
    assert judge(seen, MONDAY + timedelta(hours=20), SpikeRule(key_name="laptop")).level is Level.NORMAL
    assert judge(seen, MONDAY + timedelta(hours=20), SpikeRule(key_name="none")).level is Level.PREPARING


def test_a_key_drives_a_spike_that_no_single_model_explains():
    at = MONDAY + timedelta(hours=20)
    models = {f"v/model-{name}": Spend(usd(15)) for name in "bcd"}
    by_models = with_keys(44, today=Reading(Today(MONDAY.date(), models), at, Health.OK))
    driver = judge(by_models, at, SpikeRule()).driver
    assert driver is not None
    assert (driver.name, driver.is_key, driver.times) == ("ci", True, 22)
    one = {"v/model-b": Spend(usd(45))}
    driver = judge(with_keys(44, today=Reading(Today(MONDAY.date(), one), at, Health.OK)), at, SpikeRule()).driver
    assert driver is not None
    assert (driver.name, driver.is_key) == ("v/model-b", False)
