"""The page tile: the name of its page, and which page is shown."""

import pytest

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.view import Tone
from tests.tiles.views import notice
from tools.tile_cases import cases_of, face_of_case

CASES = {case.name: case for case in cases_of(TILES["page"])}


@pytest.mark.parametrize(
    ("case", "words", "tone", "detail", "text", "dots"),
    [
        ("this one", "main", Tone.MUTED, "shown now", "Page main, shown now", (0, 3)),
        ("another", "main", Tone.ACCENT, "", "Page main", (1, 3)),
        ("long name", "all the money", Tone.ACCENT, "", "Page all the money", (0, 3)),
    ],
)
def test_it_names_its_page_and_the_dots_show_the_current_one(case, words, tone, detail, text, dots):
    view = face_of_case(TILES["page"], CASES[case], "dark").view
    assert (notice(view).words, notice(view).tone, notice(view).detail) == (words, tone, detail)
    assert (view.text, view.page) == (text, dots)
