"""The numbers of a report: those of the tiles, with unknown days as gaps and sums over them as lower bounds."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.utc_days import midnight
from openbalance_hid.report.figures import AccountFigures, figures
from openbalance_hid.report.period import ReportPeriod, parts_of, period_named
from tests.report.histories import NOW, TODAY, back, history


def of(found: object, period: str = "30d", budget: int | None = None) -> AccountFigures:
    named = period_named(period, TODAY)
    assert named is not None
    return figures(found, named, None if budget is None else Decimal(budget), NOW)  # type: ignore[arg-type]


def test_a_day_without_data_is_unknown_and_the_sum_over_it_is_a_lower_bound():
    report = of(history({back(60): {"a": 5}, back(45): {"a": 7}}, read_at=midnight(back(40))), "all")
    by_day = {each.day: each.spent for each in report.days}
    assert (by_day[back(60)].usd, by_day[back(45)].usd) == (5, 7)
    assert by_day[back(50)].usd == 0, "between two days of an answer"
    assert by_day[back(20)].usd is None
    assert (report.total.usd, report.total.lower_bound) == (12, True)
    assert report.unknown_days == 42


def test_a_day_without_requests_is_zero_and_no_gap():
    report = of(history({back(3): {"a": 1}, back(1): {"a": 2}}))
    idle = {each.day: each for each in report.days}[back(2)]
    assert (idle.spent.usd, idle.requests, idle.tokens) == (0, 0, 0)


def test_a_day_that_only_the_counter_knows_has_its_amount():
    samples = [(midnight(back(age)) + timedelta(seconds=5), 10 - age) for age in (3, 2, 1)]
    report = of(history({}, samples, read_at=None))
    by_day = {each.day: each.spent.usd for each in report.days}
    assert (by_day[back(3)], by_day[back(2)]) == (1, 1)
    assert by_day[back(5)] is None


def test_what_the_counter_saw_over_several_unknown_days_is_in_the_sum():
    samples = [(midnight(back(9)), 10), (midnight(back(3)), 40)]
    report = figures(history({}, samples, read_at=None), ReportPeriod("all", back(9), back(4)), None, NOW)
    assert report.unknown_days == 6
    assert (report.total.usd, report.total.lower_bound) == (30, False)


def test_names_are_lower_bounds_where_more_was_spent_than_is_reported_by_name():
    samples = [(midnight(TODAY), 10), (NOW, 13)]
    report = of(history({back(1): {"a": 2, "b": 1}}, samples), "month")
    ranking = report.rankings["model"]
    assert [(each.name, each.spent.usd, each.spent.lower_bound) for each in ranking.names] == [("a", 2, True), ("b", 1, True)]
    assert ranking.rest is not None
    assert ranking.rest.usd == 3
    assert report.rankings["provider"].names == ()


def test_shares_and_names_of_keys_are_those_of_the_period():
    keys = {back(1): {"laptop": 3, "ci": 1}, back(40): {"old": 9}}
    ranking = of(history({back(1): {"a": 4}}, keys=keys)).rankings["key"]
    assert [(each.name, each.share) for each in ranking.names] == [("laptop", 0.75), ("ci", 0.25)]


def test_the_mean_of_a_weekday_leaves_unknown_days_and_today_out():
    days = {back(age): {"a": 2} for age in range(1, 8)} | {back(8): {"a": 4}}
    report = of(history(days, read_at=None))
    means = {each.name: (each.mean.usd, each.days) for each in report.weekdays}
    assert means[back(7).strftime("%A")] == (2, 1), "today is the same weekday"
    assert means[back(1).strftime("%A")] == (3, 2)


def test_a_budget_is_compared_with_whole_utc_months():
    first = TODAY.replace(day=1)
    days = {first + timedelta(days=age): {"a": 10} for age in range((TODAY - first).days)}
    report = of(history(days, [(midnight(TODAY), 0), (NOW, 0)]), "30d", budget=100)
    months = {each.first: each for each in report.budget}
    assert (months[first].spent.usd, months[first].ended) == (210, False)
    assert months[date(2026, 10, 1)].ended
    assert of(history(days)).budget == ()


def test_only_events_of_the_period_are_reported():
    def run(age: int) -> MeterRun:
        return MeterRun(NOW - timedelta(days=age), NOW - timedelta(days=age, hours=-1))

    report = of(history({back(1): {"a": 1}}, runs=[run(100), run(3)]))
    assert [each.started_at for each in report.runs] == [NOW - timedelta(days=3)]


def test_a_period_before_the_history_is_empty_and_no_error():
    assert of(history({back(1): {"a": 1}}, read_at=None), "2020-01").is_empty
    assert of(history({}, read_at=None), "all").is_empty


def test_own_key_cost_is_apart_by_day_and_name_and_in_no_other_amount():
    days = {back(1): {"a": 4, "b": 0}, back(3): {"a": 1}}
    found = [of(history(days, keys={back(1): {"ci": 3}}, own=own), "2026-11") for own in (None, {back(1): 2, back(3): "0.5"})]
    assert found[0] == replace(found[1], own_keys=None), "nothing else depends on it, not even the order of names"
    own = found[1].own_keys
    assert own is not None
    assert (own.total.usd, own.total.lower_bound) == (Decimal("4.5"), True), "today is not known"
    by_day = {part.days[0]: usd.usd for part, usd in own.parts}
    assert (by_day[back(1)], by_day[back(2)], by_day[back(3)], by_day[TODAY]) == (4, 0, Decimal("0.5"), None)
    names = own.rankings["model"]
    assert [(name, usd.usd, usd.lower_bound) for name, usd in names.names] == [("a", Decimal("2.5"), True), ("b", 2, True)]
    assert names.rest is None
    keys = own.rankings["key"]
    assert [(name, usd.usd) for name, usd in keys.names] == [("ci", 2)]
    assert keys.rest is not None
    assert keys.rest.usd == Decimal("2.5")


@pytest.mark.parametrize("own", [None, {}, {back(1): None}, {back(1): 0}])
def test_without_own_key_cost_a_report_has_no_part_for_it(own: dict[date, int | None] | None):
    assert of(history({back(1): {"a": 4}}, own=own)).own_keys is None


def test_a_day_from_before_own_key_cost_was_stored_makes_its_sum_a_lower_bound():
    own = of(history({back(1): {"a": 4}, back(2): {"a": 4}}, own={back(1): 2, back(2): None}), "2026-11").own_keys
    assert own is not None
    by_day = {part.days[0]: usd for part, usd in own.parts}
    assert (by_day[back(2)].usd, by_day[back(1)].usd) == (None, 2)
    assert own.total.sign == "≥"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("30d", date(2026, 10, 23), TODAY),
        ("month", date(2026, 11, 1), TODAY),
        ("2026-11", date(2026, 11, 1), TODAY),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("all", None, TODAY),
    ],
)
def test_a_period_ends_with_its_month_or_today(name: str, first: date | None, last: date):
    assert period_named(name, TODAY) == ReportPeriod(name, first, last)


@pytest.mark.parametrize(
    "name", ["", "7d", "2026-13", "2026-00", "2026-12", "2026-1", "2026-11-01", "1999-01", "ALL", "٢٠٢٦-11"]
)
def test_no_other_text_is_a_period(name: str):
    assert period_named(name, TODAY) is None


@pytest.mark.parametrize(
    ("count", "unit"), [(1, "day"), (62, "day"), (63, "week"), (400, "week"), (401, "month"), (4000, "month")]
)
def test_the_parts_of_a_period_hold_each_day_once(count: int, unit: str):
    days = [back(age) for age in range(count - 1, -1, -1)]
    found, parts = parts_of(days)
    assert found == unit
    assert [day for part in parts for day in part.days] == days
    assert len(parts) <= 140


def test_the_moment_of_the_report_is_utc():
    assert of(history({}, [(datetime.fromisoformat("2026-11-22T23:30:00-05:00"), 1)], read_at=None)).days[-1].day == TODAY
