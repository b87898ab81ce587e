"""The picture of all tiles with their options, for the documentation: what a user can choose.

A cell is a tile's default, one of its options chosen, or one of its own states. `tools.tile_gallery` shows every case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import TileCase, TileKind
from openbalance_hid.tiles.view import KeyFace
from tools.contact_sheet import Group, compact_sheet
from tools.tile_cases import face_of_case

KEY_PX: Final = 96
COLUMNS: Final = 8
NOT_SHOWN: Final = ("blank",)
STATES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {  # of each tile, beside its options: names of its cases
        "balance": ("low", "used all", "percent all"),
        "monthly-spend": ("fourteen days",),
        "spike-alert": ("spike", "critical", "critical, acknowledged"),
        "budget": ("near", "over", "week", "day"),
        "api-keys": ("one key, limit",),
        "key-switch": ("off",),
        "command": ("text", "with icon", "class and gauge", "exit 1", "button"),
        "meter": ("running", "stopped"),
        "privacy": ("hidden",),
        "page": ("another",),
    }
)
NO_DEFAULT: Final = ("command",)  # tiles that need an option
NEEDS_MORE: Final = (("budget", "period"),)  # options that show nothing alone: a case of the tile has them
DEFAULTS: Final = TileCase("default")


def gallery_png(theme: str) -> bytes:
    """Return a PNG file with each tile and each of its choices."""
    kinds = [kind for kind in TILES.values() if kind.name not in NOT_SHOWN]
    groups = [Group(kind.name, kind.help, tuple(cells_of(kind, theme))) for kind in kinds]
    with BytesIO() as out:
        compact_sheet(groups, KEY_PX, COLUMNS).quantize(256).save(out, "PNG", optimize=True)
        return out.getvalue()


def cells_of(kind: TileKind, theme: str) -> Iterator[tuple[str, KeyFace]]:
    """Yield the name and face of a tile's default, choices and states; each face once."""
    seen = set()
    for name, case in _cases(kind):
        face = face_of_case(kind, case, theme)
        looks = replace(face, view=replace(face.view, text=""))
        if looks not in seen:
            seen.add(looks)
            yield name, face


def _cases(kind: TileKind) -> Iterator[tuple[str, TileCase]]:
    if kind.name not in NO_DEFAULT:
        yield "default", DEFAULTS
    for option in kind.options:
        for choice in option.choices or () if option.kind == "choice" else ():
            if choice != option.default and (kind.name, option.name) not in NEEDS_MORE:
                yield f"{option.name} {choice}", TileCase(choice, options={option.name: choice})
    for case in kind.cases():
        if case.name in STATES.get(kind.name, ()):
            yield case.name, case
