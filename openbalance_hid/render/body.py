"""A whole deck as a picture: the body of the hardware, its keys with their glass, strip and dials. For `preview`.

The measures are taken from photographs of the models, as fractions of a key: the deck must be recognised, and must not look
like a screenshot of a window. The pictures of the keys are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from PIL import Image, ImageChops, ImageFilter

from openbalance_hid.render import fonts
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.shapes import rounded
from openbalance_hid.render.theme import Rgb

WELL: Final = (6, 6, 8)  # the dark frame round each glass


class Shell(NamedTuple):
    """The colours of a body: from top to bottom, its upper edge, its letters."""

    top: Rgb
    bottom: Rgb
    edge: Rgb
    rim: Rgb
    letters: Rgb


BLACK: Final = Shell((58, 61, 67), (33, 35, 39), (112, 116, 124), (76, 80, 87), (150, 156, 166))
WHITE: Final = Shell((246, 246, 248), (234, 235, 238), (255, 255, 255), (196, 199, 204), (104, 110, 119))  # the Neo


@dataclass(frozen=True, slots=True)
class Body:
    """The front of a model: keys in rows, and what is below them. Sizes of pictures in pixels; 0: the model has none."""

    columns: int
    rows: int
    key_width: int
    key_height: int
    strip_width: int = 0  # touch strip, or the screen of the Neo
    strip_height: int = 0
    dials: int = 0
    touch_keys: int = 0  # beside the screen of the Neo
    is_white: bool = False
    upside_down: bool = False  # strip and dials are above the keys

    @property
    def shell(self) -> Shell:
        return WHITE if self.is_white else BLACK


def draw_deck(
    pictures: Mapping[int, Image.Image],
    body: Body,
    title: str = "",
    strip: Sequence[Image.Image] = (),
    lights: Mapping[int, Rgb] = MappingProxyType({}),
    scale: int = 2,
) -> Image.Image:
    """Return an RGBA picture of the deck on a transparent ground, `scale` times as large as its panels' pixels.

    `pictures`: upright, by key, row by row from the top left; a key without one is dark. A picture is scaled to its key, so
    keys drawn `scale` times as large stay sharp. `title`: small letters on the body. `strip`: the parts of the strip or screen
    from left to right. `lights`: colours of the touch keys; one without is dark.
    """
    key_width, key_height = body.key_width * scale, body.key_height * scale
    unit = min(key_width, key_height)
    gap, edge, shadow = round(unit * 0.27), round(unit * 0.46), round(unit * 0.3)
    keys_width = body.columns * key_width + (body.columns - 1) * gap
    keys_height = body.rows * key_height + (body.rows - 1) * gap
    strip_height = body.strip_height * scale
    dial = round(unit * 0.62)
    inner_width = max(keys_width, body.strip_width * scale)
    inner_height = keys_height + (strip_height + gap if strip_height else 0) + (dial + gap if body.dials else 0)
    title_height = round(unit * 0.34) if title else 0
    width, height = inner_width + 2 * edge, inner_height + 2 * edge + title_height

    rim = body.shell.rim
    whole = Image.new("RGBA", (width + 2 * shadow, height + 2 * shadow))
    _shell(whole, body.shell, shadow, width, height, round(unit * 0.42))
    # Beside dials the keys are spread, one for each; elsewhere they are as close as the glass allows.
    pitch = max(key_width + gap, inner_width // body.columns if body.dials else 0)
    heights = {"keys": keys_height, "strip": strip_height, "dials": dial if body.dials else 0}
    tops, y = {}, shadow + edge
    for part in reversed(heights) if body.upside_down else heights:
        tops[part] = y
        y += heights[part] + gap if heights[part] else 0
    keys_left = shadow + edge + (inner_width - (body.columns - 1) * pitch - key_width) // 2
    for index in range(body.columns * body.rows):
        x = keys_left + index % body.columns * pitch
        top = tops["keys"] + index // body.columns * (key_height + gap)
        _glass(whole, pictures.get(index), (x, top, key_width, key_height), round(unit * 0.15), scale, rim)
    if strip_height:
        y = tops["strip"]
        strip_width = body.strip_width * scale
        left = shadow + (width - strip_width) // 2
        _glass(whole, _side_by_side(strip), (left, y, strip_width, strip_height), round(strip_height * 0.12), scale, rim)
        for number in range(body.touch_keys):
            beside = left - gap - unit // 3 if number == 0 else left + strip_width + gap
            light = Image.new("RGB", (unit // 3, unit // 6), lights[number]) if number in lights else None
            _glass(whole, light, (beside, y + strip_height // 2 - unit // 12, unit // 3, unit // 6), unit // 12, scale, rim)
    for number in range(body.dials):
        middle = shadow + edge + inner_width * (2 * number + 1) // (2 * body.dials)
        _dial(whole, middle - dial // 2, tops["dials"], dial)
    if title:
        _letters(whole, title, body.shell.letters, shadow + height - edge // 2 - title_height // 2, round(unit * 0.17))
    return whole


def _shell(whole: Image.Image, shell: Shell, shadow: int, width: int, height: int, corner: int) -> None:
    """Draw the body: a soft shadow on the table, a faint gradient from the light above, a bright upper edge."""
    mask = rounded(width, height, corner)
    dark = Image.new("L", whole.size)
    dark.paste(mask, (shadow, shadow + shadow // 3))
    dark = dark.filter(ImageFilter.GaussianBlur(shadow / 3)).point([round(value * 0.45) for value in range(256)])
    whole.paste((0, 0, 0), (0, 0), dark)
    whole.putalpha(dark)
    ramp = Image.linear_gradient("L").resize((width, height))
    face = Image.composite(Image.new("RGB", (width, height), shell.bottom), Image.new("RGB", (width, height), shell.top), ramp)
    lit = _upper_edge(mask, max(1, height // 220))
    face.paste(shell.edge, (0, 0), lit)
    front = face.convert("RGBA")
    front.putalpha(mask)
    whole.alpha_composite(front, (shadow, shadow))


def _glass(
    whole: Image.Image, picture: Image.Image | None, place: tuple[int, int, int, int], corner: int, scale: int, rim: Rgb
) -> None:
    """Draw one panel under its glass: a dark well around it, its picture with round corners, a glint along the upper edge."""
    x, y, width, height = place
    frame = max(2, 3 * scale)
    well = rounded(width + 2 * frame, height + 2 * frame, corner + frame)
    whole.paste(rim, (x - frame, y - frame + scale), well)
    whole.paste(WELL, (x - frame, y - frame), well)
    if picture is None:
        return
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    whole.paste(picture.convert("RGB"), (x, y), rounded(width, height, corner))
    glint = _upper_edge(rounded(width, height, corner), scale)
    whole.paste((255, 255, 255), (x, y), glint.point([value // 7 for value in range(256)]))


def _side_by_side(parts: Sequence[Image.Image]) -> Image.Image | None:
    if not parts:
        return None
    joined = Image.new("RGB", (sum(part.width for part in parts), parts[0].height))
    x = 0
    for part in parts:
        joined.paste(part, (x, 0))
        x += part.width
    return joined


def _dial(whole: Image.Image, x: int, y: int, size: int) -> None:
    disc = rounded(size, size, size // 2)
    whole.paste(WELL, (x, y), disc)
    inner = size - 2 * max(2, size // 14)
    ramp = Image.linear_gradient("L").resize((inner, inner))
    metal = Image.composite(
        Image.new("RGB", (inner, inner), (44, 46, 51)), Image.new("RGB", (inner, inner), (92, 96, 104)), ramp
    )
    whole.paste(metal, (x + (size - inner) // 2, y + (size - inner) // 2), rounded(inner, inner, inner // 2))


def _letters(whole: Image.Image, text: str, colour: Rgb, middle_y: int, size_px: int) -> None:
    said = fonts.printable(text)
    run = fonts.run(said, Weight.TEXT, size_px)
    left = (whole.width - fonts.width_px(said, Weight.TEXT, size_px)) // 2
    whole.paste(colour, (left - run.left_px, middle_y + fonts.cap_px(size_px) // 2 - run.baseline_px), run.mask)


def _upper_edge(mask: Image.Image, thick: int) -> Image.Image:
    """Return the part of a mask that light from above catches."""
    lower = Image.new("L", mask.size)
    lower.paste(mask, (0, thick))
    return ImageChops.subtract(mask, lower)
