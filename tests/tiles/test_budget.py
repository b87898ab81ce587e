"""The budget tile: amounts, tones, projections and missing limits."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Sample
from openbalance_hid.tiles.view import Icon, Line, Tone
from tests.build import NOON, days_back, snapshot
from tests.tiles.views import gauge, hero, lines, notice, view_of


def until_noon(midnight_usd: str, noon_usd: str) -> tuple[Sample, ...]:
    """Return samples at midnight and at noon."""
    usages = ((NOON - timedelta(hours=12), -43200.0, midnight_usd), (NOON, 0.0, noon_usd))
    return tuple(Sample(at, mono_s, Decimal(100), Decimal(usage)) for at, mono_s, usage in usages)


ACCOUNT = snapshot(days=days_back([2] * 30), taken=until_noon("24.75", "25.75"), budget=None)  # 43 of this month, 60 at its end


@pytest.mark.parametrize(
    ("limit", "tone", "words"),
    [
        (100, Tone.INK, "of $100, on pace"),
        (53, Tone.WARN, "of $53.00, ends $7.00 over"),
        (42, Tone.ALARM, "of $42.00, over by $1.00"),
    ],
)
def test_the_tile_says_where_this_pace_ends(limit, tone, words):
    view = view_of("budget", ACCOUNT, limit_usd=Decimal(limit))
    assert (hero(view).text, gauge(view).tone) == ("$43.00", Tone.ACCENT if tone is Tone.INK else tone)
    assert lines(view) == [words]
    (line,) = [block for block in view.blocks if isinstance(block, Line)]
    assert (line.icon is Icon.WARNING) == (tone is not Tone.INK)


def test_the_mark_is_where_the_period_is():
    assert gauge(view_of("budget", ACCOUNT, limit_usd=Decimal(100))).mark == pytest.approx(21.5 / 30)


def test_the_budget_of_the_account_is_the_limit_of_a_month_only():
    account = replace(ACCOUNT, budget_usd=Decimal(200))
    assert lines(view_of("budget", account)) == ["of $200, on pace"]
    assert notice(view_of("budget", account, period="week")).words == "No limit"


@pytest.mark.parametrize(
    ("limit", "days_known", "tone", "words"),
    [
        (100, 30, Tone.MUTED, "of $100, ends ≥ $60"),
        (55, 30, Tone.WARN, "of $55.00, ends ≥ $60"),
        (20, 30, Tone.ALARM, "of $20.00, over by ≥ $23"),
        ("1.25", None, Tone.MUTED, "of $1.25, ≤ $0.25 left"),
    ],
)
def test_with_an_unknown_part_nothing_is_on_pace_and_nothing_is_certainly_left(limit, days_known, tone, words):
    days = None if days_known is None else days_back([2] * days_known)
    view = view_of("budget", snapshot(days=days, today={"m": 1}), limit_usd=Decimal(limit))
    assert hero(view).text.startswith("≥")
    (line,) = [block for block in view.blocks if isinstance(block, Line)]
    assert (line.text, line.tone) == (words, tone)


def test_without_one_completed_day_the_month_is_unknown_and_its_trouble_is_shown():
    account = snapshot(today={"m": 1}, activity_health=Health.SERVER_ERROR)
    view = view_of("budget", account, limit_usd=Decimal(100))
    assert (hero(view).text, lines(view)) == ("—", ["of $100"])
    assert view.text == "Month budget (UTC) — of $100, not known, API error"
