"""The providers tile: spend per upstream provider."""

from datetime import timedelta

from openbalance_hid.account.snapshot import Health
from tests.build import NOON, day_of_samples, snapshot
from tests.tiles.views import notice, rows, view_of


def test_a_provider_adds_up_its_models():
    days = {NOON.date() - timedelta(days=1): {"one/a": 3, "one/b": 2, "two/c": 4}}
    idle = snapshot(days=days, today={}, taken=day_of_samples(0))
    assert rows(view_of("providers", idle)) == [("one", "$5.00"), ("two", "$4.00")]
    assert rows(view_of("providers", snapshot(days=days))) == [("one", "≥ $5.00"), ("two", "≥ $4.00")], "today is unknown"


def test_a_refused_activity_is_an_error_of_openrouter():
    assert notice(view_of("providers", snapshot(activity_health=Health.SERVER_ERROR))).words == "API error"
