"""The pictures of all cases, pixel by pixel: words whole, contrast enough, no two states alike."""

from collections import defaultdict
from itertools import combinations

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.render.draw import draw, pushed_in_px
from openbalance_hid.render.fonts import ELLIPSIS
from openbalance_hid.render.items import Box, MeterItem, Role, RuleItem, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.render.theme import contrast
from openbalance_hid.render.type_scale import scale_of
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.states import STATES
from openbalance_hid.tiles.view import Age, Row
from tests.render.eyes import APART, EYES, clear_pixels, ground_of, seen, strokes, strongest
from tests.render.scenes import AT_REST, SCENES, THEMES, TOUCHED, face
from tools.tile_cases import TROUBLES, words_of

SIDES = (72, 96)


def placed(shown, side):
    """Every item and where it is on the glass, also while the picture is pushed away."""
    away = pushed_in_px(scale_of(side, side))
    small = side - 2 * away
    for item in lay_out(shown.view, heading_of(shown), side, side).items:
        box = item.box
        if shown.pressed:
            left, top, right, bottom = (edge * small / side + away for edge in box)
            box = Box(int(left), int(top), -int(-right // 1), -int(-bottom // 1))
        yield item, box


@pytest.mark.parametrize("tile", [kind.name for kind in TILES.values() if kind.has_account])
@pytest.mark.parametrize("state", ["preparing", "tile error", *map(words_of, TROUBLES)])
def test_a_case_shows_the_state_in_its_name(tile, state):
    views = [face(case, "dark").view for name, case in AT_REST.items() if name.startswith(f"{tile}: {state}")]
    health = next((health for health in Health if words_of(health) == state), None)
    words = STATES[health].words if health is not None else "Tile error"
    assert views
    aged = [view for view in views if view.tile == "spike-alert" and view.age is Age.STALE]  # these show their age instead
    assert [view.text for view in views if words not in view.text and view not in aged] == []


WAITING = ("Preparing…", "Stopping…", "Starting…", "Running…")  # words of ours that end so
LONG_OUTPUTS = {"command: long": SCENES["command: long"].case.command.output.hero}  # what a program prints may have any length


@pytest.mark.parametrize("side", [72, 80, 96, 112, 120])
@pytest.mark.parametrize("name", SCENES)
def test_only_names_of_models_and_keys_are_ever_cut(side, name):
    shown = face(SCENES[name], "dark")
    layout = lay_out(shown.view, heading_of(shown), side, side)
    names = any(isinstance(block, Row) for block in shown.view.blocks)
    texts = [item for item in layout.items if isinstance(item, TextItem)]
    of_names = {Role.WORDS} if names else {Role.TITLE} if "key_name" in SCENES[name].case.options else set()
    said = [item.text for item in texts if item.role not in of_names]
    cut = [text for text in said if text.endswith(ELLIPSIS) and text not in WAITING]
    output = LONG_OUTPUTS.get(name)
    assert [text for text in cut if output is None or not output.startswith(text.removesuffix(ELLIPSIS))] == []
    assert layout.dropped == 0
    assert not heading_of(shown).text or any(item.role is Role.TITLE for item in texts)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", SIDES)
def test_every_item_has_its_contrast_in_the_picture(side, theme):
    weak = []
    for name, case in SCENES.items():
        shown = face(case, theme)
        image = draw(shown, side, side)
        ground = ground_of(image)
        for item, box in placed(shown, side):
            if (isinstance(item, MeterItem) and item.share == 0) or isinstance(item, RuleItem):
                continue  # decoration: the number beside an empty track has the meaning
            needed = 3.0 if not isinstance(item, TextItem) else 7.0 if item.role is Role.HERO else 4.5
            if strongest(image, box, ground) < needed:
                weak.append((name, item, needed))
    assert weak == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", SIDES)
def test_strokes_are_strong_enough_not_to_be_all_soft_edge(side, theme):
    weak = []
    for name, case in SCENES.items():
        shown = face(case, theme)
        image = draw(shown, side, side)
        ground = ground_of(image)
        for item, box in placed(shown, side):
            if not isinstance(item, TextItem):
                continue
            at_rest, pressed = (6.5, 5.0) if item.role is Role.HERO else (4.5, 3.0)
            needed = pressed if shown.pressed else at_rest
            if strokes(image, box, ground) < needed:
                weak.append((name, item.text, strokes(image, box, ground)))
    assert weak == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", SIDES)
def test_a_bar_stands_out_from_its_track(side, theme):
    weak, checked = [], 0
    for name, case in AT_REST.items():
        shown = face(case, theme)
        image = draw(shown, side, side)
        for item, box in placed(shown, side):
            if not isinstance(item, MeterItem) or item.share == 0 or (1 - item.share) * box.width <= box.height:
                continue
            checked += 1
            middle, radius = (box.top + box.bottom) // 2, box.height // 2
            end = box.left + max(box.height, round(item.share * box.width))
            # The column of each part that is furthest from the mark, which is drawn over both.
            mark = box.left - side if item.mark is None else box.left + item.mark * box.width
            filled = range(box.left + min(radius, 2), end - min(radius, 2))
            empty = range(end + 1, box.right - radius)
            fill, track = (image.getpixel((max(part, key=lambda x: abs(x - mark)), middle)) for part in (filled, empty))
            if contrast(fill, track) < 3:
                weak.append((name, item, contrast(fill, track)))
            if item.mark is not None:
                line = strongest(
                    image, Box(round(mark) - 2, box.top, round(mark) + 3, box.bottom), fill if mark < end else track
                )
                if line < 3:
                    weak.append((name, "mark", line))
    assert weak == []
    assert checked >= 30


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", [name for name, case in TOUCHED.items() if case.touch.progress or not case.touch.pressed])
def test_the_ring_stands_out_from_what_is_inside_and_from_its_track(name, side, theme):
    touch, scale = TOUCHED[name].touch, scale_of(side, side)
    image = draw(face(TOUCHED[name], theme), side, side)
    thick = scale.ring if 0 < touch.progress < 1 else scale.thin_ring
    y = side // 3
    ring = image.getpixel((side - 1, y))
    assert contrast(ring, image.getpixel((side - 1 - thick, y))) >= 3
    if 0 < touch.progress < 1:
        assert contrast(ring, image.getpixel((0, y))) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_different_contents_look_different_to_every_eye(eye, theme):
    pictures = defaultdict(dict)
    for name, case in SCENES.items():
        shown = face(case, theme)
        unspoken = replace(shown, view=replace(shown.view, text=""))  # the accessible text has more than fits on a key
        pictures[case.kind.name].setdefault(unspoken, (name, seen(draw(shown, 72, 72), eye)))
    alike = []
    for looks in pictures.values():
        for (one, first), (other, second) in combinations(looks.values(), 2):
            if clear_pixels(first, second) < APART:
                alike.append((one, other, clear_pixels(first, second)))
    assert alike == []
