"""The same digits have the same size on neighbouring keys, whatever marks the lines below them carry."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.spend import Trend
from openbalance_hid.render.items import Role, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.tiles.comparison import amount_line, comparison_line, spent_line
from openbalance_hid.tiles.formatting import money
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount
from openbalance_hid.tiles.view import Hero, Icon, KeyFace, Line, TileView
from tests.build import NOON, samples, snapshot
from tests.tiles.views import view_of
from tools.tile_cases import snapshot_of


def spent(yesterday: str, today: str, since_h: int = 36):
    """Return an account that spent these amounts by this time of both days; sampled for so many hours."""
    marks = [
        (NOON - timedelta(hours=36), "0"),
        (NOON - timedelta(hours=24), yesterday),
        (NOON - timedelta(hours=12), yesterday),
    ]
    readings = [(at, float(usd)) for at, usd in marks] + [(NOON, float(yesterday) + float(today))]
    return snapshot(taken=samples([reading for reading in readings if reading[0] >= NOON - timedelta(hours=since_h)]))


def items_of(view, side):
    face = KeyFace(view)
    return [item for item in lay_out(face.view, heading_of(face), side, side).items if isinstance(item, TextItem)]


@pytest.mark.parametrize("side", [72, 80, 96, 112, 120])
@pytest.mark.parametrize(
    ("yesterday", "today"),
    [("1", "1"), ("1", "0.6"), ("1", "1.6"), ("1", "2.005"), ("1", "2.69"), ("0.1", "0.999"), ("1", "30"), ("100", "99.9")],
)
def test_no_comparison_makes_the_number_above_it_smaller(yesterday, today, side):
    for tile in ("balance", "today"):
        view = view_of(tile, spent(yesterday, today))
        texts = items_of(view, side)
        plain = next(item for item in items_of(view_of(tile, spent("1", "1")), side) if item.role is Role.HERO)
        hero = next(item for item in texts if item.role is Role.HERO)
        assert hero.size_px == plain.size_px, [item.text for item in texts]


@pytest.mark.parametrize("side", [72, 80, 96, 112, 120])
@pytest.mark.parametrize("usd", ["0.0326", "9.87", "12.34", "74.25", "355", "1234", "99999"])
def test_no_mark_of_an_amount_makes_the_number_above_it_smaller(usd, side):
    spent_usd = Decimal(usd)
    rough, least = Amount(spent_usd, approximate=True), Amount(spent_usd, lower_bound=True)
    for before in ("0.3", "1.7", "3.7", "30"):
        compared = Trend(rough, Amount(spent_usd / Decimal(before), approximate=True), "yesterday")
        assert_hero(side, (spent_line(compared), comparison_line(compared)))
    assert_hero(side, (Line(f"{money(least)} today"),))


@pytest.mark.parametrize("size", [(72, 72), (80, 80), (96, 96), (112, 112), (120, 120), (144, 144), (178, 100), (200, 100)])
def test_a_word_with_a_descender_is_as_large_as_any_other(size):
    def hero_px(word: str) -> int:
        lines = (Line("4.2× usual", strong=True), Line("sonnet-4.5"))
        view = TileView("spike-alert", "Pace 24 h", (Hero(word, icon=Icon.WARNING), *lines), "")
        items = lay_out(view, heading_of(KeyFace(view)), *size).items
        return next(item.size_px for item in items if isinstance(item, TextItem) and item.role is Role.HERO)

    assert hero_px("Spike") == hero_px("Swine")


@pytest.mark.parametrize("side", [72, 80, 96, 112, 120])
@pytest.mark.parametrize("usd", ["0", "0.004", "9.99", "74.25", "99.99", "355", "1234", "9999.4", "12345", "99999", "999499"])
@pytest.mark.parametrize("day", ["today", "yesterday"])
def test_the_name_of_a_day_never_loses_its_amount(day, usd, side):
    for amount in (Amount(Decimal(usd)), Amount(Decimal(usd), lower_bound=True), Amount(Decimal(usd), approximate=True)):
        view = TileView("balance", "Balance", (Hero("$74.25"), amount_line(amount, day)), "")
        below = items_of(view, side)[-1].text
        assert "$" in below, below
        assert below.endswith((day, "yest.")), below


def assert_hero(side, lines):
    texts = items_of(TileView("balance", "Balance", (Hero("$74.25"), *lines), ""), side)
    plain = items_of(TileView("balance", "Balance", (Hero("$74.25"), Line("a"), Line("b")), ""), side)
    size, usual = (next(item.size_px for item in items if item.role is Role.HERO) for items in (texts, plain))
    assert size == usual, [item.text for item in texts]


@pytest.mark.parametrize("side", [72, 80, 96, 112, 120])
@pytest.mark.parametrize("limit_usd", ["25", "30.5", "36", "37.5", "41", "100"])
def test_no_budget_makes_its_own_number_smaller(limit_usd, side):
    seen = snapshot_of(CaseAccount())
    usual = items_of(view_of("budget", seen, now=CASE_TIME, limit_usd=Decimal(1000)), side)
    texts = items_of(view_of("budget", seen, now=CASE_TIME, limit_usd=Decimal(limit_usd)), side)
    sizes = [next(item.size_px for item in items if item.role is Role.HERO) for items in (texts, usual)]
    assert sizes[0] == sizes[1], [item.text for item in texts]
