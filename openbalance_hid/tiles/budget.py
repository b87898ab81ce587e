"""`budget`: what is spent of a limit in this UTC day, week (from Monday) or month, and where this pace ends.

    limit_usd       the account's `budget_usd`   required without it
    period          month, week, day
    warn_percent    80                           amber from here on, or when this pace ends above it; red above it

The mark on the gauge is where the period is now. `on pace`: this pace ends within the limit; with an unknown part of the spend
`ends ≥ $71`. A range is shown where
the two paces (this period's, and the usual one) are far apart. A tap opens the activity page.
"""

from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.spend_budget import PERIODS, Budget, find_budget
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import TileState, notice_view, plain_notice, trouble, trouble_of_spend, value_view
from openbalance_hid.tiles.view import Gauge, Hero, Icon, Line, TileView, Tone

NO_LIMIT = TileState("No limit", Icon.WARNING, Tone.MUTED, "limit_usd")
TITLES = {"month": "Month", "week": "Week", "day": "Today"}
ENDS_OVER = "ends over"
WIDE_SHARE = Decimal("0.1")  # of the limit: a range that is wider is shown as one


def view(scene: Scene) -> TileView:
    """Return the spent amount, the gauge and the projection, or the reason why there are none."""
    snapshot, period = scene.snapshot, scene.choice("period")
    title, short = (scene.label, tuple[str, ...]()) if scene.label else (f"{TITLES[period]} budget", ("Budget",))
    limit_usd = scene.amount("limit_usd") or (snapshot.budget_usd if period == "month" else None)
    if snapshot.activity.value is None and snapshot.today.value is None and not snapshot.samples:
        return notice_view(scene, title, trouble(scene, snapshot.activity), short)
    if limit_usd is None:
        return replace(plain_notice(scene, title, NO_LIMIT, short), text=f"{title} (UTC): no limit, set limit_usd")
    budget = find_budget(snapshot, period, limit_usd, scene.now)
    warn_share = Decimal(str(scene.options["warn_percent"])) / 100
    tone = tone_of(budget, warn_share)
    hero = Hero(words.money(budget.spent))
    share = min(Decimal(1), budget.share or Decimal(0))
    gauge = Gauge(float(share), Tone.ACCENT if tone is Tone.INK else tone, budget.elapsed)
    end = _end(budget, warn_share)
    of = f"of {words.money(limit_usd)}"
    icon = Icon.WARNING if tone is not Tone.INK else None
    line = Line(f"{of}, {end.text}", end.tone, icon, variants=(end.text, *end.variants)) if budget.spent.is_known else Line(of)
    health = trouble_of_spend(scene, period, budget.spent)
    text: list[str | Line | None] = [f"{title} (UTC) {hero.text} {of}", end]
    return value_view(scene, title, (hero, gauge, line), text, budget.spent.measured_at, trouble=health, short_titles=short)


def tone_of(budget: Budget, warn_share: Decimal) -> Tone:
    """Return red above the limit, amber from `warn_share` of it on or when both projections exceed it."""
    share = budget.share
    if share is None:
        return Tone.INK
    if share > 1:
        return Tone.ALARM
    ends_above = budget.low_usd is not None and budget.low_usd > budget.limit_usd
    return Tone.WARN if share >= warn_share or ends_above else Tone.INK


def _end(budget: Budget, warn_share: Decimal) -> Line:
    """Return where this pace ends: within the limit, above it by an amount, or a range around it; near the limit what is left.

    With an unknown part of the spend, that is at least so much: nothing proves that it stays within the limit.
    """
    spent, limit_usd = budget.spent, budget.limit_usd
    if spent.usd is None:
        return Line("not known")
    if spent.usd > limit_usd:
        above = replace(spent, usd=spent.usd - limit_usd)
        over, short = words.money(above), words.short_money(above)
        return Line(f"over by {over}", Tone.ALARM, variants=(f"{over} over", f"{short} over", "over"))
    if budget.low_usd is None or budget.high_usd is None:
        left = words.money(limit_usd - spent.usd)
        return Line(f"{'≤ ' if spent.lower_bound else ''}{left} left")
    if spent.lower_bound:
        bound = replace(spent, usd=budget.low_usd)
        text, shorter = (f"ends {each(bound)}" for each in (words.money, words.short_money))
        return _projected(text, (shorter,), above=budget.low_usd > limit_usd)
    if budget.high_usd <= limit_usd:
        near = budget.share is not None and budget.share >= warn_share
        left, short = (f"{each(limit_usd - spent.usd)} left" for each in (words.money, words.short_money))
        return Line(left, Tone.WARN, variants=(short,)) if near else Line("on pace")
    if budget.low_usd > limit_usd and budget.high_usd - budget.low_usd <= WIDE_SHARE * limit_usd:
        end = f"ends ~${(budget.low_usd + budget.high_usd) / 2:,.0f}"
        return Line(f"ends {words.money(budget.low_usd - limit_usd)} over", Tone.WARN, variants=(end, ENDS_OVER))
    between = f"${budget.low_usd:,.0f}–{budget.high_usd:,.0f}"
    least = Amount(budget.low_usd, lower_bound=True)  # a range without its word would have no meaning
    variants = tuple(f"ends {each(least)}" for each in (words.money, words.short_money))
    return _projected(f"ends {between}", variants, above=budget.low_usd > limit_usd)


def _projected(text: str, variants: tuple[str, ...], *, above: bool) -> Line:
    """Return the end of a pace; above the limit its shortest wording has no amount."""
    return Line(text, Tone.WARN, variants=(*variants, ENDS_OVER)) if above else Line(text, variants=variants)


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("without a limit", CaseAccount(budget=None)),
        TileCase("near", options={"limit_usd": 36}),
        TileCase("over", options={"limit_usd": 25}),
        TileCase("ends about there", options={"limit_usd": 41}),
        TileCase("week", options={"period": "week", "limit_usd": 30}),
        TileCase("day", options={"period": "day", "limit_usd": 5}),
        TileCase("young account", CaseAccount(days=("1.00", "2.00")), options={"limit_usd": 20}),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "budget",
    "spend of a limit in this day, week or month (UTC), and where this pace ends",
    view,
    OpenPage(WebPage.ACTIVITY),
    (
        Option("limit_usd", "decimal", None, minimum=Decimal("0.01"), maximum=1_000_000, help="without: budget_usd"),
        Option("period", "choice", "month", choices=PERIODS, help="which period, UTC; weeks begin on Monday"),
        Option("warn_percent", "int", 80, minimum=1, maximum=100, help="amber from this part of the limit on"),
    ),
    cases=cases,
)
