"""What the tiles may show, computed from the raw events of a sample account alone: its ledger, and what a test did to it.

Nothing of `account`, `openrouter` or `history` is used here. An amount without a sign must be the true one, a lower bound (`≥`)
never above it, an approximate one (`~`) near it. All sums are fractions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

DAY = timedelta(days=1)
INTERVAL_S = 900.0
NEAR = Fraction(12, 100)  # of an approximate amount
ROUGH = Fraction(1, 4)  # of a meter, whose first and last step may belong to the time around it
MIDNIGHT_USD = Fraction(1, 200)  # what is spent between midnight and the sample just after it
AMOUNT = re.compile(r"(≥ |~|≈ )?(-?)(<?)\$([\d,]+(?:\.\d+)?)([MBT]?)|—")
UNITS = {"": 1, "M": 10**6, "B": 10**9, "T": 10**12}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class Shown:
    """An amount as it is written. `usd` None: `—`. `half`: half of its last digit."""

    sign: str
    usd: Fraction | None
    half: Fraction = Fraction(0)


def amounts_in(text: str) -> list[Shown]:
    """Return the amounts in a text, in order."""
    found = []
    for match in AMOUNT.finditer(text):
        sign, minus, below, digits, unit = match.groups()
        if digits is None:
            found.append(Shown("", None))
            continue
        decimals = len(digits.partition(".")[2])
        usd = Fraction(digits.replace(",", "")) * UNITS[unit] * (-1 if minus else 1)
        half = Fraction(UNITS[unit], 2 * 10**decimals)
        found.append(Shown((sign or "").strip(), Fraction(0) if below else usd, usd if below else half))
    return found


@dataclass
class Reckoning:
    """The truth about the account, and how often an amount was shown exactly, in part, approximately and not at all."""

    sample: SampleAccount
    bought: Decimal
    refunded: Decimal = Decimal(0)
    tapped_at: datetime | None = None  # the meter
    stopped_at: datetime | None = None
    ahead: timedelta = timedelta(0)  # of the daemon's clock, which decides on days while it is wrong by 120 s at most
    counts: dict[str, int] = field(default_factory=dict)  # by sign; "exact" and "unknown" for none
    _days: dict[date, Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = self.sample.state().ledger

    # --- raw events ---

    def spent(self, start: datetime, end: datetime) -> Decimal:
        return sum((use.usd for use in self.ledger.uses(start, end)), Decimal(0))

    def usage(self, now: datetime) -> Decimal:
        return self.ledger.spent_usd(now) + self.sample._account.shift_usd

    def day(self, day: date) -> Fraction:
        if day not in self._days:
            self._days[day] = Fraction(self.spent(midnight(day), midnight(day + DAY)))
        return self._days[day]

    def date_of(self, at: datetime) -> date:
        """Return the day in which the daemon is at a true time."""
        return (at + self.ahead).date()

    def period(self, name: str, now: datetime, until: datetime) -> Fraction:
        """Return the spend of a period that contains `now`, up to the last sample at `until`."""
        day = self.date_of(until if name in ("7d", "30d") else now)
        count = {"today": 0, "7d": 7, "30d": 30, "month": day.day - 1}[name]
        start = midnight(day) - self.ahead
        today = Fraction(self.spent(start, until)) if until > start else Fraction(0)
        return sum((self.day(day - age * DAY) for age in range(1, count + 1)), today)

    # --- what is shown ---

    def check(self, shown: Shown, true: Fraction, where: object, near: Fraction = NEAR) -> None:
        """Raise AssertionError for an amount that is not true, or not marked."""
        kind = "unknown" if shown.usd is None else shown.sign or "exact"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if shown.usd is None:
            return
        slack = shown.half + MIDNIGHT_USD
        if shown.sign == "≥":
            assert shown.usd <= true + slack, (where, float(shown.usd), float(true))
        elif shown.sign in ("~", "≈"):
            slack += near * max(abs(true), abs(shown.usd))
            assert abs(shown.usd - true) <= slack, (where, float(shown.usd), float(true))
        else:
            assert abs(shown.usd - true) <= slack, (where, float(shown.usd), float(true))

    def check_tiles(self, texts: Mapping[str, str], now: datetime, until: datetime, balance_at: datetime) -> dict[str, Shown]:
        """Check the first amount of each tile. Return the spend of each period as it is shown.

        `until`: the last sample that counts; `balance_at`: the last sample, which may be a fall that is not confirmed yet.
        """
        left = Fraction(self.bought) - Fraction(self.usage(balance_at))
        first = {name: (amounts_in(text) or [Shown("", None)])[0] for name, text in texts.items()}
        spend = {"7d": first["used 7d"], "30d": first["used 30d"], "today": first["today"], "month": first["month"]}
        for name in ("balance", "usage"):
            self.check(first[name], left, (name, now))
        self.check(first["used all"], Fraction(self.usage(balance_at)), ("all", now))
        for period, shown in spend.items():
            if "since" not in texts["today"] or period != "today":
                self.check(shown, self.period(period, now, until), (period, now, texts))
        total, *bars = amounts_in(texts["monthly-spend"])
        assert total == spend["30d"], (now, texts)
        for age, shown in enumerate(reversed(bars)):
            day = self.date_of(until) - age * DAY
            self.check(shown, self.period("today", until, until) if age == 0 else self.day(day), ("bar", age, now, texts))
        if "since" not in texts["today"] and self.date_of(now) == self.date_of(until):
            assert bars[-1] == spend["today"] == amounts_in(texts["usage"])[1], (now, texts)
        for name in ("top-models", "providers"):
            for shown in amounts_in(texts[name]):
                assert shown.usd is not None
                assert shown.sign == "≥" or spend["30d"].sign == "", (now, texts)
        self._check_meter(first["meter"], texts["meter"], until)
        return spend

    def _check_meter(self, shown: Shown, text: str, until: datetime) -> None:
        if self.tapped_at is None or "a tap starts it" in text:
            return
        end = min(until, self.stopped_at + timedelta(minutes=1)) if self.stopped_at else until
        if end > self.tapped_at:
            self.check(shown, Fraction(self.spent(self.tapped_at, end)), ("meter", until, text), ROUGH)
