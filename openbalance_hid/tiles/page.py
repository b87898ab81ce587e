"""`page`: the name of the page that a tap shows; its dots show the current page of the deck.

    to   main        the name of a page of this deck

A tap shows that page. A key that is held while the page changes does nothing on the new one.
"""

from openbalance_hid.text import single_line
from openbalance_hid.tiles.actions import TurnPage
from openbalance_hid.tiles.kind import TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import Icon, Notice, TileView, Tone


def view(scene: Scene) -> TileView:
    """Return the name of the page, without colour while it is shown."""
    to = scene.choice("to")
    here = scene.pages[scene.page] == to if scene.pages else False
    notice = Notice(Icon.PAGE, single_line(to), Tone.MUTED if here else Tone.ACCENT, "shown now" if here else "")
    return TileView(
        scene.tile,
        "Page" if scene.label is None else scene.label,
        (notice,),
        f"Page {single_line(to)}" + (", shown now" if here else ""),
        scene.theme,
        page=(scene.page, len(scene.pages)) if scene.pages else None,
    )


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("another", page=1),
        TileCase("this one"),
        TileCase("long name", options={"to": "all the money"}),
    )


KIND = TileKind(
    "page",
    "shows another page of the deck",
    view,
    TurnPage(),
    (Option("to", "text", "main", minimum=1, maximum=32, help="the name of the page"),),
    cases=cases,
    has_account=False,
)
