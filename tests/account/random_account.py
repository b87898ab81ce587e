"""A random account as OpenRouter and its clients see it, and the truth about it. Shares nothing with the product's arithmetic.

The truth is a list of events. What is seen of it is incomplete, as in life: samples with gaps, days that are published late or
in part, an `/activity` that has failed for days, analytics that lag behind, and a refund that resets the usage.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from random import Random

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Activity, Credits, Health, Reading, Sample, Snapshot, Spend, Today

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
INTERVAL = timedelta(minutes=15)
MODELS = ("v/a", "v/b", "w/c")
PROVIDER = {"v/a": "V", "v/b": "V", "w/c": "W"}
HISTORY = 33  # days
NANO = 10**9
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SETTLED = timedelta(hours=6)  # after its end a day is published whole


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass
class RandomAccount:
    """`events`: (instant, model, USD), oldest first. `refunds`: (instant, USD)."""

    seed: int
    now: datetime = field(init=False)
    events: list[tuple[datetime, str, Decimal]] = field(init=False)
    refunds: list[tuple[datetime, Decimal]] = field(init=False)
    sampled: list[datetime] = field(init=False)
    snapshot: Snapshot = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        last_day = date(2026, 11, 1) + timedelta(days=self.dice.randrange(60))
        self.now = midnight(last_day) + timedelta(minutes=self.dice.choice((1, 6, 36, 61, 400, 720, self.dice.randrange(1440))))
        self.events = self._life()
        self._times = [at for at, _, _ in self.events]
        self._sums = [0, *accumulate(_nanos(usd) for _, _, usd in self.events)]
        self.refunds = []
        self.sampled = self._polls()
        if self.dice.random() < 0.2 and len(self.sampled) > 4:
            at = self.sampled[self.dice.randrange(1, len(self.sampled) - 2)] + timedelta(minutes=1)
            self.refunds = [(at, _decimal(self.usage(at)) * Decimal("0.6"))] if self.usage(at) > 1 else []
        self.snapshot = self._seen()

    # --- the truth -------------------------------------------------------------------------------------------------------

    def spent(self, start: datetime, end: datetime) -> Fraction:
        """Return the spend from `start` up to `end`, which is not included."""
        first, last = (bisect_right(self._times, at - timedelta(microseconds=1)) for at in (start, end))
        return Fraction(self._sums[max(first, last)] - self._sums[first], NANO)

    def spent_on(self, model: str, start: datetime, end: datetime) -> Fraction:
        return Fraction(sum(_nanos(usd) for at, name, usd in self.events if name == model and start <= at < end), NANO)

    def usage(self, at: datetime) -> Fraction:
        """Return `total_usage` at a moment."""
        spent = self.spent(LONG_AGO, at + timedelta(microseconds=1))
        return 50 + spent - sum(Fraction(usd) for when, usd in self.refunds if when <= at)

    def day(self, day: date) -> Fraction:
        return self.spent(midnight(day), midnight(day + DAY))

    # --- what is seen ----------------------------------------------------------------------------------------------------

    def _life(self) -> list[tuple[datetime, str, Decimal]]:
        dice, today = self.dice, self.now.date()
        busy, scale = dice.choice((0.0, 0.4, 1.0)), dice.choice((0.02, 1.0, 300.0))
        events = []
        for age in range(HISTORY, -1, -1):
            if dice.random() > busy:
                continue
            for _ in range(dice.randrange(1, 6)):
                at = midnight(today - timedelta(days=age)) + timedelta(seconds=dice.randrange(86_400))
                usd = Decimal(dice.randrange(1, 10**6)) / 10**6 * Decimal(scale)
                events.append((at, dice.choice(MODELS), usd.quantize(Decimal("1e-9"))))
        if dice.random() < 0.3:  # something that is always on
            start = midnight(today - timedelta(days=4))
            events += [
                (start + timedelta(minutes=7 * step), MODELS[0], (Decimal("0.003") * Decimal(scale)).quantize(Decimal("1e-9")))
                for step in range(5 * 24 * 60 // 7)
            ]
        return sorted(event for event in events if event[0] < self.now)

    def _polls(self) -> list[datetime]:
        """Return when `/credits` answered: around midnights for weeks, often in the last two days, with gaps."""
        dice, polls = self.dice, []
        known_for = dice.choice((0, 1, 2, 5, HISTORY)) * DAY
        at_midnight = timedelta(seconds=dice.choice((5, 10, 45, 400)))
        for age in range(HISTORY):
            start = midnight(self.now.date() - timedelta(days=age))
            polls += [start + at_midnight, start - timedelta(minutes=dice.randrange(1, 15))]
        at, step = self.now, dice.choice((INTERVAL, INTERVAL, HOUR))
        while self.now - at < 2 * DAY:
            polls.append(at)
            at -= step
        gaps = [(self.now - timedelta(hours=dice.randrange(60)), timedelta(hours=dice.randrange(1, 30))) for _ in range(2)]
        if dice.random() < 0.5:
            gaps = []
        return sorted(
            {at for at in polls if self.now - known_for <= at <= self.now and not any(a - b <= at <= a for a, b in gaps)}
        )

    def _seen(self) -> Snapshot:
        dice = self.dice
        samples = tuple(Sample(at, at.timestamp(), Decimal(10**6), _decimal(self.usage(at))) for at in self.sampled)
        seen = Snapshot("default", self.now - HOUR, INTERVAL.total_seconds(), Health.OK, samples=samples)
        if samples:
            credits_ = Credits(samples[-1].total_credits_usd, samples[-1].total_usage_usd)
            seen = replace(seen, credits=Reading(credits_, samples[-1].at, Health.OK))
        if dice.random() < 0.9:
            read_at = self.now - dice.choice((0 * HOUR, 5 * HOUR, 3 * DAY, 12 * DAY)) * dice.random()
            seen = replace(seen, activity=Reading(self._published(read_at), read_at, Health.OK))
        if dice.random() < 0.5:
            asked_at = self.now - dice.random() * (self.now - midnight(self.now.date()))
            lag = dice.choice((0, 0, 45, 90)) * timedelta(minutes=1)
            by_model = self._by_model(midnight(self.now.date()), asked_at - lag)
            providers = {PROVIDER[name]: spend for name, spend in by_model.items() if name == "w/c"}
            seen = replace(seen, today=Reading(Today(asked_at.date(), by_model, by_provider=providers), asked_at, Health.OK))
        return seen

    def _published(self, read_at: datetime) -> Activity:
        """Return what `/activity` answers then: a day that has just ended is missing or partial."""
        by_model, by_provider = {}, {}
        late = self.dice.random()
        for age in range(1, 31):
            day = read_at.date() - timedelta(days=age)
            end = midnight(day + DAY)
            if read_at < end + SETTLED * late:
                if self.dice.random() < 0.5:
                    continue
                end -= timedelta(hours=self.dice.randrange(1, 20))
            models = self._by_model(midnight(day), end)
            if models:
                by_model[day] = models
                providers: dict[str, Spend] = {}
                for name, spend in models.items():
                    providers[PROVIDER[name]] = providers.get(PROVIDER[name], Spend()) + spend
                by_provider[day] = providers
        return Activity(by_model, by_provider)

    def _by_model(self, start: datetime, end: datetime) -> dict[str, Spend]:
        sums: dict[str, Spend] = {}
        for at, model, usd in self.events:
            if start <= at < end:
                sums[model] = sums.get(model, Spend()) + Spend(usd, 1, 100)
        return sums


def _nanos(usd: Decimal) -> int:
    """Return an amount of an event, which has at most nine decimals, in billionths of a dollar: sums of these are fast."""
    return int(usd.scaleb(9))


def _decimal(amount: Fraction) -> Decimal:
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal("1e-9"))
