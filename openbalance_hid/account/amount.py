"""An amount of USD with what is known about it: unknown, a lower bound, approximate, and its age. Pure.

Unknown is never zero: a sum with an unknown part is a lower bound, a mean leaves unknown parts out, and a sum of nothing but
unknown parts is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal

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

    @property
    def is_known(self) -> bool:
        """Whether there is a number, exact or not."""
        return self.usd is not None

    @property
    def is_whole(self) -> bool:
        """Whether the number has no unknown part."""
        return self.usd is not None and not self.lower_bound

    @property
    def sign(self) -> str:
        """`≥` for a lower bound, `~` for an approximate amount, empty for any other."""
        return "" if self.usd is None else "≥" if self.lower_bound else "~" if self.approximate else ""

    def __add__(self, other: Amount) -> Amount:
        """Return the sum of both; with one unknown it is a lower bound, with both it is unknown."""
        return total((self, other))


UNKNOWN = Amount()
NOTHING = Amount(ZERO)


def total(parts: Iterable[Amount]) -> Amount:
    """Return the sum of all parts; unknown if all of them are unknown, zero without any part."""
    each = tuple(parts)
    known = [part.usd for part in each if part.usd is not None]
    if not each:
        return NOTHING
    return Amount(
        sum(known, ZERO) if known else None,
        lower_bound=bool(known) and any(part.usd is None or part.lower_bound for part in each),
        approximate=any(part.approximate for part in each),
        measured_at=oldest(each),
    )


def mean(parts: Iterable[Amount]) -> Amount:
    """Return the mean of the known parts, approximate where parts are unknown or lower bounds; unknown without a known part."""
    each = tuple(parts)
    known = [part for part in each if part.usd is not None]
    if not known:
        return UNKNOWN
    whole = total(known)
    assert whole.usd is not None  # noqa: S101  a sum of known parts
    rough = whole.approximate or whole.lower_bound or len(known) < len(each)
    return Amount(whole.usd / len(known), approximate=rough, measured_at=whole.measured_at)


def larger(first: Amount, second: Amount) -> Amount:
    """Return the larger of two amounts of the same thing: no source makes a known amount smaller."""
    if first.usd is None or second.usd is None:
        return second if first.usd is None else first
    return second if second.usd > first.usd else first


def oldest(parts: Iterable[Amount]) -> datetime | None:
    """Return the earliest `measured_at` of the known parts; None if none of them ages."""
    return min((part.measured_at for part in parts if part.usd is not None and part.measured_at is not None), default=None)


def rounded(usd: Decimal) -> Decimal:
    """Return the amount with at most 9 decimals; unchanged if it has no more."""
    exponent = usd.as_tuple().exponent
    return usd.quantize(SMALLEST_USD, context=_EXACT) if isinstance(exponent, int) and exponent < -9 else usd


def as_of(amount: Amount, measured_at: datetime | None) -> Amount:
    """Return the amount with the age of `measured_at`, if that is older than its own."""
    if measured_at is None or (amount.measured_at is not None and amount.measured_at <= measured_at):
        return amount
    return replace(amount, measured_at=measured_at)
