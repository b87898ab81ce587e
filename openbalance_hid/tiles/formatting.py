"""Format money, ages, days and model names for a key. Pure text; an unknown value is `—`."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from openbalance_hid.text import single_line

UNKNOWN = "—"
MOST_DAYS = 999  # the largest number of three digits
UNITS = {"requests": "req", "tokens": "tok"}  # behind a count

# Amount below which a rule holds, and the decimals that it shows: $0.012, $12.34, $123.4, $1,234.
_MONEY_RULES = ((Decimal("0.0995"), 3), (Decimal("99.995"), 2), (Decimal("999.95"), 1))
# No model name on a key starts with one of these words: every vendor has such a model.
_COMMON_WORDS = frozenset(("chat", "flash", "instruct", "large", "latest", "medium", "mini", "nano", "preview", "small"))
_SMALLEST_USD = Decimal("0.001")
# From this amount on: the unit that it is shown in, and its letter. Seven digits still fit on a key; what would be rounded to
# more, or to a thousand of a unit, is of the next one.
_LARGE = (
    (Decimal("999.95e9"), Decimal(10) ** 12, "T"),
    (Decimal("999.95e6"), Decimal(10) ** 9, "B"),
    (Decimal("9999999.5"), Decimal(10) ** 6, "M"),
)
_COUNTS = ((999_500_000, 10**9, "B"), (999_500, 10**6, "M"), (1000, 10**3, "k"))


def money(usd: Decimal | None) -> str:
    """Format an amount of USD for a key: `$1,234`, `$123.4`, `$12.34`, `$0.012`, `<$0.001`, `-$2.40`, `—` for None."""
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
            return f"{sign}${_rounded(size / unit, 1)}{letter}"
    for limit, decimals in _MONEY_RULES:
        if size < limit:
            return f"{sign}${_rounded(size, decimals)}"
    return f"{sign}${_rounded(size, 0)}"


def cents(usd: Decimal | None) -> str:
    """Format an amount of USD for a line of text: `$1,234.56`; below ten cents as `money` does."""
    if usd is None or not usd.is_finite() or abs(usd) < _MONEY_RULES[0][0]:
        return money(usd)
    return f"{'-' if usd < 0 else ''}${_rounded(abs(usd), 2)}"


def percent(value: Decimal | None) -> str:
    """Format a share of 100 for a key: `26%`, `0.4%`, `<0.1%`, `—` for None."""
    if value is None:
        return UNKNOWN
    if 0 < value < Decimal("0.1"):
        return "<0.1%"
    return f"{_rounded(value, 1 if 0 < value < 10 else 0)}%"


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
    """Format a duration: `40 s`, `70 m`, `5 h`, `3 d`: minutes up to two hours, so that `70 m` stays exact."""
    if seconds < 60:
        return f"{max(0, int(seconds))} s"
    if seconds < 7200:
        return f"{int(seconds // 60)} m"
    if seconds < 172800:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} d"


def days_left(days: Decimal) -> str:
    """Format whole days, or whole hours below one day; never rounded up."""
    if days > MOST_DAYS:
        return f">{MOST_DAYS} d"
    if 0 < days < 1:
        return f"{int(days * 24)} h"
    return f"{int(days)} d"


def about_days(days: Decimal) -> str:
    """Format how long the balance lasts: `≈9 d`."""
    return days_left(days) if days > MOST_DAYS else f"≈{days_left(days)}"


def model_names(names: Sequence[str]) -> tuple[str, ...]:
    """Shorten model names that stay unique: without vendor, then without family.

    `anthropic/claude-sonnet-4.5` becomes `sonnet-4.5`. A family is kept where the rest would begin with a version
    (`gpt-5-mini`, not `5-mini`) or with a word that many families have (`deepseek-chat-v3.1`, not `chat-v3.1`).
    """
    bare = [single_line(name.rpartition("/")[2].rpartition(": ")[2]) or UNKNOWN for name in names]
    short = [_without_family(name) for name in bare]
    return tuple(
        brief if short.count(brief) == 1 and brief not in bare[:index] + bare[index + 1 :] else name
        for index, (name, brief) in enumerate(zip(bare, short, strict=True))
    )


def _without_family(name: str) -> str:
    for separator in ("-", " "):
        _, found, rest = name.partition(separator)
        if found:
            word = rest.partition(separator)[0]
            is_distinct = word.isalpha() and len(word) >= 4 and len(rest) > len(word) and word.lower() not in _COMMON_WORDS
            return rest if is_distinct else name
    return name


def _rounded(value: Decimal, decimals: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN):,}"
