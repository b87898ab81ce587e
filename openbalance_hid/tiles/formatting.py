"""Format money, shares, ages and dates for a key. Pure text; an unknown value is `—`. Names of models: `model_names`."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Protocol


class ShownAmount(Protocol):
    """An `account.amount.Amount`, or what a status bar makes of the status: a bar must start fast, and imports neither."""

    @property
    def usd(self) -> Decimal | None: ...
    @property
    def lower_bound(self) -> bool: ...
    @property
    def sign(self) -> str: ...


UNKNOWN = "—"
MOST_DAYS = 90  # more are ">90 d": the pace of a month does not reach further
MOST_PERCENT_MORE = 999  # of a comparison
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in every language of the system
UNITS = {"requests": "req", "tokens": "tok"}  # behind a count

# Amount below which a rule holds, and the decimals that it shows: $0.012, $12.34, $1,234.
_MONEY_RULES = ((Decimal("0.0995"), 3), (Decimal("99.995"), 2))
LOWER_BOUND_CENTS_USD = Decimal(10)  # a lower bound from here on has no cents: the true amount is not known to the cent
_SMALLEST_USD = Decimal("0.001")
# From this amount on: the unit that it is shown in, and its letter. What would round to a thousand of a unit is of the next.
_LARGE = (
    (Decimal("999.95e9"), Decimal(10) ** 12, "T"),
    (Decimal("999.95e6"), Decimal(10) ** 9, "B"),
    (Decimal("999999.5"), Decimal(10) ** 6, "M"),
)
_STEPS = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"))  # by number of decimals
_COUNTS = ((999_500_000, 10**9, "B"), (999_500, 10**6, "M"), (1000, 10**3, "k"))


def money(usd: Decimal | ShownAmount | None) -> str:
    """Format an amount of USD for a key: `$1.2M`, `$1,234`, `$12.34`, `$0.012`, `<$0.001`, `-$2.40`, `~$12.34`, `≥ $35`, `—`.

    A lower bound is never rounded up, and has no cents from $10 on.
    """
    if usd is None or isinstance(usd, Decimal):
        return _money(usd)
    if not usd.lower_bound:
        return usd.sign + _money(usd.usd)
    least = usd.usd
    if least is not None and least >= LOWER_BOUND_CENTS_USD:
        return f"≥ {_money(least.to_integral_value(ROUND_FLOOR), ROUND_FLOOR).removesuffix('.00')}"
    return f"≥ {_money(_bound(least), ROUND_FLOOR)}" if least is not None else UNKNOWN


def short_money(usd: Decimal | ShownAmount | None) -> str:
    """Format an amount of USD for a line without room for `money`: `$312k`, `$12.3k`, `≥ $1.2k`; cut off, never rounded up.

    A lower bound below ten cents has whole cents.
    """
    amount, sign = (usd, "") if usd is None or isinstance(usd, Decimal) else (usd.usd, usd.sign)
    if amount is not None and sign == "≥" and abs(amount) < _MONEY_RULES[0][0]:
        return f"≥ ${_rounded(amount, 2, ROUND_FLOOR)}"
    if amount is None or not amount.is_finite() or not 1000 <= abs(amount) < _LARGE[-1][0]:
        return money(usd)
    size = _rounded(abs(amount) / 1000, 1 if abs(amount) < 100_000 else 0, ROUND_FLOOR)
    return f"{f'{sign} ' if sign == '≥' else sign}{'-' if amount < 0 else ''}${size}k"


def cents(usd: Decimal | ShownAmount | None, rounding: str = ROUND_HALF_EVEN) -> str:
    """Format an amount of USD for a line of text: `$1,234.56`, `≥ $35.20`; below ten cents as `money` does.

    `rounding`: of a plain number. A lower bound is never rounded up.
    """
    if usd is not None and not isinstance(usd, Decimal):
        text = _cents(_bound(usd.usd), ROUND_FLOOR) if usd.lower_bound else _cents(usd.usd)
        return f"≥ {text}" if usd.sign == "≥" else usd.sign + text
    return _cents(usd, rounding)


def _bound(usd: Decimal | None) -> Decimal | None:
    """Return a lower bound to show: `≥ $0.00` in place of `≥ <$0.001`, which is no bound."""
    return Decimal(0) if usd is not None and 0 < usd < _SMALLEST_USD else usd


def _cents(usd: Decimal | None, rounding: str = ROUND_HALF_EVEN) -> str:
    if usd is None or not usd.is_finite() or abs(usd) < _MONEY_RULES[0][0]:
        return _money(usd, rounding)
    return f"{'-' if usd < 0 else ''}${_rounded(abs(usd), 2, rounding)}"


@lru_cache(maxsize=256)
def _money(usd: Decimal | None, rounding: str = ROUND_HALF_EVEN) -> str:
    if usd is None or not usd.is_finite():
        return UNKNOWN
    size = abs(usd)
    sign = "-" if usd < 0 else ""
    if size == 0:
        return "$0.00"
    if size < _SMALLEST_USD:
        return f"{sign}<$0.001"
    for limit, unit, letter in _LARGE:
        if size >= limit:
            return f"{sign}${_rounded(size / unit, 1, rounding)}{letter}"
    for limit, decimals in _MONEY_RULES:
        if size < limit:
            return f"{sign}${_rounded(size, decimals, rounding)}"
    return f"{sign}${_rounded(size, 0, rounding)}"


def percent(value: Decimal | None) -> str:
    """Format a share of 100 for a key: `26 %`, `0.4 %`, `—` for None. Only 0 and 100 are shown as `0 %` and `100 %`."""
    if value is None or not value.is_finite():
        return UNKNOWN
    sign, size = ("-" if value < 0 else ""), abs(value)
    if 0 < size < Decimal("0.1"):
        return f"{sign}<0.1 %"
    if 99 < size < 100:
        return f"{sign}>99 %"
    if 100 < size < 101:
        return f"{sign}>100 %"
    return f"{sign}{_rounded(size, 1 if 0 < size < Decimal('9.95') else 0)} %"


def comparison(spent_usd: Decimal, before_usd: Decimal) -> str:
    """Format spend against an earlier spend: `16 % less`, `>999 % more`, `same`; `more` where no percentage has a meaning."""
    if spent_usd == before_usd:
        return "same"
    word = "less" if spent_usd < before_usd else "more"
    if before_usd <= 0 or spent_usd < 0:
        return word
    change = abs(spent_usd - before_usd) * 100 / before_usd
    if change > MOST_PERCENT_MORE:
        return f">{MOST_PERCENT_MORE} % {word}"
    whole = "<1" if change < 1 else ">99" if 99 < change < 100 else ">100" if 100 < change < 101 else _rounded(change, 0)
    return f"{whole} % {word}"


def times(ratio: Decimal | None) -> str:
    """Format a ratio with one decimal, never rounded up: `3.9×`; `99×` above 99; `—` for None."""
    if ratio is None:
        return UNKNOWN
    if ratio > 99:
        return "99×"
    return f"{(ratio * 10).to_integral_value(ROUND_FLOOR) / 10:.1f}×"


def count(number: int) -> str:
    """Format a count in at most five characters: `950`, `12.3k`, `4.5M`."""
    for least, unit, letter in _COUNTS:
        if number >= least:
            value = number / unit
            return f"{value:.0f}{letter}" if value >= 99.95 else f"{value:.1f}{letter}"
    return str(number)


def age(seconds: float) -> str:
    """Format a duration for a key: `40 s`, `70 m`, `5 h`, `3 d`: minutes up to two hours, so that `70 m` stays exact."""
    if seconds < 60:
        return f"{max(0, int(seconds))} s"
    if seconds < 7200:
        return f"{int(seconds // 60)} m"
    if seconds < 172800:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} d"


def duration(seconds: float) -> str:
    """Format a duration for a line of text: `40 s`, `70 min`, `5 h`, `3 days`."""
    for limit, unit, word in ((60, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, int(seconds // unit))} {word}"
    return f"{int(seconds // 86400)} days"


def days_left(days: Decimal) -> str:
    """Format whole days, or whole hours below one day; never rounded up."""
    if days > MOST_DAYS:
        return f">{MOST_DAYS} d"
    if 0 < days < 1:
        hours = int(days * 24)
        return f"{hours} h" if hours else "<1 h"
    return f"{int(days)} d"


def about_days(days: Decimal) -> str:
    """Format how long the balance lasts: `≈ 9 d`, `<1 h`, `>90 d`."""
    text = days_left(days)
    return f"≈ {text}" if text[0].isdigit() and days > 0 else text


def day_name(day: date, today: date) -> str:
    """Format a date for a key: `8 Dec`; month and year where it is further off than `MOST_DAYS`: `Jun 2028`."""
    month = MONTHS[day.month - 1]
    return f"{day.day} {month}" if (day - today).days <= MOST_DAYS else f"{month} {day.year}"


def _rounded(value: Decimal, decimals: int, rounding: str = ROUND_HALF_EVEN) -> str:
    return f"{value.quantize(_STEPS[decimals], rounding):,}"
