"""The common part of the cycling tiles: two rows a page, each with name, amount and bar; the next page every 60 s.

All rows and pages of a tile have one amount column and one bar length, which the leader fills: bars can be compared.
"""

from collections.abc import Sequence
from typing import Any

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.leaders import Leader
from openbalance_hid.account.leaders import leaders as leaders_of
from openbalance_hid.account.snapshot import Reading
from openbalance_hid.account.spend import used_usd
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, notice_view, plain_notice, trouble, true_until, value_view
from openbalance_hid.tiles.view import Icon, Row, TileView, Tone

ROWS = 2
PERIODS = {
    "30d": ("30 d", "30d"),
    "7d": ("7 d", "7d"),
    "today": ("today",),
    "week": ("this week", "week"),
    "month": ("this month", "month"),
}
NO_ACTIVITY = TileState("No activity yet", Icon.CLOCK, Tone.MUTED)
NO_SPEND = TileState("No spend yet", Icon.CLOCK, Tone.MUTED)  # requests may be free, or paid to the provider
BY = Option("by", "choice", "spend", choices=("spend", "requests", "tokens"), help="what is compared")


def titles_of(scene: Scene, subject: str) -> tuple[str, ...]:
    """Return the titles of a tile about a subject ("Models") in its period, longest first; or its own label alone."""
    if scene.label:
        return (scene.label,)
    return (*(f"{subject} {period}" for period in PERIODS[scene.choice("period")]), subject)


def ranking_view(
    scene: Scene,
    titles: tuple[str, ...],
    reading: Reading[Any],
    leaders: Sequence[Leader] | None,
    names: Sequence[str],
    by: str,
) -> TileView:
    """Return one page of `leaders`, shown as `names`; None: unknown, because of the trouble of `reading`."""
    snapshot, (title, *short) = scene.snapshot, titles
    health = trouble(scene, reading)
    is_today = reading is snapshot.today  # completed days do not change, so that they do not age between two requests
    if leaders is None:
        return notice_view(scene, title, health)
    if not leaders:
        idle = not is_today and not leaders_of(snapshot, "30d", "requests", scene.now)
        return plain_notice(scene, title, NO_ACTIVITY if idle else NO_SPEND)
    column = tuple(_amount(leader, by) for leader in leaders)
    most = max(leader.share for leader in leaders)
    rows = [
        Row(name, amount, leader.share / most if most > 0 else None, column=column)
        for name, leader, amount in zip(names, leaders, column, strict=True)
    ]
    here, page = page_of(rows, scene.turn)
    text = f"{title}{' (UTC)' if is_today else ''}: {', '.join(f'{row.name} {row.amount}' for row in here)}"
    measured_at = (
        true_until(snapshot, reading) if is_today else used_usd(snapshot, scene.choice("period"), scene.now).measured_at
    )
    return value_view(scene, title, here, [text], measured_at, trouble=health, page=page, short_titles=tuple(short))


def page_of(rows: Sequence[Row], turn: int) -> tuple[Sequence[Row], tuple[int, int] | None]:
    """Return the rows of the page that is shown at a turn, and (index, count) of the pages; None with only one."""
    pages = -(-len(rows) // ROWS)
    page = turn % pages
    return rows[page * ROWS : page * ROWS + ROWS], (page, pages) if pages > 1 else None


def _amount(leader: Leader, by: str) -> str:
    if by == "spend":
        return words.money(Amount(leader.spend.usd, lower_bound=leader.lower_bound))
    number = leader.spend.requests if by == "requests" else leader.spend.tokens
    return f"{words.count(number)} {words.UNITS[by]}" if number else words.UNKNOWN
