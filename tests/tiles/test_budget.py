"""The budget tile: amounts, tones, projections and missing limits."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Sample
from openbalance_hid.render.items import TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount
from openbalance_hid.tiles.view import Icon, KeyFace, Line, Tone
from tests.build import NOON, days_back, snapshot
from tests.tiles.views import gauge, hero, lines, notice, view_of
from tools.tile_cases import snapshot_of


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


@pytest.mark.parametrize("side", [72, 80, 96, 120])
@pytest.mark.parametrize("times", [1, 30, 300, 3000, 30_000])
@pytest.mark.parametrize("limit", [25, 31, 36, 41, 44, 100])
def test_the_words_below_a_budget_are_whole_at_every_amount(limit, times, side):
    usual = CaseAccount()
    days = tuple(str(Decimal(day) * times) for day in usual.days)
    seen = snapshot_of(replace(usual, days=days, today=str(times), yesterday=(str(times), str(times))))
    view = view_of("budget", seen, CASE_TIME, limit_usd=min(Decimal(10**6), Decimal(limit) * times))
    texts = [item for item in lay_out(view, heading_of(KeyFace(view)), side, side).items if isinstance(item, TextItem)]
    _, _, *below = sorted(texts, key=lambda item: item.baseline)
    assert len(below) == 1, [item.text for item in texts]
    assert any(word in below[0].text for word in ("over", "ends", "on pace", "left"))


def test_near_its_limit_a_budget_shows_what_is_left():
    (line,) = [
        block for block in view_of("budget", ACCOUNT, limit_usd=Decimal(70), warn_percent=60).blocks if isinstance(block, Line)
    ]
    assert (line.text, line.tone, line.icon) == ("of $70.00, $27.00 left", Tone.WARN, Icon.WARNING)


def test_without_one_completed_day_the_month_is_unknown_and_its_trouble_is_shown():
    account = snapshot(today={"m": 1}, activity_health=Health.SERVER_ERROR)
    view = view_of("budget", account, limit_usd=Decimal(100))
    assert (hero(view).text, lines(view)) == ("—", ["of $100"])
    assert view.text == "Month budget (UTC) — of $100, not known, API error"
