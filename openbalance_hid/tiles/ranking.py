"""The common part of the cycling tiles: two rows a page, each with name, amount and share bar; the next page every 60 s."""

from collections.abc import Sequence
from typing import Any

from openbalance_hid.account.leaders import Leader
from openbalance_hid.account.leaders import leaders as leaders_of
from openbalance_hid.account.snapshot import Reading
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, notice_view, plain_notice, trouble, trouble_line, true_until, value_view
from openbalance_hid.tiles.view import Icon, Row, TileView, Tone

ROWS = 2
NO_ACTIVITY = TileState("No activity yet", Icon.CLOCK, Tone.MUTED)
NO_SPEND = TileState("No spend yet", Icon.CLOCK, Tone.MUTED)  # requests may be free, or paid to the provider
BY = Option("by", "choice", "spend", choices=("spend", "requests", "tokens"), help="what is compared")


def ranking_view(
    scene: Scene, title: str, reading: Reading[Any], leaders: Sequence[Leader] | None, names: Sequence[str], by: str
) -> TileView:
    """Return one page of `leaders`, shown as `names`; None: unknown, because of the trouble of `reading`."""
    snapshot = scene.snapshot
    health = trouble(scene, reading)
    is_today = reading is snapshot.today  # completed days do not change, so that they do not age between two requests
    if leaders is None:
        return notice_view(scene, title, health)
    if not leaders:
        idle = not is_today and not leaders_of(snapshot, "30d", "requests", scene.now)
        return plain_notice(scene, title, NO_ACTIVITY if idle else NO_SPEND)
    pages = -(-len(leaders) // ROWS)
    page = scene.turn % pages
    here = slice(page * ROWS, page * ROWS + ROWS)
    rows = tuple(Row(name, _amount(leader, by), leader.share) for name, leader in zip(names[here], leaders[here], strict=True))
    text = f"{title}: {', '.join(f'{row.name} {row.amount}' for row in rows)}"
    measured_at = true_until(snapshot, reading) if is_today else snapshot.credits.measured_at or reading.measured_at
    dots = (page, pages) if pages > 1 else None
    return value_view(scene, title, rows, [text], measured_at, trouble=trouble_line(health), page=dots)


def _amount(leader: Leader, by: str) -> str:
    if by == "spend":
        return words.money(leader.spend.usd)
    number = leader.spend.requests if by == "requests" else leader.spend.tokens
    return f"{words.count(number)} {words.UNITS[by]}" if number else words.UNKNOWN
