"""`providers`: spend per upstream provider, two at a time, with amount, bar and page dots.

    period   30d, 7d                 completed UTC days, and today as far as OpenRouter reports it
    by       spend, requests, tokens
    byok     off, apart              apart: one a page, with its own-key (BYOK) cost as a second amount

The next page follows every 60 s. A tap opens the activity page.
"""

from openbalance_hid.account.leaders import providers
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import IDLE, TileCase, TileKind
from openbalance_hid.tiles.name_cuts import end_cut
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.ranking import BY, BYOK, ranking_view, titles_of, with_byok
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import TileView

MOST = 6


def view(scene: Scene) -> TileView:
    """Return one page of the leading providers, or the reason why there is none."""
    snapshot, period, by = scene.snapshot, scene.choice("period"), scene.choice("by")
    shown, byok = with_byok(scene, providers(snapshot, period, by, scene.now), "provider")
    if shown is not None:
        shown = shown[:MOST]
    printed = [single_line(leader.name) or words.UNKNOWN for leader in shown or ()]
    names = [end_cut(name, printed) for name in printed]
    return ranking_view(scene, titles_of(scene, "Providers"), snapshot.activity, shown, names, by, byok)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("second page", turn=1),
        TileCase("own key apart", options={"byok": "apart"}),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "providers",
    "spend per upstream provider, two at a time",
    view,
    OpenPage(WebPage.ACTIVITY),
    (Option("period", "choice", "30d", choices=("30d", "7d"), help="which days, and today so far"), BY, BYOK),
    cases=cases,
)
