"""`top-models`: the models with the highest spend, two at a time, with amount, bar and page dots.

    period   30d, 7d, today
    by       spend, requests, tokens
    models   6                       how many, two a page; the next page follows every 60 s
    byok     off, apart              apart: one a page, with its own-key (BYOK) cost as a second amount

A tap opens the activity page.
"""

from openbalance_hid.account.leaders import leaders
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.name_cuts import model_cut
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.ranking import BY, BYOK, ranking_view, titles_of, with_byok
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import TileView


def view(scene: Scene) -> TileView:
    """Return one page of the leading models, or the reason why there is none."""
    snapshot, period, by = scene.snapshot, scene.choice("period"), scene.choice("by")
    reading = snapshot.today if period == "today" else snapshot.activity
    shown, byok = with_byok(scene, leaders(snapshot, period, by, scene.now), "model")
    if shown is not None:
        shown = shown[: int(str(scene.options["models"]))]
    names = [model_cut(snapshot, leader.name) for leader in shown or ()]
    return ranking_view(scene, titles_of(scene, "Models"), reading, shown, names, by, byok)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("second page", turn=1),
        TileCase("third page", turn=2),
        TileCase("7d", options={"period": "7d"}),
        TileCase("today", options={"period": "today"}),
        TileCase("by requests", CaseAccount(days=("1",)), options={"by": "requests"}),
        TileCase("by tokens", CaseAccount(days=("1",)), options={"by": "tokens"}),
        TileCase("one model", options={"models": 1}),
        TileCase("own key apart", options={"byok": "apart"}),
        TileCase("large", CaseAccount(days=("40000", "98000", "1234567"))),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "top-models",
    "the models with the highest spend, two at a time",
    view,
    OpenPage(WebPage.ACTIVITY),
    (
        Option("period", "choice", "30d", choices=("30d", "7d", "today"), help="which days"),
        BY,
        Option("models", "int", 6, minimum=1, maximum=6, help="how many models, two a page"),
        BYOK,
    ),
    cases=cases,
)
