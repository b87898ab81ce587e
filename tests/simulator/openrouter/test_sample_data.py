"""The amounts of the sample account: they add up, grow with the clock, and depend on the seed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.simulator.openrouter.account_client import Now, ask, days, query, today, used

TIMES = [(0, 0), (0, 5), (0, 29), (0, 40), (6, 0), (9, 30), (12, 0), (17, 45), (23, 55)]


def test_the_same_seed_gives_the_same_account_and_another_seed_another(now: Now) -> None:
    with (
        SampleAccount(seed=5, clock=now) as one,
        SampleAccount(seed=5, clock=now) as two,
        SampleAccount(seed=6, clock=now) as other,
    ):
        assert ask(one, "/activity").body == ask(two, "/activity").body != ask(other, "/activity", key=other.key).body
        assert one.key == two.key != other.key
        assert one.key.startswith("sk-or-v1-")


def test_the_counter_grows_by_what_today_and_the_days_add_up_to(sample: SampleAccount, now: Now) -> None:
    now.at = now.at.replace(hour=0)
    at_midnight = used(sample)
    now.at += timedelta(hours=15, minutes=7)
    assert used(sample) - at_midnight == today(sample, now) > 0
    now.at = now.at.replace(hour=0, minute=0) + timedelta(days=1)
    at_next = used(sample)
    now.at += timedelta(minutes=30)
    assert days(sample)["2026-11-24"] == at_next - at_midnight


def test_money_grows_with_the_clock_and_never_falls(sample: SampleAccount, now: Now) -> None:
    amounts = []
    for _ in range(48):
        now.at += timedelta(minutes=37)
        amounts.append(used(sample))
    assert amounts == sorted(amounts)
    assert len(set(amounts)) == len(amounts)


def test_thirty_completed_days_of_eight_models_and_never_today(sample: SampleAccount) -> None:
    rows = ask(sample, "/activity").data
    assert {row["date"] for row in rows} == {
        f"{datetime(2026, 11, 24) - timedelta(days=back):%Y-%m-%d} 00:00:00" for back in range(1, 31)
    }
    assert len({row["model"] for row in rows if row["usage"]}) == 8
    assert len({row["model"].split("/")[0] for row in rows if row["usage"]}) == 4


def test_yesterday_settles_half_an_hour_after_midnight(sample: SampleAccount, now: Now) -> None:
    now.at = now.at.replace(hour=0, minute=29)
    early = days(sample)["2026-11-23"]
    now.at = now.at.replace(minute=30)
    assert early < days(sample)["2026-11-23"]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("day", [23, 29])  # a Monday after a quiet Sunday, and a Sunday
@pytest.mark.parametrize(("scenario", "lowest", "highest"), [("normal", 0, 2), ("spike", 3.5, 4.6), ("critical", 8.5, 9.6)])
def test_the_last_day_costs_about_one_four_or_nine_usual_days_at_any_time(
    now: Now, seed: int, day: int, scenario: str, lowest: float, highest: float
) -> None:
    now.at = datetime(2026, 11, day, tzinfo=UTC)
    with SampleAccount(scenario, seed, now) as sample:
        for hour, minute in TIMES:
            now.at = now.at.replace(hour=hour, minute=minute)
            sums = days(sample)
            yesterday = f"{now.at - timedelta(days=1):%Y-%m-%d}"
            usual = [usd for date, usd in sums.items() if date != yesterday and usd > 0]
            baseline = sum(usual, Decimal(0)) / len(usual)
            elapsed = Decimal(hour * 60 + minute) / 1440
            spent_today = today(sample, now) if elapsed else Decimal(0)
            estimated = (spent_today + (1 - elapsed) * sums[yesterday]) / baseline
            assert lowest <= estimated <= highest, now.at
            counted = used(sample)
            books_then = sample.state().ledger.uses(now.at - timedelta(days=1), now.at)
            assert lowest <= sum((use.usd for use in books_then), Decimal(0)) / baseline <= highest, now.at
            assert counted > 0


def test_the_extra_spend_is_of_one_model(now: Now) -> None:
    with SampleAccount("critical", clock=now) as sample:
        rows = ask(sample, "/analytics/query", query(now.at)).data["data"]
    first, second = (Decimal(row["credits_usage"]) for row in rows[:2])
    assert rows[0]["model"] == "GPT-5"
    assert first > 5 * second
