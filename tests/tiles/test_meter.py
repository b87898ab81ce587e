"""The meter tile: its states, the amount and how long the run lasted."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.view import Age, Hero, Icon
from tests.build import snapshot
from tests.tiles.views import hero, lines, view_of
from tools.tile_cases import cases_of, face_of_case

CASES = {case.name: case for case in cases_of(TILES["meter"])}


def test_a_refused_activity_leaves_the_meter_ready():
    assert hero(view_of("meter", snapshot(activity_health=Health.SERVER_ERROR))) == Hero("Start", icon=Icon.PLAY)


@pytest.mark.parametrize(
    ("case", "state", "amount", "lasted", "text"),
    [
        ("running", "running", "$0.42", "12 m", "Meter running, $0.42 in 12 m"),
        ("just begun", "running", "—", "<1 m", "Meter running, — in <1 m"),
        ("running, large", "running", "~$1,234", "12 m", "Meter running, ~$1,234 in 12 m"),
        ("settling", "not final", "$0.42", "12 m", "Meter settling, $0.42 in 12 m"),
        ("stopped", "stopped", "$0.42", "42 m", "Meter stopped, $0.42 in 42 m"),
        ("stopped, not counted", "uncounted", "—", "42 m", "Meter stopped, — in 42 m"),
    ],
)
def test_it_shows_state_amount_and_duration(case, state, amount, lasted, text):
    view = face_of_case(TILES["meter"], CASES[case], "dark").view
    assert (view.title, hero(view).text, lines(view), view.text) == ("Meter", amount, [state, lasted], text)


def test_the_amount_ages_while_it_runs_and_not_after_the_stop():
    ages = {
        name: face_of_case(TILES["meter"], replace(CASES[name], later=timedelta(minutes=4)), "dark").view.age
        for name in ("running", "stopped")
    }
    assert ages == {"running": Age.STALE, "stopped": Age.FRESH}
