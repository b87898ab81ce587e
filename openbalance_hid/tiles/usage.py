"""`usage`: the menu-bar monitor on a key: what is left, what was spent in a period, both, or an icon.

    display   both, icon, balance, usage        the icon is a tick while the account is reachable, its balance not
                                                low, and its pace normal by the default rule
    period    today, 7d, 30d, month, all        today and month are UTC

A tap opens the activity page.
"""

from msgspec.structs import replace

from openbalance_hid.account.alert import BalanceLevel
from openbalance_hid.account.amount import as_of
from openbalance_hid.account.low_balance import AUTO, low_level
from openbalance_hid.account.pace import is_prepaid
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import used_usd
from openbalance_hid.account.spike import Level, SpikeRule, judge
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import (
    TileState,
    age_text,
    notice_view,
    plain_notice,
    shown_age,
    trouble,
    trouble_line,
    trouble_of_spend,
    value_view,
)
from openbalance_hid.tiles.view import Age, Block, Figure, Hero, Icon, TileView, Tone

PERIODS = {"today": "Today", "7d": "Spent 7 d", "30d": "Spent 30 d", "month": "This month", "all": "Spent"}
TITLES = {**PERIODS, "today": "Spent today", "month": "Spent this month"}  # without the balance above it
UTC_PERIODS = ("today", "month")
ALL_WELL = TileState("All well", Icon.CHECK, Tone.GOOD)
LOW = TileState("Low balance", Icon.WARNING, Tone.WARN)
VERY_LOW = TileState("Very low balance", Icon.WARNING, Tone.ALARM)
BELOW_ZERO = TileState("Below zero", Icon.WARNING, Tone.ALARM)
SPIKE = TileState("Spike", Icon.WARNING, Tone.WARN)
CRITICAL = TileState("Critical", Icon.WARNING, Tone.ALARM)
SPIKES = {Level.SPIKE: SPIKE, Level.CRITICAL: CRITICAL}
NOT_WELL = {BalanceLevel.LOW: LOW, BalanceLevel.VERY_LOW: VERY_LOW, BalanceLevel.BELOW_ZERO: BELOW_ZERO}


def view(scene: Scene) -> TileView:
    """Return what the user chose to see, or the reason why there is nothing."""
    snapshot, display, chosen = scene.snapshot, scene.choice("display"), scene.choice("period")
    period = PERIODS[chosen]
    spent = used_usd(snapshot, chosen, scene.now)
    health = trouble(scene, snapshot.credits) if display in ("icon", "balance") else trouble_of_spend(scene, chosen, spent)
    title = scene.label or {"icon": "OpenRouter", "usage": TITLES[chosen]}.get(display, "Left")
    short = (period,) if title == TITLES[chosen] else ()
    account = snapshot.credits.value
    shows_spend = display in ("both", "usage") and chosen != "all" and spent.is_known  # known also while `/credits` fails
    if (account is None and not shows_spend) or (display == "icon" and trouble_line(snapshot, health) is not None):
        return notice_view(scene, title, health, short)
    if display == "icon":
        return _icon(scene, title)
    if account is None:  # only the spend is known
        display, title, short = "usage", scene.label or TITLES[chosen], () if scene.label else (period,)
    prepaid = is_prepaid(snapshot)  # an account without a balance has what was used in its place
    if not prepaid and title == "Left":
        title = "Used"
    balance_usd = account.balance_usd if account is not None else None
    balance = words.money(balance_usd if prepaid or account is None else account.total_usage_usd)
    used = words.money(spent)
    left = f"{title} {balance}"
    utc = " (UTC)" if chosen in UTC_PERIODS else ""
    tone = Tone.ALARM if prepaid and balance_usd is not None and balance_usd < 0 else Tone.INK
    blocks: tuple[Block, ...]
    match display:
        case "both":
            blocks, text = (Figure("", balance, tone), Figure(period, used)), f"{left}, {period}{utc} {used}"
        case "balance":
            blocks, text = (Hero(balance, tone),), left
        case _:
            blocks, text = (Hero(used),), f"{title}{utc} {used}"
    balance_at = snapshot.credits.measured_at
    measured_at = {"balance": balance_at, "usage": spent.measured_at}.get(display, as_of(spent, balance_at).measured_at)
    return value_view(scene, title, blocks, [text], measured_at, trouble=health, short_titles=short)


def _icon(scene: Scene, title: str) -> TileView:
    """Return whether all is well; stale data shows its age instead."""
    measured_at = scene.snapshot.credits.measured_at
    age = shown_age(scene.snapshot, measured_at, scene.now)
    spike = SPIKES.get(judge(scene.snapshot, scene.now, SpikeRule()).level)
    state = NOT_WELL.get(low_level(scene.snapshot, AUTO, scene.now)) or spike or ALL_WELL
    if age is Age.STALE and measured_at is not None:
        state = TileState(age_text(scene.snapshot, measured_at, scene.now), Icon.CLOCK, Tone.MUTED)
    return replace(plain_notice(scene, title, state), age=age)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("icon", options={"display": "icon"}),
        TileCase("icon, offline", CaseAccount(health=Health.OFFLINE), options={"display": "icon"}),
        TileCase("balance", options={"display": "balance"}),
        TileCase("month", options={"display": "usage", "period": "month"}),
        TileCase("large", CaseAccount(today="312.40", bought="20000", used="7655.90"), options={"period": "30d"}),
        TileCase("negative", CaseAccount(bought="10", used="12.40")),
    )


KIND = TileKind(
    "usage",
    "the balance, the usage of a period, or both",
    view,
    OpenPage(WebPage.ACTIVITY),
    (
        Option("display", "choice", "both", choices=("both", "icon", "balance", "usage"), help="what is shown"),
        Option("period", "choice", "today", choices=tuple(PERIODS), help="of the usage; today and month are UTC"),
    ),
    cases=cases,
)
