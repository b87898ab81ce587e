"""`burn-rate`: dollars per hour over the last hour, the hours before it as bars, and a usual hour as a line.

    hours    24                      bars

Where samples leave a gap, hours are from OpenRouter's analytics by hour: marked `~`, their bars pale with a clear top. What
that has not either is a gap. The
line is a usual working hour; above it the present hour is dearer than usual.
A tap opens the activity page.
"""

from decimal import Decimal
from typing import Final

from openbalance_hid.account.burn import last_hours, usual_hour_usd
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import NOT_POLLED, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import notice_view, trouble, value_view
from openbalance_hid.tiles.view import Bars, Hero, TileView, Tone

FROM_ANALYTICS: Final = (
    *("0", "0", "0.02", "0.14", "0.31", "0.28", "0.22", "0.09", "0.12", "0.26"),
    *("0.24", "0.17", "0.08", "0.03", "0", "0", "0.02", "0.10", "0.10", "0.10"),
)


def view(scene: Scene) -> TileView:
    """Return the last hour, the bars and the line, or the reason why there are none."""
    snapshot = scene.snapshot
    title = scene.label or "Per hour"
    health = trouble(scene, snapshot.credits)
    amounts = last_hours(snapshot, int(str(scene.options["hours"])))
    if snapshot.credits.value is None and not any(each.is_known for each in amounts):
        return notice_view(scene, title, health)
    hours = [each.usd for each in amounts]
    burn, usual = amounts[-1], usual_hour_usd(snapshot, scene.now)
    top = max((each for each in (*hours, usual) if each is not None), default=Decimal(0))
    shares = tuple(None if each is None else float(each / top) if top > 0 else 0.0 for each in hours)
    tones = (*(Tone.MUTED for _ in hours[1:]), Tone.ACCENT)
    line = float(usual / top) if usual is not None and top > 0 else None
    bars = Bars(shares, tones, line, tuple(bool(each.sign) for each in amounts))
    rough, gaps = sum(each.approximate for each in amounts), sum(not each.is_known for each in amounts)
    text = [
        f"{title} {words.money(burn)}",
        None if usual is None else f"a usual hour {words.money(usual)}",
        f"{rough} of {len(amounts)} hours approximate" if rough else None,
        f"{gaps} not known" if gaps else None,
    ]
    return value_view(scene, title, (Hero(words.money(burn)), bars), text, burn.measured_at, trouble=health)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("first hours", CaseAccount(sampled_h=4)),
        TileCase("no samples", CaseAccount(sampled_h=0, unknown=NOT_POLLED)),
        TileCase("12 hours", options={"hours": 12}),
        TileCase("hours from analytics", CaseAccount(sampled_h=7, hours=FROM_ANALYTICS)),
    )


KIND = TileKind(
    "burn-rate",
    "dollars per hour over the last hour, with the hours before it",
    view,
    OpenPage(WebPage.ACTIVITY),
    (Option("hours", "int", 24, minimum=6, maximum=48, help="bars, one an hour"),),
    cases=cases,
)
