"""What the cycling tiles share: two rows a page, each a name, an amount and a share bar, the next page every 60 s."""

from collections.abc import Sequence
from typing import Any

from openbalance_hid.account.snapshot import Reading
from openbalance_hid.account.spend import Leader
from openbalance_hid.account.spend import leaders as leaders_of
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import (
    TileState,
    age_words,
    notice_view,
    plain_notice,
    shown_age,
    trouble,
    trouble_line,
    true_until,
)
from openbalance_hid.tiles.view import Icon, Row, TileView, Tone

ROWS = 2
NO_ACTIVITY = TileState("No activity yet", Icon.CLOCK, Tone.MUTED)
NO_SPEND = TileState("No spend yet", Icon.CLOCK, Tone.MUTED)  # requests may have been made, of free models or by an own key
BY = Option("by", "choice", "spend", choices=("spend", "requests", "tokens"), help="what is compared")


def ranking_view(
    scene: Scene, title: str, reading: Reading[Any], leaders: Sequence[Leader] | None, names: Sequence[str], by: str
) -> TileView:
    """One page of `leaders`, called `names`; None: not known yet, for the trouble of `reading`."""
    snapshot = scene.snapshot
    asked = trouble(scene, reading)
    asked_seldom = reading is snapshot.today  # completed days stay as they are: that they are asked twice a day is no age
    if leaders is None:
        return notice_view(scene, title, asked)
    if not leaders:
        idle = not asked_seldom and not leaders_of(snapshot, "30d", "requests", scene.now)
        return plain_notice(scene, title, NO_ACTIVITY if idle else NO_SPEND)
    pages = -(-len(leaders) // ROWS)
    page = scene.turn % pages
    here = slice(page * ROWS, page * ROWS + ROWS)
    rows = tuple(Row(name, _amount(leader, by), leader.share) for name, leader in zip(names[here], leaders[here], strict=True))
    told = ", ".join(f"{row.name} {row.amount}" for row in rows)
    line = trouble_line(asked)
    measured_at = true_until(snapshot, reading) if asked_seldom else snapshot.credits.measured_at or reading.measured_at
    return TileView(
        scene.tile,
        title,
        rows,
        f"{title}: {told}" + (f", {line.text}" if line is not None else "") + age_words(snapshot, measured_at, scene.now),
        scene.theme,
        shown_age(snapshot, [measured_at], scene.now),
        page=(page, pages) if pages > 1 else None,
        trouble=line,
    )


def _amount(leader: Leader, by: str) -> str:
    if by == "spend":
        return words.money(leader.spend.usd)
    number = leader.spend.requests if by == "requests" else leader.spend.tokens
    return f"{words.count(number)} {words.UNITS[by]}" if number else words.UNKNOWN
