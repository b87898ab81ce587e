"""The providers tile: spend per upstream provider."""

from datetime import timedelta

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Row
from tests.build import NOON, snapshot
from tests.tiles.views import notice, view_of


def test_a_provider_adds_up_its_models():
    days = {NOON.date() - timedelta(days=1): {"one/a": 3, "one/b": 2, "two/c": 4}}
    rows = [block for block in view_of("providers", snapshot(days=days)).blocks if isinstance(block, Row)]
    assert [(row.name, row.amount) for row in rows] == [("one", "$5.00"), ("two", "$4.00")]


def test_a_refused_activity_is_an_error_of_openrouter():
    assert notice(view_of("providers", snapshot(activity_health=Health.SERVER_ERROR))).words == "OpenRouter error"
