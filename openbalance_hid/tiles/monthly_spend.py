"""`monthly-spend`: the rolling 30-day total as hero number, and a bar chart of the last days.

    bars     7                       days in the chart; the last one is today so far

A tap opens the activity page.
"""

from decimal import Decimal

from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.spend import daily_usd, used_usd
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.ranking import NO_ACTIVITY
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import notice_view, plain_notice, trouble, value_view
from openbalance_hid.tiles.view import Bars, Hero, TileView, Tone


def view(scene: Scene) -> TileView:
    """Return total and bars, or the reason why there are none."""
    snapshot = scene.snapshot
    title = scene.label or "Spent 30 d"
    health = trouble(scene, snapshot.activity)
    total = used_usd(snapshot, "30d", scene.now)
    ranked = leaders(snapshot, "30d", "requests", scene.now)
    if ranked is None:
        return notice_view(scene, title, health)
    if not ranked and not total.usd:
        return plain_notice(scene, title, NO_ACTIVITY)
    days = daily_usd(snapshot, int(str(scene.options["bars"])), scene.now)
    tallest = max((day.usd for day in days if day.usd is not None), default=Decimal(0))
    shares = tuple(
        None if day.usd is None else float(max(day.usd, Decimal(0)) / tallest) if tallest > 0 else 0.0 for day in days
    )
    tones = (*[Tone.MUTED] * (len(days) - 1), Tone.ACCENT)
    text = f"{title} {words.money(total)}, last {len(days)} days {', '.join(words.money(usd) for usd in days)}"
    measured_at = total.measured_at
    blocks = (Hero(words.money(total)), Bars(shares, tones, inexact=tuple(bool(day.sign) for day in days)))
    return value_view(scene, title, blocks, [text], measured_at, trouble=health)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("today unknown", CaseAccount(sampled_h=0, unknown=("today",))),
        TileCase("young account", CaseAccount(days=("2.10", "0.40"))),
        TileCase("fourteen days", options={"bars": 14}),
        TileCase("large", CaseAccount(days=("40000", "98000", "1234567"))),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "monthly-spend",
    "the rolling 30-day total with a chart of the last days",
    view,
    OpenPage(WebPage.ACTIVITY),
    (Option("bars", "int", 7, minimum=2, maximum=14, help="days in the chart"),),
    cases=cases,
)
