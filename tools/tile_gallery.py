"""The sheet for designers and reviewers: every tile in all its cases, under all its options, and touched.

The cases are those of the golden pictures (`tools.tile_cases`). A face that a tile has shown already is left out. How a sheet
looks is decided in `tools.contact_sheet`.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path

from msgspec.structs import replace

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import TileCase, TileKind
from openbalance_hid.tiles.states import tile_error
from openbalance_hid.tiles.view import KeyFace
from tools.contact_sheet import Group, SheetPanel, contact_sheet
from tools.tile_cases import TOUCHES, cases_of, face_of_case

THEMES = ("dark", "light")
ACCOUNTS = ("first account", "second account")  # on a deck that shows two
DEFAULTS = TileCase("defaults")


def sheet_png(width: int, height: int, themes: tuple[str, ...] = THEMES) -> bytes:
    """Return a PNG file with every tile, for keys of `width` × `height` pixels at real size; one panel for each theme."""
    panels = []
    for theme in themes:
        groups = [Group(kind.name, kind.help, tuple(cells_of(kind, theme))) for kind in TILES.values()]
        groups.append(Group("any tile", "when it has a bug", (("tile error", KeyFace(tile_error("balance", theme))),)))
        panels.append(SheetPanel(f"{theme.capitalize()} theme", f"keys of {width} × {height} px, real size", tuple(groups)))
    with BytesIO() as out:
        contact_sheet(panels, width, height).save(out, "PNG", compress_level=7)  # a quarter of the time of 9, for 3 % more
        return out.getvalue()


def cells_of(kind: TileKind, theme: str) -> Iterator[tuple[str, KeyFace]]:
    """Yield the name and face of everything that looks different on a tile; its defaults first."""
    seen = set()
    for name, face in _faces(kind, theme):
        looks = replace(face, view=replace(face.view, text=""))
        if looks not in seen:
            seen.add(looks)
            yield name, face


def _faces(kind: TileKind, theme: str) -> Iterator[tuple[str, KeyFace]]:
    cases = (DEFAULTS, *cases_of(kind), *_cases_of_options(kind), replace(DEFAULTS, name="own label", label="Side project"))
    shown = [(case.name, face_of_case(kind, case, theme)) for case in cases]
    yield from shown
    if kind.has_account:
        for stripe, name in enumerate(ACCOUNTS):
            yield name, replace(shown[0][1], view=replace(shown[0][1].view, stripe=stripe))
    calling = next((case for case, (_, face) in zip(cases, shown, strict=True) if face.view.attention), None)
    for case in (DEFAULTS, calling):
        for touch_name, touch in TOUCHES.items() if case is not None else ():
            yield touch_name if case is DEFAULTS else f"{case.name}, {touch_name}", face_of_case(kind, case, theme, touch)


def _cases_of_options(kind: TileKind) -> Iterator[TileCase]:
    """Yield the usual account under every combination of choices, and every whole number at both of its ends."""
    choices = {option.name: option.choices for option in kind.options if option.choices}
    for values in product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        own = [value for name, value in chosen.items() if value != kind.defaults()[name]]
        yield TileCase(", ".join(own) or "defaults", options=chosen)
    for option in kind.options:
        if option.kind == "int":
            for value in (option.minimum, option.maximum):
                yield TileCase(f"{option.name} {value}", options={option.name: value})


def main() -> None:
    """Write the sheet of one key size: `python -m tools.tile_gallery 72x72 FILE.png`."""
    size, file = sys.argv[1:]
    width, _, height = size.partition("x")
    Path(file).write_bytes(sheet_png(int(width), int(height or width)))


if __name__ == "__main__":
    main()
