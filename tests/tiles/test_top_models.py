"""The top-models tile: two models at a time."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.amount import NOTHING, Amount
from openbalance_hid.account.snapshot import Activity, Health, Reading, Spend
from openbalance_hid.tiles.masked import masked
from openbalance_hid.tiles.view import Row
from tests.build import NOON, day_of_samples, snapshot, usd
from tests.tiles.views import notice, rows, view_of

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
def test_it_shows_six_models_two_at_a_time(turn, names, page):
    view = view_of("top-models", MANY, turn=turn)
    assert [block.name for block in view.blocks if isinstance(block, Row)] == names
    assert view.page == page


def test_tokens_of_today_are_unknown_never_zero():
    view = view_of("top-models", snapshot(days={}, today={"Model A": 2, "Model B": 3}), period="today", by="tokens")
    assert [(block.name, block.amount) for block in view.blocks if isinstance(block, Row)] == [
        ("Model B", "—"),
        ("Model A", "—"),
    ]


def test_a_refused_activity_is_an_error_of_openrouter():
    assert notice(view_of("top-models", snapshot(activity_health=Health.SERVER_ERROR))).words == "API error"


def test_own_key_cost_apart_is_a_row_of_its_own_below_each_model():
    day = NOON.date() - timedelta(days=1)
    spent = {"one": Spend(usd(5), 1, 1, Amount(usd(2))), "two": Spend(usd(3), 1, 1, NOTHING), "none": Spend(usd(1), 1, 1)}
    spent["own"] = Spend(usd(0), 1, 1, Amount(usd(4)))
    seen = snapshot(today={}, taken=day_of_samples(0))
    seen = replace(seen, activity=Reading(Activity({day: spent}, {day: spent}), NOON, Health.OK))
    pages = [view_of("top-models", seen, turn=turn, byok="apart") for turn in range(4)]
    assert [rows(page) for page in pages] == [
        [("one", "$5.00"), ("own key", "≥ $2.00")],
        [("own", "$0.00"), ("own key", "≥ $4.00")],
        [("two", "$3.00"), ("own key", "≥ $0.00")],
        [("none", "$1.00"), ("own key", "—")],
    ]
    assert [page.page for page in pages] == [(turn, 4) for turn in range(4)]
    assert pages[1].text == "Models 30 d: own $0.00, own key ≥ $4.00"
    assert [name for name, _ in rows(view_of("top-models", seen))] == ["one", "two"], "off: as without own keys"
    hidden = rows(masked(pages[0]))
    assert hidden == [("one", "$•••"), ("own key", "≥ $•••")]


def test_models_that_cost_no_credits_are_shown_with_own_key_cost_apart():
    day = NOON.date() - timedelta(days=1)
    spent = {day: {"own": Spend(usd(0), 1, 1, Amount(usd(4)))}}
    seen = replace(snapshot(today={}, taken=day_of_samples(0)), activity=Reading(Activity(spent, spent), NOON, Health.OK))
    assert notice(view_of("top-models", seen)).words == "No spend yet"
    assert rows(view_of("top-models", seen, byok="apart")) == [("own", "$0.00"), ("own key", "≥ $4.00")]
