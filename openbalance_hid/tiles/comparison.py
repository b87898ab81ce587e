"""The spend of a day and its comparison with the day before, in the same words on every tile. Pure.

`$1.94 today` / `▼ 16 % less`: today so far, compared with yesterday by this time of day. Where that is not known, the last
completed UTC day, compared with the one before, and named: `yesterday`.
"""

from decimal import Decimal
from typing import Final

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.spend import Trend, today_usd, trend
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import faded
from openbalance_hid.tiles.view import Age, Icon, Line, Tone

SHORT_NAMES: Final = {"yesterday": "yest."}  # where a key has no room for the whole word


def day_lines(scene: Scene, age: Age) -> tuple[Line, ...]:
    """Return what was spent today and the comparison; fewer lines where something is unknown."""
    compared = trend(scene.snapshot, scene.now)
    today = today_usd(scene.snapshot, scene.now)
    if compared is not None:
        return spent_line(compared), faded(comparison_line(compared), age)
    return (amount_line(today, "today"),) if today.is_known else ()


def spent_line(compared: Trend) -> Line:
    """Return the amount with the name of its day."""
    return amount_line(compared.spent, compared.basis)


def amount_line(amount: Decimal | Amount, name: str) -> Line:
    """Return an amount with its name: below a balance, a name without its amount would be read as the name of the balance."""
    long, rounded, short = words.money(amount), words.short_money(amount), SHORT_NAMES.get(name, name)
    wordings = [f"{text} {each}" for text in dict.fromkeys((long, rounded)) for each in dict.fromkeys((name, short))]
    return Line(wordings[0], variants=tuple(wordings[1:]))


def comparison_line(compared: Trend) -> Line:
    """Return arrow and comparison: green ▼ when less was spent, red ▲ when more."""
    text = _compared(compared)
    if compared.spent_usd == compared.before_usd:
        return Line(text, Tone.MUTED, Icon.LEVEL)
    if compared.spent_usd < compared.before_usd:
        return Line(text, Tone.GOOD, Icon.DOWN)
    return Line(text, Tone.ALARM, Icon.UP, variants=_shorter(compared))


def read_comparison(compared: Trend | None) -> str | None:
    """Return the comparison for the accessible text, with what it is compared with."""
    if compared is None:
        return None
    than = "than yesterday by this time" if compared.basis == "today" else "than the day before"
    text = _compared(compared)
    return f"the same as {than.removeprefix('than ')}" if text == "same" else f"{text} {than}"


def _shorter(compared: Trend) -> tuple[str, ...]:
    """Return words for a key without room for a large percentage: over ten times, or over twice as much."""
    if compared.before_usd <= 0 or compared.spent_usd < 2 * compared.before_usd:
        return ()
    return ("far more",) if compared.spent_usd > 10 * compared.before_usd else ("much more",)


def _compared(compared: Trend) -> str:
    text = words.comparison(compared.spent_usd, compared.before_usd)
    return f"~{text}" if compared.approximate and text[0].isdigit() else text
