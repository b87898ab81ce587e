"""A face into a picture: the laid-out items painted in the theme's colours, then the state of the key.

A pure function of its arguments: nothing that comes out of a cache (`fonts`, `icons`, `shapes`) is ever drawn on.
"""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

from openbalance_hid.render import fonts
from openbalance_hid.render.icons import icon_mask, picture_image
from openbalance_hid.render.items import BarItem, ColumnItem, DotItem, IconItem, MeterItem, PlacedItem, Role, RuleItem, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.render.shapes import outline, pill, rounded
from openbalance_hid.render.theme import Rgb, Theme, blend, inverted, theme_named
from openbalance_hid.render.type_scale import Scale, scale_of
from openbalance_hid.tiles.view import Age, Figure, Flash, Hero, Icon, IconPicture, KeyFace, Notice, TileView, Tone

OFF: Final = (0, 0, 0)
PUSHED_IN: Final = 0.055  # of the key's side: how far a pressed picture's edges move in; a pixel more than the ring at least
PALE: Final = 0.35  # of a column's colour, below the clear top of an inexact one: decoration, the top reaches the contrast


def draw(face: KeyFace, width: int, height: int) -> Image.Image:
    """Return an RGB image of `width` × `height` pixels, upright, origin top left. Every call returns a new image."""
    scale = scale_of(width, height)
    plain = theme_named(face.view.theme)
    theme = inverted(plain, _attention_tone(face.view)) if face.view.attention else plain
    is_off = not face.view.blocks and not face.view.title  # a key without a tile is dark in every theme
    image = Image.new("RGB", (width, height), OFF if is_off else theme.background)
    pen = ImageDraw.Draw(image)
    stale = face.view.age is Age.STALE
    for item in lay_out(face.view, heading_of(face), width, height).items:
        _paint(image, pen, item, theme, stale)
    if face.view.stripe is not None:
        _paint_stripe(image, face.view.stripe, theme, scale)
    if face.pressed:
        image = _pressed(image, plain, theme, scale)
    around = plain if face.pressed else theme
    if face.flash is not Flash.NONE:
        _paint_ring(image, 1.0, around.good if face.flash is Flash.DONE else around.alarm, around, scale, scale.thin_ring)
    elif face.refreshing:
        _paint_ring(image, 1.0, around.accent, around, scale, scale.thin_ring)
    elif face.ring > 0:
        _paint_ring(image, face.ring, around.accent, around, scale, scale.ring)
    return image


def pushed_in_px(scale: Scale) -> int:
    """Return how far the edges of a pressed picture move in, pixels, on all sides."""
    return max(scale.px(PUSHED_IN), scale.ring + 1)


def _attention_tone(view: TileView) -> Tone:
    """Return the tone that fills a tile with attention: of its hero or notice; alarm for one without."""
    tone = next((block.tone for block in view.blocks if isinstance(block, Hero | Figure | Notice)), Tone.ALARM)
    return Tone.ALARM if tone in (Tone.INK, Tone.MUTED) else tone


def _paint(image: Image.Image, pen: ImageDraw.ImageDraw, item: PlacedItem, theme: Theme, stale: bool) -> None:
    match item:
        case TextItem():
            run = fonts.run(item.text, item.weight, item.size_px)
            colour = _shade(item.role, item.tone, theme, stale)
            image.paste(colour, (item.box.left - run.left_px, item.baseline - run.baseline_px), run.mask)
        case IconItem():
            _paint_icon(image, item, _shade(item.role, item.tone, theme, stale), theme)
        case MeterItem():
            _paint_meter(image, item, theme, stale)
        case BarItem():
            colour = theme.stale if stale else theme.colour(item.tone)
            image.paste(colour, item.box[:2], rounded(item.box.width, item.box.height, min(1.5, item.box.width / 2)))
        case RuleItem():
            image.paste(theme.surface, item.box)
        case ColumnItem():
            _paint_column(pen, item, theme, stale)
        case DotItem():
            image.paste(theme.colour(item.tone), item.box[:2], pill(item.box.width, item.box.height))


