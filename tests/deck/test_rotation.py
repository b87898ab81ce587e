"""A deck that is turned: its user sees upright pictures and keys numbered from the top left; and strip, dials, touch keys."""

import pytest
from PIL import Image

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.device_events import DialPushed, DialTurned, KeyEvent, StripTouched, TouchKeyEvent
from openbalance_hid.orientation import ROTATIONS, Orientation
from openbalance_hid.render.encode import PictureFormat, encode
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.web.turned_deck import TurnedDeck
from tests.deck.rig import MakeRig
from tests.waiting import PATIENCE_S

ONLY_HALF = ("neo", "plus", "plus-xl", "studio")  # parts below the keys
TURNS = [(name, degrees) for name in MODELS for degrees in ROTATIONS if degrees in (0, 180) or name not in ONLY_HALF]


def turned_grid(cols: int, rows: int, degrees: int) -> list[int]:
    """Return the deck's own key numbers in the order in which the user of a turned deck reads them, computed as a picture."""
    grid = Image.new("L", (cols, rows))
    grid.putdata(range(cols * rows))
    return list(grid.rotate(-degrees, expand=True).get_flattened_data())


def cornered(device: DeckDevice, size: tuple[int, int], picture_format: dict[str, object]) -> bytes:
    """Return a picture with a red top left quarter, in the device's bytes."""
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    return encode(picture, PictureFormat.of(picture_format))


def red_corner(image: Image.Image) -> tuple[bool, ...]:
    """Return which corners are red: top left, top right, bottom right, bottom left."""
    width, height = image.size
    corners = ((4, 4), (width - 5, 4), (width - 5, height - 5), (4, height - 5))
    return tuple(image.getpixel(corner)[0] > 128 for corner in corners)  # type: ignore[index]


@pytest.mark.parametrize(("model", "degrees"), TURNS)
def test_keys_are_numbered_as_seen_and_their_pictures_are_upright(make_rig: MakeRig, model: str, degrees: int) -> None:
    rig = make_rig(model)
    device, deck = rig.open(), rig.deck
    device.set_rotation(degrees)
    built = turned_grid(deck.model.cols, deck.model.rows, degrees)
    assert sorted(built) == list(range(deck.model.keys))
    for seen in {0, 1, deck.model.keys - 1}:
        deck.press(built[seen])
        event = rig.next(KeyEvent)
        assert (event.key, event.down) == (seen, True)
        deck.release(built[seen])
        assert rig.next(KeyEvent).key == seen
        if not device.is_visual:
            continue
        device.show(seen, cornered(device, device.key_size, device.picture_format))
        assert device.flush(PATIENCE_S)
        as_built = (True, False, False, False)
        steps = degrees // 90  # the corner that the turned deck has at its top left is further round on the deck itself
        assert red_corner(deck.glass(built[seen])) == (*as_built[steps:], *as_built[:steps])
        assert red_corner(deck.glass(built[seen]).rotate(-degrees, expand=True)) == as_built
    assert deck.faults == []


@pytest.mark.parametrize("model", ["plus", "plus-xl"])
def test_strip_and_dials_of_a_deck_that_is_upside_down_are_as_seen(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    device, deck = rig.open(), rig.deck
    device.set_rotation(180)
    strip, dials = deck.model.strip, deck.model.dials
    assert strip is not None
    deck.turn(0, 2)
    turned = rig.next(DialTurned)
    assert (turned.dial, turned.steps) == (dials - 1, 2)
    deck.push(dials - 1, True)
    assert rig.next(DialPushed).dial == 0
    deck.drag(10, 20, 210, 30)
    touched = rig.next(StripTouched)
    assert (touched.x_px, touched.y_px) == (strip.width - 11, strip.height - 21)
    assert (touched.x_out_px, touched.y_out_px) == (strip.width - 211, strip.height - 31)
    device.show_strip(cornered(device, (200, 100), {**device.strip_format, "size": (200, 100)}), 0, 200)
    assert device.flush(PATIENCE_S)
    image = deck.strip()
    assert image is not None
    upright = image.rotate(180)
    assert red_corner(upright.crop((0, 0, 200, 100))) == (True, False, False, False)
    assert upright.crop((200, 0, strip.width, 100)).getbbox() is None
    assert deck.faults == []


def test_screen_and_touch_keys_of_a_neo_that_is_upside_down_are_as_seen(make_rig: MakeRig) -> None:
    rig = make_rig("neo")
    device, deck = rig.open(), rig.deck
    device.set_rotation(180)
    deck.press(8)
    assert rig.next(TouchKeyEvent).touch_key == 1
    device.light(0, (200, 0, 0))
    device.show_screen(cornered(device, device.screen_format["size"], device.screen_format))
    assert device.flush(PATIENCE_S)
    assert deck.glass(9).getpixel((1, 1)) == (200, 0, 0)
    image = deck.screen()
    assert image is not None
    assert red_corner(image.rotate(180)) == (True, False, False, False)


@pytest.mark.parametrize("degrees", ROTATIONS)
@pytest.mark.parametrize(("cols", "rows"), [(5, 3), (3, 2), (8, 4), (3, 1), (16, 2)])
def test_seen_and_built_numbers_are_each_others_inverse(cols: int, rows: int, degrees: int) -> None:
    turn = Orientation(degrees, cols, rows)
    seen = [turn.seen_key(key) for key in range(cols * rows)]
    assert [turn.built_key(key) for key in seen] == list(range(cols * rows))
    assert [seen.index(key) for key in range(cols * rows)] == turned_grid(cols, rows, degrees)


@pytest.mark.parametrize(("model", "degrees"), [pair for pair in TURNS if pair[0] != "pedal"])
def test_the_page_shows_a_turned_deck_as_its_user_sees_it(make_rig: MakeRig, model: str, degrees: int) -> None:
    rig = make_rig(model)
    device, page = rig.open(), TurnedDeck(rig.deck, degrees)
    device.set_rotation(degrees)
    changed: list[int] = []
    page.subscribe(changed.append)
    last = rig.deck.model.keys - 1
    device.show(last, cornered(device, device.key_size, device.picture_format))
    assert device.flush(PATIENCE_S)
    assert changed == [last]
    assert red_corner(page.glass(last)) == (True, False, False, False)
    assert (page.model.key_width, page.model.key_height) == device.key_size
    page.press(last)
    assert rig.next(KeyEvent).key == last
