"""`runway`: a fuel gauge: days left at the present pace, with the range between the 7-day and the 30-day pace.

    warn_days   7                    amber below it, red below a third of it

The gauge is full at 30 days. Idle days count into the pace. A tap opens the credits page.
"""

from decimal import Decimal

from openbalance_hid.account.pace import is_young, runway
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.kind import IDLE, CaseAccount, TileCase, TileKind
from openbalance_hid.tiles.options import Option
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import notice_view, trouble, trouble_line, value_view
from openbalance_hid.tiles.view import Gauge, Hero, Icon, Line, TileView, Tone

FULL_DAYS = 30
RED_SHARE = Decimal(1) / 3  # of `warn_days`
TOO_NEW = Line("too few days", variants=("too new",))
NO_PACE = Line("little spent", variants=("no pace",))


def view(scene: Scene) -> TileView:
    """Return days, gauge and range, or the reason why there are none."""
    snapshot = scene.snapshot
    title = scene.label or "Runway"
    for reading in (snapshot.credits, snapshot.activity):
        if reading.value is None:
            return notice_view(scene, title, trouble(scene, reading))
    left = runway(snapshot, scene.now)
    line = trouble_line(trouble(scene, snapshot.credits))
    measured_at = snapshot.credits.measured_at
    if left is None:
        reason = line or (TOO_NEW if is_young(snapshot, scene.now) else NO_PACE)
        return value_view(scene, title, (Hero(words.UNKNOWN), reason), [f"{title} unknown", reason], measured_at)
    tone = _tone(left.days, Decimal(str(scene.options["warn_days"])))
    hero = Hero(words.about_days(left.days), tone, Icon.WARNING if tone is not Tone.INK else None)
    gauge = Gauge(float(min(Decimal(1), left.days / FULL_DAYS)), Tone.GOOD if tone is Tone.INK else tone)
    span = Line(_range(left.days, left.days_at_long_pace))
    return value_view(scene, title, (hero, gauge, line or span), [f"{title} {hero.text}", span, line], measured_at)


def _tone(days: Decimal, warn_days: Decimal) -> Tone:
    if days >= warn_days:
        return Tone.INK
    return Tone.ALARM if days < warn_days * RED_SHARE else Tone.WARN


def _range(short: Decimal, long: Decimal | None) -> str:
    if long is None:
        return "at 7-day pace"
    low, high = (words.days_left(days) for days in sorted((short, long)))
    if short <= 0:
        return "nothing left"
    if low == high:  # both paces give the same text; beyond MOST_DAYS it hides their difference
        return "at either pace" if short > words.MOST_DAYS else "steady pace"
    unit = high[-2:]
    return f"{low.removesuffix(unit)}–{high}"


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