def _paint_icon(image: Image.Image, item: IconItem, colour: Rgb, theme: Theme) -> None:
    """Draw an icon in a colour, or the picture of a user in its own; one that cannot be decoded is a warning."""
    if not isinstance(item.icon, IconPicture):
        image.paste(colour, item.box[:2], icon_mask(item.icon, item.box.width))
        return
    picture = picture_image(item.icon, item.box.width)
    if picture is None:
        image.paste(theme.warn, item.box[:2], icon_mask(Icon.WARNING, item.box.width))
    else:
        image.paste(picture, item.box[:2], picture)


def _paint_column(pen: ImageDraw.ImageDraw, item: ColumnItem, theme: Theme, stale: bool) -> None:
    """Draw a column; of an inexact value a pale one with a clear top; of an unknown value two separate specks, not a foot."""
    left, top, right, bottom = item.box.left, item.box.top, item.box.right - 1, item.box.bottom - 1
    if not item.known:
        middle = (left + right) // 2
        pen.rectangle((middle, top, middle + 1, bottom), fill=theme.muted)
        return
    colour = theme.column if stale or item.tone is Tone.MUTED else theme.colour(item.tone)
    pen.rectangle((left, top, right, bottom), fill=blend(theme.background, colour, PALE) if item.top_px else colour)
    if item.top_px:
        pen.rectangle((left, top, right, min(bottom, top + item.top_px - 1)), fill=colour)


def _shade(role: Role, tone: Tone, theme: Theme, stale: bool) -> Rgb:
    return theme.stale if stale and role in (Role.HERO, Role.FIGURE) else theme.colour(tone)


def _paint_meter(image: Image.Image, item: MeterItem, theme: Theme, stale: bool) -> None:
    """Draw a rounded track; its fill is at least a dot, so that a small share is still seen. A mark is a line across it."""
    box = item.box
    image.paste(theme.surface, box[:2], pill(box.width, box.height))
    share = min(1.0, max(0.0, item.share))
    if share > 0:
        length = max(box.height, round(box.width * share))
        image.paste(theme.stale if stale else theme.colour(item.tone), box[:2], pill(min(length, box.width), box.height))
    if item.mark is not None:
        thick = max(2, box.height // 4)
        left = box.left + min(box.width - thick, max(0, round(box.width * item.mark) - thick // 2))
        image.paste(theme.background, (left - 1, box.top, left + thick + 1, box.bottom))
        image.paste(theme.warn, (left, box.top, left + thick, box.bottom))


def _paint_stripe(image: Image.Image, number: int, theme: Theme, scale: Scale) -> None:
    """Draw the account's edge on the left: its colour, and as many pieces as its number plus one."""
    colour = theme.stripes[number % len(theme.stripes)]
    pieces, width = number % 6 + 1, scale.ring
    top, bottom, between = scale.corner, scale.height - scale.corner, scale.px(0.05, 3)
    length = (bottom - top - between * (pieces - 1)) / pieces
    for piece in range(pieces):
        start = round(top + piece * (length + between))
        image.paste(colour, (0, start), pill(width, max(2, round(length))))


def _pressed(image: Image.Image, plain: Theme, theme: Theme, scale: Scale) -> Image.Image:
    """Return the picture a little smaller, as if pushed away, on a lit edge."""
    edge_px = pushed_in_px(scale)
    width, height = scale.width - 2 * edge_px, scale.height - 2 * edge_px
    small = image.resize((width, height), Image.Resampling.BICUBIC)
    under = Image.new("RGB", image.size, plain.background)
    under.paste(small, (edge_px, edge_px), rounded(width, height, scale.corner))
    edge = outline(scale.width, scale.height, scale.corner, scale.ring, 1.0)
    under.paste(plain.surface if theme is plain else theme.background, (0, 0), edge)
    return under


def _paint_ring(image: Image.Image, share: float, colour: Rgb, theme: Theme, scale: Scale, thick: int) -> None:
    """Draw a band along the edge, filled clockwise from the top middle, over its empty track."""
    if share < 1:
        image.paste(theme.surface, (0, 0), outline(scale.width, scale.height, scale.corner, thick, 1.0))
    steps = max(0.01, min(1.0, round(share, 2)))
    image.paste(colour, (0, 0), outline(scale.width, scale.height, scale.corner, thick, steps))
