"""Each icon draws something of its own, inside its box, at the smallest size too."""

from itertools import combinations

import pytest
from PIL import ImageChops

from openbalance_hid.render.icons import icon_mask
from openbalance_hid.tiles.view import Icon


@pytest.mark.parametrize("size", [9, 10, 14, 26, 48])
@pytest.mark.parametrize("icon", Icon)
def test_every_icon_is_drawn_with_enough_ink_and_enough_room(icon, size):
    mask = icon_mask(icon, size)
    assert (mask.mode, mask.size) == ("L", (size, size))
    ink = sum(mask.tobytes()) / 255 / size**2
    assert 0.12 < ink < 0.8


@pytest.mark.parametrize("icon", Icon)
def test_every_icon_fills_its_box_in_one_direction_at_least(icon):
    left, top, right, bottom = icon_mask(icon, 48).getbbox()
    assert max(right - left, bottom - top) >= 34


@pytest.mark.parametrize("size", [9, 14, 26])
def test_no_two_icons_look_alike(size):
    for one, other in combinations(Icon, 2):
        difference = ImageChops.difference(icon_mask(one, size), icon_mask(other, size))
        assert sum(difference.histogram()[96:]) >= size * size * 0.12, (one, other)
