"""The spike-alert tile: word, driver, ratio and the call for attention."""

from datetime import timedelta

import pytest

from openbalance_hid.account.alert import Alert, AlertKind, acknowledge
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spike import Level
from openbalance_hid.tiles.view import Icon, Tone
from tests.build import NOON, day_of_samples, days_back, snapshot
from tests.tiles.views import FULL, hero, lines, notice, view_of


@pytest.mark.parametrize(
    ("spent", "word", "tone", "attention"),
    [(3, "Normal", Tone.GOOD, False), (12, "Spike", Tone.WARN, True), (24, "Critical", Tone.ALARM, True)],
)
def test_it_shows_word_driver_and_ratio(spent, word, tone, attention):
    view = view_of("spike-alert", snapshot(days=days_back([3] * 6), today={"Model A": spent}, taken=day_of_samples(spent)))
    assert (hero(view).text, hero(view).tone, view.attention) == (word, tone, attention)
    assert lines(view)[-1] == f"{spent / 3:.1f}× 24h"
    assert "model-a" in lines(view)[0]


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
    assert notice(view_of("spike-alert", snapshot(activity_health=Health.SERVER_ERROR))).words == "OpenRouter error"
