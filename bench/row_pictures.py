"""The costs of one tile: its HID reports, and the time to draw and encode it."""

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from io import BytesIO
from typing import Any

from PIL import Image
from StreamDeck.ImageHelpers import PILHelper
from StreamDeck.Transport.Transport import Transport

import openbalance_hid.render
from bench.faces import real_faces
from bench.sample_sizes import SampleSizes
from bench.similarity import similarity
from bench.stock_library import library_deck
from bench.table import Centre, Goal, Row
from openbalance_hid.render.draw import draw
from openbalance_hid.render.encode import PictureFormat, encode
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.tiles.view import KeyFace

HELPER = "`PILHelper`"
LOST = 20.0  # thousandths: structural similarity of 0.98 at least
HALF = Fraction(1, 2)
DRAW_GOAL_MS = 1.5
SIZES = (("mk2", Goal(ratio=HALF)), ("mini", Goal()), ("xl", Goal(ratio=HALF)), ("plus", Goal(ratio=HALF)))


class CountingDevice(Transport.Device):  # type: ignore[misc]  # the library has no types
    """Counts output reports; no other part of a device is used."""

    def __init__(self) -> None:
        self.reports = 0

    def write(self, payload: bytes) -> int:
        self.reports += 1
        return len(payload)

    def _unused(self, *_: object) -> Any:
        raise NotImplementedError

    open = is_open = connected = path = vendor_id = product_id = read = read_feature = write_feature = _unused

    def close(self) -> None:
        pass


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: reports and loss for each key size, then the time at 96 px."""
    faces = real_faces(sizes.faces)
    return [*(row for name, goal in SIZES for row in _reports(name, goal, faces)), *_times(faces, sizes.draws)]


def _deck(model: str) -> Any:
    """Return the library's deck object for a model."""
    return library_deck(VirtualBus([VirtualDeck(model_named(model), "BENCH0000003")]))


def _reports(model: str, goal: Goal, faces: list[KeyFace]) -> Iterator[Row]:
    deck = _deck(model)
    deck.device = device = CountingDevice()
    picture = PictureFormat.of(deck.key_image_format())

    def sent(data: bytes) -> int:
        before = device.reports
        deck.set_key_image(0, data)
        return device.reports - before

    upright = PictureFormat(picture.width, picture.height, picture.codec)
    ours: list[float] = []
    theirs: list[float] = []
    our_loss: list[float] = []
    their_loss: list[float] = []
    for face in faces:
        image = draw(face, picture.width, picture.height)
        ours.append(sent(encode(image, picture)))
        theirs.append(sent(PILHelper.to_native_key_format(deck, image)))
        our_loss.append(1000 * (1 - similarity(image, encode(image, upright))))
        their_loss.append(1000 * (1 - similarity(image, _helper_upright(image))))
    note = "the length of a BMP is fixed." if goal.ratio is None else ""
    if model == SIZES[0][0]:
        note = (
            f"mean over {len(faces)} distinct faces: each tile, option and scenario of the sample account, in both themes. "
            "`PILHelper` encodes the same pictures at its default, JPEG quality 100 with halved colour resolution."
        )
    name = f"HID reports for a picture, {picture.width} px, {picture.codec}"
    yield Row(name, "reports", tuple(ours), HELPER, tuple(theirs), goal, note, Centre.MEAN)
    if picture.codec == "JPEG":
        name = f"lost of a picture, {picture.width} px, JPEG (1 − structural similarity)"
        note = (
            "of the luminance, windows of 7 × 7; the drawn picture against what the deck decodes. More than on 2026-11-25 "
            "(11.5 ‰; 13.0 with 96 px and 9.9 with 120): the faces have more on them since, and are encoded coarser to stay "
            "within half the reports."
        )
        note = note if model == SIZES[0][0] else "as with 72 px."
        yield Row(name, "‰", tuple(our_loss), HELPER, tuple(their_loss), Goal(at_most=LOST), note, Centre.MEAN)


def _helper_upright(image: Image.Image) -> bytes:
    """Return the picture as `PILHelper` saves it, without rotation and flip."""
    with BytesIO() as out:
        image.save(out, "JPEG", quality=100)
        return out.getvalue()


def _times(faces: list[KeyFace], draws: int) -> Iterator[Row]:
    deck = _deck("xl")
    picture = PictureFormat.of(deck.key_image_format())
    images = [draw(face, picture.width, picture.height) for face in faces]
    cold_ms, warm_ms, helper_ms = [], [], []
    clearers = _cache_clearers()
    for _ in range(draws):
        for face, image in zip(faces, images, strict=True):
            for clear in clearers:
                clear()
            cold_ms.append(_ms(partial(_made, face, picture)))
            warm_ms.append(_ms(partial(_made, face, picture)))
            helper_ms.append(_ms(partial(PILHelper.to_native_key_format, deck, image)))
    peer = "`PILHelper`, encode only"
    note = (
        "the first tile after a start, opening the font files included. The peer only encodes: its picture is drawn in advance."
    )
    yield Row("draw and encode a tile, 96 px, nothing cached", "ms", tuple(cold_ms), peer, tuple(helper_ms), Goal(), note)
    goal, note = Goal(at_most=DRAW_GOAL_MS), "letters and shapes cached, the picture itself drawn and encoded."
    yield Row("draw and encode a tile, 96 px, glyphs cached", "ms", tuple(warm_ms), peer, tuple(helper_ms), goal, note)


def _made(face: KeyFace, picture: PictureFormat) -> bytes:
    return encode(draw(face, picture.width, picture.height), picture)


def _ms(action: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started_s)


def _cache_clearers() -> list[Callable[[], None]]:
    """Return the functions that empty the caches of `render`."""
    found = openbalance_hid.render
    modules = [importlib.import_module(f"{found.__name__}.{module.name}") for module in pkgutil.iter_modules(found.__path__)]
    caches = {value for module in modules for value in vars(module).values() if hasattr(value, "cache_clear")}
    return [cache.cache_clear for cache in caches]
