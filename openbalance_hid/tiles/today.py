"""`today`: spend so far in this UTC day, against the same time yesterday, and today's leading model.

    by       model

Where no samples reach back to midnight and OpenRouter does not report the day, it is the spend `since hh:mm` (UTC).
A tap opens the activity page.
"""

from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import today_since, today_usd, trend
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.balance import change_line
from openbalance_hid.tiles.kind import IDLE, NOT_POLLED, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import faded, notice_view, shown_age, trouble, trouble_line, value_view
from openbalance_hid.tiles.view import Block, Hero, Line, Shorten, TileView, Tone


def view(scene: Scene) -> TileView:
    """Return amount, comparison and leading model, or the reason why there are none."""
    snapshot = scene.snapshot
    title = scene.label or "Today UTC"
    spent = today_usd(snapshot, scene.now)
    health = trouble(scene, snapshot.today)
    if spent is None and snapshot.credits.value is None:
        return notice_view(scene, title, trouble(scene, snapshot.credits))
    since = today_since(snapshot, scene.now) if spent is None else None
    if since is not None:
        spent = since[0]
    age = shown_age(snapshot, snapshot.credits.measured_at, scene.now)
    troubled = health if spent is None or snapshot.health is not Health.OK else Health.OK
    part = Line(f"since {since[1]:%H:%M}") if since is not None else None
    line = trouble_line(troubled) or part or faded(_against_yesterday(scene), age)
    first = leaders(snapshot, "today", "spend", scene.now)
    leader = Line(words.model_names([first[0].name])[0], Tone.INK, shorten=Shorten.MIDDLE) if first else None
    below = [each for each in (line, leader) if each is not None]
    blocks: tuple[Block, ...] = (Hero(words.money(spent)), *below)
    return value_view(scene, title, blocks, [f"{title} {words.money(spent)}", *below], snapshot.credits.measured_at)


def _against_yesterday(scene: Scene) -> Line | None:
    change = trend(scene.snapshot, scene.now)
    return change_line(change.difference_usd, "yest") if change is not None and change.basis == "today" else None


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("nothing spent", CaseAccount(today="0")),
        TileCase("more", CaseAccount(today="12.35")),
        TileCase("since the first sample", CaseAccount(sampled_h=4, unknown=NOT_POLLED)),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "today",
    "spend so far today (UTC), against the same time yesterday",
    view,
    OpenPage(WebPage.ACTIVITY),
    (Option("by", "choice", "model", choices=("model",), help="what is ranked"),),
    cases=cases,
)
