"""What the layout promises for any content on any key: all inside, nothing over another, nothing too small to read."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.render.fonts import ELLIPSIS
from openbalance_hid.render.items import DotItem, IconItem, MeterItem, Role, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.render.type_scale import CAPTION, SMALLEST_TEXT_PX, scale_of
from openbalance_hid.tiles.view import Age, Flash, Hero, Icon, KeyFace, Line, Row, Shorten, TileView, Tone
from tests.render.faces import BALANCE, MONTH, NOTICES, SIZES, SQUARES, STATES, TOP, UP, faces, sizes, view

unhurried = settings(deadline=None, max_examples=150)


def laid(face, size):
    face = face if isinstance(face, KeyFace) else KeyFace(face)
    return lay_out(face.view, heading_of(face), *size)


def words(layout):
    return " ".join(item.text for item in layout.items if isinstance(item, TextItem))


@given(faces, sizes)
@unhurried
def test_everything_stays_inside_the_safe_area(face, size):
    layout = laid(face, size)
    assert [item for item in layout.items if not layout.safe.holds(item.box)] == []


@given(faces, sizes)
@unhurried
def test_no_two_items_overlap(face, size):
    filled = [item for item in laid(face, size).items if item.box.width and item.box.height]
    assert [(one, other) for one, other in combinations(filled, 2) if one.box.overlaps(other.box)] == []


@given(faces, sizes)
@unhurried
def test_no_text_is_smaller_than_can_be_read(face, size):
    smallest = scale_of(*size).sizes(CAPTION)[-1]
    assert smallest >= SMALLEST_TEXT_PX
    assert all(item.size_px >= smallest for item in laid(face, size).items if isinstance(item, TextItem))


@given(st.integers(-999_999_00, 9_999_999_99), sizes)
@unhurried
def test_any_amount_is_shown_whole(cents, size):
    sign, dollars = "-" if cents < 0 else "", abs(cents) / 100
    amount = f"{sign}${dollars:,.2f}" if dollars < 1000 else f"{sign}${dollars:,.0f}"
    layout = laid(view("Balance", Hero(amount), UP), size)
    hero = next(item for item in layout.items if isinstance(item, TextItem) and item.role is Role.HERO)
    assert hero.text == amount
    assert layout.dropped == 0


@given(st.text("0123456789", min_size=4, max_size=4), sizes)
@unhurried
def test_numbers_do_not_jump_when_digits_change(digits, size):
    def boxes(text):
        return [item.box for item in laid(view("Balance", Hero(f"${text[:2]}.{text[2:]}"), UP), size).items]

    assert boxes(digits) == boxes("0000")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NOTICES)
def test_the_words_of_every_state_are_whole(name, size):
    notice = NOTICES[name].blocks[0]
    said = words(laid(NOTICES[name], size))
    assert said.split() == f"{NOTICES[name].title} {notice.words} {notice.detail}".split()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", STATES)
def test_no_state_loses_a_block_or_its_title(name, size):
    layout = laid(STATES[name], size)
    assert layout.dropped == 0
    assert ELLIPSIS not in words(layout).replace("Preparing…", "")
    heading = heading_of(STATES[name])
    assert any(wording in words(layout) for wording in (heading.text, *heading.variants))


@pytest.mark.parametrize("size", SQUARES)
def test_the_trend_shows_its_basis_on_every_key(size):
    assert "$0.40 today" in words(laid(BALANCE, size))
    assert "$12.40 yest" in words(laid(view("Balance", Hero("$1,234"), UP), size))


def test_a_shorter_wording_is_taken_before_anything_is_cut():
    line = Line("four thousand million dollars", variants=("four thousand dollars", "four dollars"))
    assert words(laid(view("", line), (72, 72))) == "four dollars"


def test_words_without_a_shorter_wording_go_on_two_lines():
    line = Line("OpenRouter error", Tone.WARN)
    texts = [item.text for item in laid(view("", Hero("—"), line), (72, 72)).items if isinstance(item, TextItem)]
    assert texts == ["—", "OpenRouter", "error"]


def test_one_long_word_loses_its_icon_before_it_is_cut():
    layout = laid(view("", Line("0000000000", icon=Icon.CHECK)), (72, 72))
    assert words(layout) == "0000000000"
    assert not [item for item in layout.items if isinstance(item, IconItem)]


def test_a_title_beside_the_age_dot_moves_then_loses_its_icon_then_is_cut():
    def heading(text, age):
        trouble = Line(text, Tone.WARN, Icon.CLOCK)
        items = laid(replace(MONTH, trouble=trouble, age=age), (72, 72)).items
        title = next(item for item in items if isinstance(item, TextItem) and item.role is Role.TITLE)
        return title.text, any(isinstance(item, IconItem) for item in items)

    assert heading("Slow down", Age.FRESH) == ("Slow down", True)
    assert heading("API error", Age.STALE) == ("API error", True)
    assert heading("Slow down", Age.STALE) == ("Slow down", False)
    assert heading("Very slow down", Age.STALE)[0].endswith(ELLIPSIS)


def test_a_long_model_name_keeps_its_beginning_and_its_version():
    layout = laid(view("Top", Row("deepseek-r1-distill-qwen-32b-preview-0528", "$4.10", 0.2)), (72, 72))
    name = next(item.text for item in layout.items if isinstance(item, TextItem) and ELLIPSIS in item.text)
    assert name.startswith("deep")
    assert name.endswith("0528")


def test_a_long_label_is_cut_at_its_end():
    layout = laid(view("A label that nobody can read", Hero("$1")), (72, 72))
    assert words(layout).startswith("A label")
    assert ELLIPSIS in words(layout)


def test_a_line_shortened_at_the_end_keeps_its_first_word():
    layout = laid(view("", Line("antidisestablishmentarianism", shorten=Shorten.END)), (72, 72))
    assert words(layout).startswith("antidis")
    assert words(layout).endswith(ELLIPSIS)


def test_the_icon_of_a_hero_is_beside_its_word():
    items = laid(STATES["critical"], (72, 72)).items
    icon = next(item for item in items if isinstance(item, IconItem))
    word = next(item for item in items if isinstance(item, TextItem) and item.role is Role.HERO)
    assert icon.box.right < word.box.left
    assert word.box.top <= (icon.box.top + icon.box.bottom) / 2 <= word.box.bottom


def test_a_share_is_a_length():
    def filled(share):
        meter = next(i for i in laid(view("", Row("a", "$1", share)), (72, 72)).items if isinstance(i, MeterItem))
        return meter.share * meter.box.width

    assert filled(0.2) < filled(0.4) < filled(0.9)


@pytest.mark.parametrize("size", SIZES)
def test_each_page_has_a_dot_and_the_page_shown_a_longer_one(size):
    dots = [item for item in laid(replace(TOP, page=(1, 3)), size).items if isinstance(item, DotItem)]
    assert [dot.on for dot in dots] == [False, True, False]
    assert dots[1].box.width > dots[0].box.width
    assert len({dot.box.bottom for dot in dots}) == 1


def test_one_page_needs_no_dots():
    assert not [item for item in laid(replace(TOP, page=(0, 1)), (72, 72)).items if isinstance(item, DotItem)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("age", [Age.OLD, Age.STALE])
def test_old_data_has_a_dot_in_the_top_right_corner(size, age):
    layout = laid(replace(BALANCE, age=age), size)
    dot = next(item for item in layout.items if isinstance(item, DotItem))
    assert (dot.box.right, dot.box.top) == (layout.safe.right, layout.safe.top)


def test_a_refresh_is_in_words_in_place_of_the_title():
    for face, said in (
        (KeyFace(BALANCE, refreshing=True), "Updating"),
        (KeyFace(BALANCE, flash=Flash.DONE), "Updated"),
        (KeyFace(BALANCE, flash=Flash.FAILED), "Failed"),
    ):
        layout = laid(face, (72, 72))
        assert said in words(layout)
        assert "$74.25" in words(layout)
        assert any(isinstance(item, IconItem) and item.role is Role.TITLE for item in layout.items)


def test_too_many_blocks_lose_the_lowest_and_are_counted():
    layout = laid(view("Title", *[Row(f"model-{n}", "$1.00", 0.5) for n in range(5)]), (72, 72))
    assert layout.dropped > 0
    assert "model-0" in words(layout)
    assert "model-4" not in words(layout)


@pytest.mark.parametrize("side", [72, 96, 120])
def test_a_trouble_replaces_the_title_with_its_sign(side: int) -> None:
    trouble = Line("OpenRouter error", Tone.WARN, Icon.CLOUD, variants=("API error",))
    view = TileView("monthly-spend", "30 days", (Hero("$60.12"),), "", trouble=trouble)
    heading = heading_of(KeyFace(view))
    texts = [item.text for item in lay_out(view, heading, side, side).items if isinstance(item, TextItem)]
    assert texts[0] in ("OpenRouter error", "API error")
    assert "30 days" not in texts
    assert any(isinstance(item, IconItem) and item.icon is Icon.CLOUD for item in lay_out(view, heading, side, side).items)
