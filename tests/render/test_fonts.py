"""What the typeface promises: figures of one width, boxes that hold their ink, and a mark for what it lacks."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbalance_hid.render import fonts
from openbalance_hid.render.fit import fit, shortened, wrap
from openbalance_hid.render.fonts import ELLIPSIS, UNKNOWN_GLYPH, Weight
from openbalance_hid.tiles.view import Shorten

ON_THE_KEYS = "$0123456789.,-%×~/+—–…·" + string.ascii_letters


@pytest.mark.parametrize("weight", Weight)
def test_all_figures_are_equally_wide_at_every_size(weight):
    for size in range(10, 60):
        assert len({fonts.width_px(digit, weight, size) for digit in string.digits}) == 1


def test_the_font_has_every_sign_that_a_key_shows():
    assert fonts.printable(ON_THE_KEYS) == ON_THE_KEYS


def test_what_the_font_lacks_becomes_a_neutral_mark():
    assert fonts.printable("模型😀-x") == UNKNOWN_GLYPH * 3 + "-x"


def test_invisible_characters_and_line_breaks_leave_no_trace():
    assert fonts.printable("a\u200bb\ufe0f \n\t c\x00\u202e") == "ab c"


@given(st.text(max_size=500))
@settings(deadline=None)
def test_any_text_becomes_one_printable_line(text):
    said = fonts.printable(text)
    assert said == fonts.printable(said)
    assert "\n" not in said
    assert len(said) <= fonts.LONGEST_RUN * 4


@pytest.mark.parametrize("weight", Weight)
@pytest.mark.parametrize("size", [11, 12, 15, 18, 23, 29, 41])
def test_the_box_of_a_text_holds_its_ink(weight, size):
    for text in (*ON_THE_KEYS, "É", "Å", "gpt-5", "$74.25", "`@("):
        run = fonts.run(text, weight, size)
        left, top, right, bottom = run.mask.getbbox()
        assert run.baseline_px - top <= fonts.ascent_px(text, weight, size), text
        assert bottom - run.baseline_px <= fonts.descent_px(text, weight, size), text
        assert left >= run.left_px - 1, text  # a `j` may lean one pixel out
        assert right <= run.left_px + fonts.width_px(text, weight, size) + 1, text


@given(st.text("abcdefgW-19. ", min_size=1, max_size=40), st.integers(0, 120), st.sampled_from(Shorten))
@settings(deadline=None)
def test_a_fitted_text_is_never_wider_than_its_room(text, room, shorten):
    fitted = fit(text, room, (15, 12, 11), Weight.TEXT, shorten)
    assert fitted.width_px <= room
    assert fitted.width_px == fonts.width_px(fitted.text, Weight.TEXT, fitted.size_px)


def test_size_gives_way_before_wording_and_wording_before_letters():
    room = fonts.width_px("sonnet-4.5", Weight.TEXT, 12)
    assert fit("sonnet-4.5", room, (14, 12, 11), Weight.TEXT, variants=("s",)).size_px == 12
    assert fit("claude-sonnet-4.5", room, (14, 12, 11), Weight.TEXT, variants=("sonnet-4.5",)).text == "sonnet-4.5"
    assert ELLIPSIS in fit("claude-sonnet-4.5", room, (14, 12, 11), Weight.TEXT).text


def test_an_ellipsis_leaves_as_many_letters_as_fit():
    text, size = "mistral-large-2411", 11
    room = fonts.width_px(text, Weight.TEXT, size) - 1
    assert len(shortened(text, room, Weight.TEXT, size, Shorten.MIDDLE)) >= len(text) - 3


def test_words_wrap_into_lines_of_even_length():
    room = fonts.width_px("Gathering", Weight.STRONG, 13)
    assert wrap("Gathering baseline", room, 13, Weight.STRONG, 2) == ("Gathering", "baseline")
    assert wrap("Gathering baseline", room - 1, 13, Weight.STRONG, 2) is None


def test_a_model_name_is_cut_before_a_whole_word_of_it():
    def cut(text, letters):
        room = fonts.width_px("n" * letters, Weight.TEXT, 12)
        return shortened(text, room, Weight.TEXT, 12, Shorten.MIDDLE)

    assert cut("claude-opus-4.1", 12) == "clau…opus-4.1"
    assert cut("claude-opus-4.1", 11) == "cla…opus-4.1"
    assert cut("deepseek-r1-distill-qwen-32b-0528", 12).endswith("…0528")
    assert cut("deepseek-r1-distill-qwen-32b-0528", 12).startswith("deeps")
    assert cut("nnnnnnnnnnnnnnnnnnnn", 11) in ("nnnnn…nnnnn", "nnnn…nnnnn")
