"""`runway`: a fuel gauge: how long the balance lasts at the pace of the last 7 days, as days and as a date.

    warn_days   7                    amber below it, red below a third of it

The gauge is full at 30 days. Idle days count into the pace. A range of dates is shown where the pace of 30 days
gives another date by more than a day. A tap opens the credits page.
"""

from datetime import timedelta
from decimal import Decimal

from openbalance_hid.account.pace import NoRunway, Runway, find_runway
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import notice_view, trouble, value_view
from openbalance_hid.tiles.view import Gauge, Hero, Icon, Line, TileView, Tone

FULL_DAYS = 30
RED_SHARE = Decimal(1) / 3  # of `warn_days`
LAST_DAYS = 3650  # a date that is further off means nothing
TOO_NEW = Line("too few days", variants=("too new",))
UNKNOWN_PACE = Line("not known")
NOT_PREPAID = Line("not prepaid")
NO_PACE = Line("little spent", variants=("no pace",))
REASONS = {NoRunway.YOUNG: TOO_NEW, NoRunway.IDLE: NO_PACE, NoRunway.UNKNOWN: UNKNOWN_PACE, NoRunway.NOT_PREPAID: NOT_PREPAID}


def view(scene: Scene) -> TileView:
    """Return days, gauge and range, or the reason why there are none."""
    snapshot = scene.snapshot
    title = scene.label or "Runway"
    for reading in (snapshot.credits, snapshot.activity):
        if reading.value is None:
            return notice_view(scene, title, trouble(scene, reading))
    found = find_runway(snapshot, scene.now)
    left = found if isinstance(found, Runway) else None
    health = trouble(scene, snapshot.credits)
    measured_at = snapshot.credits.measured_at if left is None else left.measured_at
    if left is None:
        reason = REASONS[found] if isinstance(found, NoRunway) else NO_PACE
        return value_view(
            scene, title, (Hero(words.UNKNOWN), reason), [f"{title} unknown", reason], measured_at, trouble=health
        )
    tone = _tone(left.days, Decimal(str(scene.options["warn_days"])))
    hero = Hero(words.about_days(left.days), tone, Icon.WARNING if tone is not Tone.INK else None)
    gauge = Gauge(float(min(Decimal(1), left.days / FULL_DAYS)), Tone.GOOD if tone is Tone.INK else tone)
    end = _end(scene, left.days, left.days_at_long_pace)
    return value_view(scene, title, (hero, gauge, end), [f"{title} {hero.text}", end], measured_at, trouble=health)


def _tone(days: Decimal, warn_days: Decimal) -> Tone:
    if days >= warn_days:
        return Tone.INK
    return Tone.ALARM if days < warn_days * RED_SHARE else Tone.WARN


def _end(scene: Scene, days: Decimal, long_days: Decimal | None) -> Line:
    """Return the day on which nothing is left; both days where the two paces differ by more than a day."""
    if days <= 0:
        return Line("nothing left")
    if days > LAST_DAYS:
        return Line("for years")
    now = utc_now(scene.snapshot, scene.now)
    read_at = min(now, scene.snapshot.credits.measured_at or now)  # an old balance lasts no longer
    first = (read_at + timedelta(days=float(days))).date()
    if days < 1 and first >= now.date():
        return Line("ends today" if first == now.date() else "ends tomorrow")
    end = f"till {words.day_name(first, now.date())}"
    if long_days is None or abs(long_days - days) <= 1 or max(days, long_days) > words.MOST_DAYS:
        return Line(end)
    early, late = ((read_at + timedelta(days=float(each))).date() for each in sorted((days, long_days)))
    same_month = early.month == late.month and early.year == late.year
    between = f"{early.day if same_month else words.day_name(early, now.date())}–{words.day_name(late, now.date())}"
    return Line(f"till {between}", variants=(between, end))


def cases() -> tuple[TileCase, ...]:
    """Return the cases that only this tile has."""
    return (
        TileCase("low", CaseAccount(bought="40")),
        TileCase("very low", CaseAccount(bought="28.75")),
        TileCase("hours", CaseAccount(bought="26.95")),
        TileCase("overdrawn", CaseAccount(bought="10", used="12.40")),
        TileCase("years", CaseAccount(bought="20000")),
        TileCase("no activity", IDLE),
    )


KIND = TileKind(
    "runway",
    "days left at the present pace",
    view,
    OpenPage(WebPage.CREDITS),
    (Option("warn_days", "int", 7, minimum=0, maximum=365, help="amber below it, red below a third of it"),),
    cases=cases,
)
