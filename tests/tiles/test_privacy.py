"""The privacy tile: whether amounts are masked, and how to change it."""

import pytest

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.view import Icon
from tests.tiles.views import notice
from tools.tile_cases import cases_of, face_of_case

CASES = {case.name: case for case in cases_of(TILES["privacy"])}


@pytest.mark.parametrize(
    ("case", "icon", "words", "text"),
    [
        ("shown", Icon.EYE, "Shown", "Amounts shown, tap to hide"),
        ("hidden", Icon.EYE_OFF, "Hidden", "Amounts hidden, hold to peek"),
        ("peeking", Icon.EYE, "Shown", "Amounts shown, while held"),
    ],
)
def test_it_shows_whether_amounts_are_masked(case, icon, words, text):
    view = face_of_case(TILES["privacy"], CASES[case], "dark").view
    assert (notice(view).icon, notice(view).words, view.text) == (icon, words, text)
