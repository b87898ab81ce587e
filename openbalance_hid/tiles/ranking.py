"""The common part of the cycling tiles: two rows a page, each with name, amount and bar; the next page every 60 s.

All rows and pages of a tile have one amount column and one bar length, which the leader fills: bars can be compared. With
own-key (BYOK) cost apart, a page has one name: its row, and below it the row of the own-key cost, which has no bar.
"""

from collections.abc import Sequence
from typing import Any

from openbalance_hid.account.amount import ZERO, Amount, oldest
from openbalance_hid.account.byok import ByokParts, byok_parts
from openbalance_hid.account.leaders import Leader
from openbalance_hid.account.leaders import leaders as leaders_of
from openbalance_hid.account.snapshot import ZERO_SPEND, Reading
from openbalance_hid.account.spend import used_usd
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.name_cuts import NameCut
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, notice_view, plain_notice, trouble, true_until, value_view
from openbalance_hid.tiles.view import Icon, RankedRow, Row, TileView, Tone

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
OWN_KEY = "own key"  # marks own-key (BYOK) cost, on every tile
BYOK = Option(
    "byok",
    "choice",
    "off",
    choices=("off", "apart"),
    help="apart: show what your own provider keys cost as a second amount, in no other one",
)
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
    names: Sequence[NameCut],
    by: str,
    byok: ByokParts | None = None,
) -> TileView:
    """Return one page of `leaders`, shown as `names`; None: unknown, because of the trouble of `reading`.

    `byok`: own-key cost by leader, shown apart.
    """
    snapshot, (title, *short) = scene.snapshot, titles
    health = trouble(scene, reading)
    is_today = reading is snapshot.today  # completed days do not change, so that they do not age between two requests
    if leaders is None:
        return notice_view(scene, title, health, tuple(short))
    if not leaders:
        idle = not is_today and not leaders_of(snapshot, "30d", "requests", scene.now)
        return plain_notice(scene, title, NO_ACTIVITY if idle else NO_SPEND, tuple(short))
    amounts = [_amount(leader, by) for leader in leaders]
    own = [] if byok is None else [byok.of(leader.name) for leader in leaders]
    own_amounts = [words.money(each) for each in own]
    column = (*amounts, *own_amounts)
    most = max(leader.share for leader in leaders)
    shares = [leader.share / most if most > 0 else None for leader in leaders]
    rows: list[Row] = [
        RankedRow(each.name, amount, share, column=column, shorten=each.shorten, variants=each.variants)
        for each, share, amount in zip(names, shares, amounts, strict=True)
    ]
    measured_at = (
        true_until(snapshot, reading) if is_today else used_usd(snapshot, scene.choice("period"), scene.now).measured_at
    )
    if own:
        below = [Row(OWN_KEY, amount, column=column) for amount in own_amounts]
        rows = [row for pair in zip(rows, below, strict=True) for row in pair]
        measured_at = oldest((Amount(ZERO, measured_at=measured_at), *own))
    here, page = page_of(rows, scene.turn)
    text = f"{title}{' (UTC)' if is_today else ''}: {', '.join(f'{row.name} {row.amount}' for row in here)}"
    return value_view(scene, title, here, [text], measured_at, trouble=health, page=page, short_titles=tuple(short))


def with_byok(scene: Scene, leaders: Sequence[Leader] | None, names: str) -> tuple[Sequence[Leader] | None, ByokParts | None]:
    """Return the leaders and their own-key cost by "model" or "provider", if the tile shows it.

    By spend, the larger of the two amounts of each name ranks it, also of names that cost no credits. They are never added.
    """
    if scene.choice("byok") == "off" or leaders is None:
        return leaders, None
    byok = byok_parts(scene.snapshot, names, scene.choice("period"), scene.now)
    if scene.choice("by") != "spend":
        return leaders, byok
    listed = {leader.name for leader in leaders}
    used = used_usd(scene.snapshot, scene.choice("period"), scene.now)
    is_part = used.approximate or not used.is_whole or any(leader.lower_bound for leader in leaders)
    others = [Leader(name, ZERO_SPEND, 0.0, is_part) for name, each in byok.named.items() if each.usd and name not in listed]
    larger = {each.name: max(each.spend.usd, byok.of(each.name).usd or ZERO) for each in (*leaders, *others)}
    return sorted((*leaders, *others), key=lambda each: (-larger[each.name], each.name)), byok


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
