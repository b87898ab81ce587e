"""The top-models tile: two models at a time."""

from datetime import timedelta

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Row
from tests.build import NOON, snapshot
from tests.tiles.views import notice, view_of

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
