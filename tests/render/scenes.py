"""Every case of every tile, and every state of a touched key, by the name that its golden picture is kept under.

The cases are data in the tiles' own files (`KIND.cases`) and in `tools.tile_cases`. Faces made by hand, for what no tile shows
today, are in `faces`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from openbalance_hid.app.tile_views import KeyInteraction
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.view import KeyFace
from tools.tile_cases import TOUCHES, UNTOUCHED, cases_of, face_of_case

THEMES = ("dark", "light")


@dataclass(frozen=True)
class TouchedCase:
    """A case of a tile and what the user does to its key."""

    kind: TileKind
    case: TileCase
    touch: KeyInteraction = UNTOUCHED


def face(scene: TouchedCase, theme: str) -> KeyFace:
    return face_of_case(scene.kind, scene.case, theme, scene.touch)


CRITICAL = TileCase("critical", CaseAccount(today="23.00"))
AT_REST: Mapping[str, TouchedCase] = {
    f"{kind.name}: {case.name}": TouchedCase(kind, case) for kind in TILES.values() for case in cases_of(kind)
}
TOUCHED: Mapping[str, TouchedCase] = {
    **{f"balance: {name}": TouchedCase(TILES["balance"], TileCase("ok"), touch) for name, touch in TOUCHES.items()},
    **{
        f"spike-alert: {name}, calling": TouchedCase(TILES["spike-alert"], CRITICAL, touch)
        for name, touch in TOUCHES.items()
        if "refreshing under" not in name
    },
}
SCENES: Mapping[str, TouchedCase] = {**AT_REST, **TOUCHED}
