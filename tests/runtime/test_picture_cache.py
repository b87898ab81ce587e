"""A picture is drawn when it will look otherwise, and not when only its words do."""

from msgspec.structs import replace

from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.tiles.view import Hero, KeyFace, TileView

FORMAT = {"size": (72, 72), "format": "JPEG", "rotation": 180, "flip": (False, False)}
FACE = KeyFace(TileView("balance", "Balance", (Hero("$74.25"),), "Balance $74.25, 31 m old"))


def test_a_face_that_only_tells_another_age_is_not_drawn_again():
    painter = PictureCache()
    older = replace(FACE, view=replace(FACE.view, text="Balance $74.25, 32 m old"))
    assert painter.picture(older, FORMAT) == painter.picture(FACE, FORMAT)
    assert painter.drawn == 1


def test_another_number_or_a_finger_is_drawn():
    painter = PictureCache()
    other = replace(FACE, view=replace(FACE.view, blocks=(Hero("$74.26"),)))
    assert len({painter.picture(face, FORMAT) for face in (FACE, other, replace(FACE, pressed=True))}) == 3
    assert painter.drawn == 3
