"""What the layout promises for any content on any key: all inside, nothing over another, nothing too small to read."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.render.fonts import ELLIPSIS
from openbalance_hid.render.items import BarItem, DotItem, IconItem, MeterItem, Role, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.render.type_scale import CAPTION, SMALLEST_TEXT_PX, scale_of
from openbalance_hid.tiles.view import Age, Figure, Flash, Gauge, Hero, Icon, KeyFace, Line, Notice, Row, Shorten, Tone
from tests.render.faces import BALANCE, CRITICAL, DAY, DOWN, MONTH, NOTICES, SIZES, SQUARES, STATES, TOP, UP, faces, sizes, view

KEYS = [size for size in SIZES if not scale_of(*size).is_flat]  # the screen of the Neo has two columns
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
    amount = f"{sign}${dollars:,.2f}" if dollars < 100 else f"{sign}${dollars:,.0f}"
    layout = laid(view("Balance", Hero(amount), DAY, UP), size)
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
    assert "".join(said.split()) == "".join(f"{NOTICES[name].title}{notice.words}{notice.detail}".split())


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
    assert "$1.94 today 16 % less" in words(laid(BALANCE, size))
    assert "120 % more" in words(laid(view("Balance", Hero("$1,234"), DAY, UP), size))


def test_a_shorter_wording_is_taken_before_anything_is_cut():
    line = Line("four thousand million dollars", variants=("four thousand dollars", "four dollars"))
    assert words(laid(view("", line), (72, 72))) == "four dollars"


def test_words_without_a_shorter_wording_go_on_two_lines():
    line = Line("something unusual", Tone.WARN)
    texts = [item.text for item in laid(view("", Hero("—"), line), (72, 72)).items if isinstance(item, TextItem)]
    assert texts == ["—", "something", "unusual"]


def test_a_command_that_is_too_long_for_a_line_breaks_behind_its_hyphen():
    notice = Notice(Icon.KEY, "Set up", Tone.ACCENT, "openbalance-hid setup")
    texts = [item.text for item in laid(view("Balance", notice), (72, 72)).items if isinstance(item, TextItem)]
    assert texts == ["Balance", "Set up", "openbalance-", "hid setup"]


def test_one_long_word_loses_its_icon_before_it_is_cut():
    layout = laid(view("", Line("0000000000", icon=Icon.CHECK)), (72, 72))
    assert words(layout) == "0000000000"
    assert not [item for item in layout.items if isinstance(item, IconItem)]


def test_a_title_beside_the_age_dot_moves_then_shortens_then_is_cut():
    def heading(title, age, sign=None, short=()):
        trouble = Line("Offline", Tone.WARN, sign)
        face = replace(MONTH, title=title, short_titles=short, age=age, trouble=trouble, is_quiet=sign is not None)
        items = laid(face, (72, 72)).items
        title = next(item for item in items if isinstance(item, TextItem) and item.role is Role.TITLE)
        return title.text, any(isinstance(item, IconItem) and item.role is Role.TITLE for item in items)

    assert heading("Models 30 d", Age.STALE) == ("Models 30 d", False)
    assert heading("Providers 30 d", Age.STALE, short=("Providers",)) == ("Providers", False)
    assert heading("Runway", Age.STALE, Icon.OFFLINE) == ("Runway", True)
    assert heading("Spent 30 d", Age.STALE, Icon.OFFLINE) == ("Spent 30 d", False)
    assert heading("Providers 30 d", Age.STALE)[0].endswith(ELLIPSIS)


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


@pytest.mark.parametrize("size", KEYS)
def test_all_bars_of_a_ranking_have_one_length_which_the_leader_fills(size):
    column = ("$1,234", "$8.39", "$0.012")

    def bars(*rows):
        return [item.box for item in laid(view("Models 30 d", *rows), size).items if isinstance(item, BarItem)]

    leader, second = bars(Row("first", "$1,234", 1.0, column=column), Row("second", "$8.39", 0.5, column=column))
    (alone,) = bars(Row("third", "$0.012", 0.5, column=column))
    assert abs(second.width * 2 - leader.width) <= 1
    assert second.width == alone.width
    assert leader.left == second.left


def test_a_gauge_of_a_limit_has_a_track_and_a_bar_has_none():
    items = laid(view("Keys today", Row("ci", "$1", 0.4, Tone.GOOD, "40 %"), Row("laptop", "$2", 1.0)), (72, 72)).items
    (gauge,) = [item for item in items if isinstance(item, MeterItem)]
    (bar,) = [item for item in items if isinstance(item, BarItem)]
    assert (gauge.share, gauge.box.width) == (0.4, bar.box.width)
    assert "40 %" in words(laid(view("Keys today", Row("ci", "$1", 0.4, Tone.GOOD, "40 %")), (72, 72)))


@pytest.mark.parametrize("size", SQUARES)
def test_the_same_digits_have_the_same_size_and_line_on_every_key(size):
    shown = [
        view("Balance", Hero("$74.25"), DAY, DOWN),
        view("Spent 30 d", Hero("$74.25"), MONTH.blocks[1]),
        view("Today", Hero("$74.25"), DOWN, Line("sonnet-4.5")),
        view("Runway", Hero("$74.25"), Gauge(0.5), Line("till 8 Dec")),
        replace(view("Balance", Hero("$74.25"), DAY, DOWN), trouble=Line("Offline", Tone.WARN, Icon.OFFLINE)),
    ]
    heroes = [
        item for each in shown for item in laid(each, size).items if isinstance(item, TextItem) and item.role is Role.HERO
    ]
    assert len({(item.size_px, item.baseline) for item in heroes}) == 1
    below = [
        sorted(item.baseline for item in laid(each, size).items if isinstance(item, TextItem) and item.role is Role.WORDS)
        for each in shown
    ]
    assert len({baselines[-1] for baselines in below if baselines}) == 1


def test_heroes_have_three_sizes_by_the_length_of_their_text():
    def size_px(text, icon=None):
        items = laid(view("Balance", Hero(text, icon=icon), DAY, DOWN), (72, 72)).items
        return next(item.size_px for item in items if isinstance(item, TextItem) and item.role is Role.HERO)

    assert {size_px(text) for text in ("$74.25", "$355", "≈ 9 d", "26 %", "—", "$1.2M")} == {23}
    assert {size_px(text) for text in ("$12,345", "-$1,234")} == {18}
    assert {size_px("$123,456"), size_px("Normal", Icon.CHECK), size_px("Critical", Icon.WARNING)} == {15}


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


@pytest.mark.parametrize("size", KEYS)
def test_a_trouble_is_on_the_lowest_line_and_leaves_the_title(size):
    trouble = Line("API error", Tone.WARN, Icon.CLOUD)
    for each in (BALANCE, MONTH, TOP, CRITICAL, view("Left", Figure("", "$74.25"), Figure("Today", "$2.40"))):
        layout = laid(replace(each, trouble=trouble), size)
        texts = [item for item in layout.items if isinstance(item, TextItem)]
        assert layout.dropped == 0
        assert max(texts, key=lambda item: item.baseline).text == "API error"
        assert not each.title or any(item.text == each.title and item.role is Role.TITLE for item in texts)
        assert any(isinstance(item, IconItem) and item.icon is Icon.CLOUD for item in layout.items)


def test_a_quiet_tile_keeps_its_name_and_shows_the_sign_of_the_trouble():
    trouble = Line("Offline", Tone.WARN, Icon.OFFLINE)
    layout = laid(replace(BALANCE, trouble=trouble, is_quiet=True), (72, 72))
    (sign,) = [item for item in layout.items if isinstance(item, IconItem) and item.role is Role.TITLE]
    assert (sign.icon, sign.tone) == (Icon.OFFLINE, Tone.WARN)
    assert words(layout) == words(laid(BALANCE, (72, 72)))
    without_value = laid(replace(NOTICES["offline"], is_quiet=True), (72, 72))
    assert words(without_value) == "Balance"
    assert any(isinstance(item, IconItem) for item in without_value.items)
