"""What the tiles with a ranking have in common."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.amount import NOTHING, Amount
from openbalance_hid.account.snapshot import Activity, Health, Reading, Spend
from openbalance_hid.tiles.masked import masked
from tests.build import NOON, day_of_samples, snapshot, usd
from tests.tiles.views import notice, rows, view_of

RANKINGS = pytest.mark.parametrize(("tile", "title"), [("top-models", "Models"), ("providers", "Providers")])


@RANKINGS
def test_own_key_cost_apart_is_a_row_of_its_own_below_each_name(tile: str, title: str):
    day = NOON.date() - timedelta(days=1)
    spent = {"one": Spend(usd(5), 1, 1, Amount(usd(2))), "two": Spend(usd(3), 1, 1, NOTHING), "none": Spend(usd(1), 1, 1)}
    spent["own"] = Spend(usd(0), 1, 1, Amount(usd(4)))
    seen = snapshot(today={}, taken=day_of_samples(0))
    seen = replace(seen, activity=Reading(Activity({day: spent}, {day: spent}), NOON, Health.OK))
    pages = [view_of(tile, seen, turn=turn, byok="apart") for turn in range(4)]
    assert [rows(page) for page in pages] == [
        [("one", "$5.00"), ("own key", "≥ $2.00")],
        [("own", "$0.00"), ("own key", "≥ $4.00")],
        [("two", "$3.00"), ("own key", "≥ $0.00")],
        [("none", "$1.00"), ("own key", "—")],
    ]
    assert [page.page for page in pages] == [(turn, 4) for turn in range(4)]
    assert pages[1].text == f"{title} 30 d: own $0.00, own key ≥ $4.00"
    assert [name for name, _ in rows(view_of(tile, seen))] == ["one", "two"], "off: as without own keys"
    hidden = rows(masked(pages[0]))
    assert hidden == [("one", "$•••"), ("own key", "≥ $•••")]


@RANKINGS
def test_names_that_cost_no_credits_are_shown_with_own_key_cost_apart(tile: str, title: str):
    day = NOON.date() - timedelta(days=1)
    spent = {day: {"own": Spend(usd(0), 1, 1, Amount(usd(4)))}}
    seen = replace(snapshot(today={}, taken=day_of_samples(0)), activity=Reading(Activity(spent, spent), NOON, Health.OK))
    assert notice(view_of(tile, seen)).words == "No spend yet"
    assert rows(view_of(tile, seen, byok="apart")) == [("own", "$0.00"), ("own key", "≥ $4.00")]
