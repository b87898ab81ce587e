"""An amount of USD with what is known about it: unknown, a lower bound, approximate, and its age. Pure.

Unknown is never zero: a sum with an unknown part is a lower bound, a mean leaves unknown parts out, and a sum of nothing but
unknown parts is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal
from typing import overload

from msgspec import Struct
from msgspec.structs import replace

ZERO = Decimal(0)
SMALLEST_USD = Decimal("1e-9")  # the smallest digit in an answer of OpenRouter
_EXACT = Context(prec=80)  # more than any amount has


class Amount(Struct, frozen=True):
    """`usd` None: unknown, shown as `—`. `measured_at`: when it was last known to be right, of its oldest part."""

    usd: Decimal | None = None
    lower_bound: bool = False  # the true amount may be larger: shown with `≥`
    approximate: bool = False  # the true amount may be smaller or larger: shown with `~`
    measured_at: datetime | None = None  # None: it does not age
    low_usd: Decimal | None = None  # of an approximate amount: what is certain of it; None: nothing is known of that

    @property
    def is_known(self) -> bool:
        """Whether there is a number, exact or not."""
        return self.usd is not None

    @property
    def is_whole(self) -> bool:
        """Whether the number has no unknown part."""
        return self.usd is not None and not self.lower_bound

    @property
    def least_usd(self) -> Decimal | None:
        """What is certain of the amount; None: nothing, or it is unknown."""
        return self.low_usd if self.approximate else self.usd

    @property
    def sign(self) -> str:
        """`≥` for a lower bound, `~` for an approximate amount, empty for any other."""
        return "" if self.usd is None else "≥" if self.lower_bound else "~" if self.approximate else ""

    def __add__(self, other: Amount) -> Amount:
        """Return the sum of both; with one unknown it is a lower bound, with both it is unknown."""
        if self is UNKNOWN and other is UNKNOWN:  # own-key cost of each day of most keys
            return UNKNOWN
        return total((self, other))


UNKNOWN = Amount()
NOTHING = Amount(ZERO)


def total(parts: Iterable[Amount]) -> Amount:
    """Return the sum of all parts; unknown if all of them are unknown, zero without any part.

    With an unknown part it is a lower bound: the sum of what is certain, so that an approximate part never makes it too large.
    """
    each = tuple(parts)
    if not each:
        return NOTHING
    if all(part.is_whole for part in each):
        usd = sum((part.usd for part in each if part.usd is not None), ZERO)
        lows = [part.least_usd for part in each]
        low_usd = sum((low for low in lows if low is not None), ZERO) if None not in lows else None
        approximate = any(part.approximate for part in each)
        return Amount(usd, False, approximate, oldest(each), low_usd if approximate else None)
    least = [low for part in each if (low := part.least_usd) is not None]
    return Amount(sum(least, ZERO), lower_bound=True, measured_at=oldest(each)) if least else UNKNOWN


def mean(parts: Iterable[Amount]) -> Amount:
    """Return the mean of the known parts, approximate where parts are unknown or lower bounds; unknown without a known part."""
    each = tuple(parts)
    known = [part.usd for part in each if part.usd is not None]
    if not known:
        return UNKNOWN
    rough = any(part.approximate or not part.is_whole for part in each)
    return Amount(sum(known, ZERO) / len(known), approximate=rough, measured_at=oldest(each))


def larger(first: Amount, second: Amount) -> Amount:
    """Return the larger of two amounts of the same thing: no source makes a known amount smaller."""
    if first.usd is None or second.usd is None:
        return second if first.usd is None else first
    return second if second.usd > first.usd else first


def raised(amount: Amount, certain: Amount) -> Amount:
    """Return a whole amount, but not less than what is certain of the same thing from another source."""
    if amount.usd is None or certain.usd is None or not amount.is_whole:
        return larger(amount, certain)
    best = larger(amount, certain)
    low_usd = max(certain.usd, amount.low_usd or ZERO) if amount.approximate else None
    return replace(best, lower_bound=False, approximate=amount.approximate, low_usd=low_usd)


def oldest(parts: Iterable[Amount]) -> datetime | None:
    """Return the earliest `measured_at` of the known parts; None if none of them ages."""
    return min((part.measured_at for part in parts if part.usd is not None and part.measured_at is not None), default=None)


def rounded(usd: Decimal) -> Decimal:
    """Return the amount with at most 9 decimals; unchanged if it has no more."""
    exponent = usd.as_tuple().exponent
    return usd.quantize(SMALLEST_USD, context=_EXACT) if isinstance(exponent, int) and exponent < -9 else usd


@overload
def amount_text(usd: Decimal) -> str: ...
@overload
def amount_text(usd: Decimal | None) -> str | None: ...
def amount_text(usd: Decimal | None) -> str | None:
    """Return an amount for other programs, with at most 9 decimals, as OpenRouter's have; None for an unknown one."""
    return None if usd is None else f"{rounded(usd):f}"


def as_of(amount: Amount, measured_at: datetime | None) -> Amount:
    """Return the amount with the age of `measured_at`, if that is older than its own."""
    if measured_at is None or (amount.measured_at is not None and amount.measured_at <= measured_at):
        return amount
    return replace(amount, measured_at=measured_at)
