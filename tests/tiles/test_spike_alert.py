"""The spike-alert tile: word, driver, ratio and the call for attention."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.alert import Alert, AlertKind, acknowledge
from openbalance_hid.account.snapshot import Health, Reading
from openbalance_hid.account.spike import Level
from openbalance_hid.tiles.view import Icon, Tone
from tests.build import NOON, day_of_samples, days_back, snapshot
from tests.tiles.views import FULL, gauge, hero, lines, notice, view_of


@pytest.mark.parametrize(
    ("spent", "word", "tone", "attention"),
    [(3, "Normal", Tone.GOOD, False), (12, "Spike", Tone.WARN, True), (24, "Critical", Tone.ALARM, True)],
)
def test_it_shows_word_ratio_and_on_an_alarm_the_driver(spent, word, tone, attention):
    view = view_of("spike-alert", snapshot(days=days_back([3] * 6), today={"v/model-a": spent}, taken=day_of_samples(spent)))
    assert (hero(view).text, hero(view).tone, view.attention) == (word, tone, attention)
    assert view.title == "Pace 24 h"
    ratio = f"{spent / 3:.1f}×"
    assert lines(view) == ([f"{ratio} of 3×"] if word == "Normal" else [f"{ratio} usual", "model-a"])
    assert (f"{ratio} the usual pace" in view.text, "mostly model-a" in view.text) == (True, attention)


def test_a_calm_day_has_a_gauge_of_the_pace_with_a_mark_at_the_threshold():
    seen = snapshot(days=days_back([3] * 6), taken=day_of_samples(6))
    assert (gauge(view_of("spike-alert", seen)).share, gauge(view_of("spike-alert", seen)).mark) == (0.5, 0.75)
    view = view_of("spike-alert", seen, threshold=Decimal("2.5"))
    assert (gauge(view).share, gauge(view).mark, lines(view)) == (0.6, 0.75, ["2.0× of 2.5×"])


def test_an_acknowledged_spike_stops_calling_and_stays_true():
    seen = snapshot(days=days_back([3] * 6), taken=day_of_samples(12))
    alert = acknowledge(Alert(AlertKind.SPIKE, "default", Level.SPIKE, NOON), Level.SPIKE)
    view = view_of("spike-alert", seen, alert=alert)
    assert (hero(view).text, view.attention) == ("Spike", False)
    worse = snapshot(days=days_back([3] * 6), taken=day_of_samples(30))
    assert view_of("spike-alert", worse, alert=alert).attention


def test_too_few_days_gather_a_baseline_and_stale_data_is_grey():
    young = view_of("spike-alert", snapshot(days=days_back([2, 2]), taken=day_of_samples(50)))
    assert (notice(young).words, notice(young).detail) == ("Gathering baseline", "2/3")
    old = view_of("spike-alert", FULL, NOON + timedelta(minutes=70))
    assert (hero(old).tone, hero(old).icon, lines(old)[0]) == (Tone.MUTED, Icon.CLOCK, "70 m old")


def test_a_refused_activity_is_an_error_of_openrouter():
    assert notice(view_of("spike-alert", snapshot(activity_health=Health.SERVER_ERROR))).words == "API error"


def test_a_display_name_without_a_slug_is_not_new():
    """It may be the model of the completed days: OpenRouter's list of models was not read."""
    view = view_of("spike-alert", snapshot(days=days_back([3] * 6), today={"Model A": 24}, taken=day_of_samples(24)))
    assert (lines(view)[1], view.text) == ("Model A", "Pace 24 h: Critical, 8.0× the usual pace, mostly Model A")
    both = {NOON.date() - timedelta(days=age): {"v/model-a": 3, "v/model-b": 1} for age in range(1, 7)}
    new = view_of("spike-alert", snapshot(days=both, today={"v/model-a": 3, "v/model-c": 30}, taken=day_of_samples(33)))
    assert new.text.endswith("mostly model-c (new)")


def test_an_unknown_window_has_the_trouble_of_its_endpoint():
    seen = snapshot(days=days_back([3] * 6))
    assert notice(view_of("spike-alert", replace(seen, today=Reading(health=Health.SERVER_ERROR)))).words == "API error"


def test_a_key_without_its_days_has_the_trouble_of_their_endpoint():
    seen = replace(FULL, key_days=Reading(), activity=Reading(health=Health.SERVER_ERROR))
    assert notice(view_of("spike-alert", seen, key_name="ci")).words == "API error"
