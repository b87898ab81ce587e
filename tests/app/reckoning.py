"""What the tiles are to say, reckoned from the raw events of a sample account alone: its ledger, and what the test did to it.

Nothing of `account`, `openrouter` or `history` is used here. What was asked when is read from the server's own log; how an
amount is written is `words`', which has tables of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.formatting import comparison, money, percent
from openbalance_hid.tiles.model_names import short_names

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
INTERVAL_S = 900.0
KEYS = (("laptop", "0.62", None), ("ci", "0.27", 50), ("notebook", "0.11", 10))  # share of the spend, monthly limit
BOOKED_LATE = timedelta(minutes=30)  # the last half hour of a day is published half an hour into the next
NOBODY = Decimal(0)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class Reading:
    """One good answer of the credits. `counter`: spend since the first, never falling; `mono_s`: of the process that lives."""

    at: datetime
    mono_s: float
    usage: Decimal
    counter: Decimal


@dataclass
class Reckoning:
    """What an owner with a pencil knows after each poll."""

    sample: SampleAccount
    bought: Decimal
    refunded: Decimal = NOBODY
    readings: list[Reading] = field(default_factory=list)
    days: dict[date, dict[str, Decimal]] = field(default_factory=dict)  # completed, by model as last published
    by_provider: dict[date, dict[str, Decimal]] = field(default_factory=dict)
    today_at: datetime | None = None  # when it was asked what today was spent on
    keys_at: datetime | None = None
    tapped_at: datetime | None = None  # the meter
    stopped_at: datetime | None = None
    _heard: int = 0

    def __post_init__(self) -> None:
        self.ledger = self.sample.state().ledger

    # --- raw events ------------------------------------------------------------------------------------------------------

    def uses(self, start: datetime, end: datetime) -> list:
        return list(self.ledger.uses(start, end))

    def spent(self, start: datetime, end: datetime) -> Decimal:
        return sum((use.usd for use in self.uses(start, end)), NOBODY)

    def usage(self, now: datetime) -> Decimal:
        return self.spent(datetime(2020, 1, 1, tzinfo=UTC), now) - self.refunded

    def hear(self, now: datetime, mono_s: float) -> None:
        """Take down what the server answered since this was called last."""
        news = self.sample.requests[self._heard :]
        self._heard += len(news)
        for path in (each.path for each in news if each.path not in self.sample.instead and "api_key_hash" not in each.query):
            match path:
                case "/credits":
                    usage, last = self.usage(now), self.readings[-1] if self.readings else None
                    risen = max(NOBODY, usage - last.usage) if last else NOBODY
                    self.readings.append(Reading(now, mono_s, usage, (last.counter if last else NOBODY) + risen))
                case "/activity":
                    self._publish(now)
                case "/analytics/query":
                    self.today_at = now
                case "/keys":
                    self.keys_at = now

    def restarted(self, now: datetime, mono_s: float) -> None:
        """No monotonic clock outlives its process: the wall clock is all that is left of the readings' spacing."""
        self.readings = [
            Reading(each.at, mono_s - (now - each.at).total_seconds(), each.usage, each.counter) for each in self.readings
        ]

    def _publish(self, now: datetime) -> None:
        booked = midnight(now.date()) - (BOOKED_LATE if now - midnight(now.date()) < BOOKED_LATE else timedelta())
        for age in range(1, 31):
            day = now.date() - age * DAY
            models: dict[str, Decimal] = {}
            providers: dict[str, Decimal] = {}
            for use in self.uses(midnight(day), min(midnight(day + DAY), booked)):
                models[use.model.slug] = models.get(use.model.slug, NOBODY) + use.usd
                providers[use.endpoint.provider] = providers.get(use.endpoint.provider, NOBODY) + use.usd
            if models:
                self.days[day], self.by_provider[day] = models, providers

    # --- the counter -------------------------------------------------------------------------------------------------------

    def counter(self, at: datetime) -> tuple[Decimal, float] | None:
        """Linear between readings, and the gap in seconds that `at` lies in; None outside of them."""
        for one, other in zip(self.readings, self.readings[1:], strict=False):
            if one.at < at < other.at:
                wall_s, mono_s = (other.at - one.at).total_seconds(), other.mono_s - one.mono_s
                share = Decimal((at - one.at).total_seconds()) / Decimal(wall_s)
                return one.counter + (other.counter - one.counter) * share, wall_s if abs(wall_s - mono_s) <= 60 else 1e9
        return next(((each.counter, 0.0) for each in self.readings if each.at == at), None)

    def counted(self, start: datetime, end: datetime) -> tuple[Decimal, float] | None:
        one, other = self.counter(start), self.counter(end)
        return None if one is None or other is None else (other[0] - one[0], max(one[1], other[1]))

    # --- numbers -------------------------------------------------------------------------------------------------------------

    def today(self, now: datetime) -> Decimal | None:
        last = self.readings[-1].at
        if self.today_at is not None and self.today_at.date() == now.date():
            since = self.counted(self.today_at, last)
            return self.spent(midnight(now.date()), self.today_at) + (since[0] if since else NOBODY)
        counted = self.counted(midnight(now.date()), last)
        return counted[0] if counted else None

    def published(self, now: datetime, count: int) -> list[Decimal | None]:
        """Newest first; None: not published."""
        sums = [self.days.get(now.date() - age * DAY) for age in range(1, count + 1)]
        return [None if models is None else sum(models.values(), NOBODY) for models in sums]

    def completed(self, now: datetime, count: int) -> list[Decimal | None]:
        """As published, and by the counter where that tells more."""
        days = []
        for age, usd in enumerate(self.published(now, count), start=1):
            day = midnight(now.date() - age * DAY)
            counted = self.counted(day, day + DAY) if usd is None else None
            days.append(counted[0] if counted is not None else usd)
        return days

    def used(self, now: datetime, count: int) -> Decimal | None:
        """None: nothing of it is known."""
        known = [usd for usd in (*self.completed(now, count), self.today(now)) if usd is not None]
        return sum(known, NOBODY) if known else None

    def trend(self, now: datetime) -> tuple[Decimal, Decimal, str] | None:
        """The spend of a day, of the day before, and the name of the day."""
        today, before = self.today(now), self.counted(midnight(now.date() - DAY), now - DAY)
        if today is not None and before is not None and before[1] <= 3600:
            return today, before[0], "today"
        newer, older = self.completed(now, 2)
        return None if newer is None or older is None else (newer, older, "yesterday")

    # --- words ------------------------------------------------------------------------------------------------------------

    def expected(self, now: datetime, turn: int) -> dict[str, str]:
        """Tile -> its words; of the spike alert, as far as the driver."""
        today, left = self.today(now), self.bought - self.readings[-1].usage
        trend = self.trend(now)
        against = trend if trend is not None and trend[2] == "today" else None
        day = spent_and_change(trend, today)
        return {
            "balance": f"Balance {money(left)}{day}",
            "used 7d": f"Spent 7 d {money(self.used(now, 7))}{day}",
            "used 30d": f"Spent 30 d {money(self.used(now, 30))}{day}",
            "used all": f"Spent {money(self.readings[-1].usage)}{day}",
            "percent": f"Used {percent(self.readings[-1].usage * 100 / self.bought)}",
            "today": f"Today (UTC) {money(today)}{changed(against)}{self._leader(now)}",
            "usage": f"Left {money(left)}, Today (UTC) {money(today)}",
            "month": f"Spent this month (UTC) {money(self.used(now, now.day - 1))}",
            "monthly-spend": self._monthly(now, today),
            "top-models": "Models 30 d: " + page(self._models(now), turn),
            "providers": "Providers 30 d: " + page(self._providers(now), turn, shortened=False),
            "runway": self._runway(now, left),
            "spike-alert": self._spike(now, today),
            "api-keys": self._keys(now, turn),
            "meter": self._meter(now),
        }

    def _leader(self, now: datetime) -> str:
        ranking = ranked(self._labels(now).items())
        return f", mostly {short_names([ranking[0][0]])[ranking[0][0]]}" if ranking else ""

    def _labels(self, now: datetime) -> dict[str, Decimal]:
        """What today went to when that was asked last, by slug."""
        sums: dict[str, Decimal] = {}
        if self.today_at is not None and self.today_at.date() == now.date():
            for use in self.uses(midnight(now.date()), self.today_at):
                sums[use.model.slug] = sums.get(use.model.slug, NOBODY) + use.usd
        return sums

    def _models(self, now: datetime) -> list[tuple[str, Decimal]]:
        sums = self._labels(now)
        for models in (self.days.get(now.date() - age * DAY, {}) for age in range(1, 31)):
            for slug, usd in models.items():
                sums[slug] = sums.get(slug, NOBODY) + usd
        return ranked(sums.items())[:6]

    def _providers(self, now: datetime) -> list[tuple[str, Decimal]]:
        sums: dict[str, Decimal] = {}
        for providers in (self.by_provider.get(now.date() - age * DAY, {}) for age in range(1, 31)):
            for name, usd in providers.items():
                sums[name] = sums.get(name, NOBODY) + usd
        return ranked(sums.items())[:6]

    def _monthly(self, now: datetime, today: Decimal | None) -> str:
        bars = ", ".join(money(usd) for usd in [*reversed(self.completed(now, 6)), today])
        return f"Spent 30 d {money(self.used(now, 30))}, last 7 days {bars}"

    def _runway(self, now: datetime, left: Decimal) -> str:
        known = self.completed(now, 31)
        first = 0 if known[0] is not None else 1
        paces = [sum((usd or NOBODY for usd in known[first : first + count]), NOBODY) / count for count in (7, 30)]
        short, long = (left / pace for pace in paces)
        first, last = (f"{at.day} {at:%b}" for at in (now + float(days) * DAY for days in sorted((short, long))))
        first = first.removesuffix(last[-4:])
        is_near = abs(short - long) <= 1
        return f"Runway ≈ {int(short)} d, till " + (
            f"{(at := now + float(short) * DAY).day} {at:%b}" if is_near else f"{first}–{last}"
        )

    def _spike(self, now: datetime, today: Decimal | None) -> str:
        active = {age: usd for age, usd in enumerate(self.published(now, 30), start=1) if usd}
        if len(active) > 3:
            active.pop(1, None)
        usual = sum(active.values(), NOBODY) / len(active)
        window = self.counted(self.readings[-1].at - DAY, self.readings[-1].at)
        sign, spent = "", NOBODY
        if window is not None:
            spent, sign = window[0], "~" if window[1] > 2 * INTERVAL_S else ""
        elif today is not None:
            newest = next(usd for usd in self.published(now, 3) if usd is not None)
            spent, sign = today + newest * (1 - Decimal((now - midnight(now.date())).total_seconds()) / 86400), "~"
        ratio = spent / usual
        word = "Critical" if ratio >= 6 else "Spike" if ratio >= 3 else "Normal"
        return f"Pace 24 h: {word}, {sign}{(ratio * 10).to_integral_value(ROUND_FLOOR) / 10:.1f}× the usual pace"

    def _keys(self, now: datetime, turn: int) -> str:
        assert self.keys_at is not None
        at = self.keys_at
        spent, month = (self.spent(start, at) for start in (midnight(at.date()), midnight(at.date().replace(day=1))))
        told = []
        for name, share, limit in KEYS:
            amount = money(spent * Decimal(share)) if at.date() == now.date() else "—"
            part = NOBODY if limit is None else month * Decimal(share) * 100 / limit
            used = "" if limit is None else f", {percent(part)} of its limit of {money(Decimal(limit))}"
            told.append(f"{name} {amount}{used}")
        since = self.counted(at, self.readings[-1].at)
        late_s = (now - (at if since is not None and since[0] else self.readings[-1].at)).total_seconds()
        aged = f", {words.age(late_s)} old" if late_s >= 2 * INTERVAL_S else ""
        return "Keys today (UTC): " + ", ".join(told[:2] if turn % 2 == 0 else told[2:]) + aged

    def _meter(self, now: datetime) -> str:
        if self.tapped_at is None:
            return "Meter, a tap starts it"
        begun = next((each for each in self.readings if each.at >= self.tapped_at), None)
        closes = None if self.stopped_at is None else self.stopped_at + MINUTE
        lasted = (self.stopped_at or now) - self.tapped_at
        state = "running" if closes is None else "stopped" if self.readings[-1].at >= closes else "settling"
        amount = "—"
        if begun is not None:
            end = self.readings[-1].at if closes is None else min(closes, self.readings[-1].at)
            counted = self.counted(begun.at, end)
            assert counted is not None
            amount = money(counted[0])
        return f"Meter {state}, {amount} in {'<1' if lasted < MINUTE else int(lasted / MINUTE)} m"


def ranked(sums: Iterable[tuple[str, Decimal]]) -> list[tuple[str, Decimal]]:
    return sorted(((name, usd) for name, usd in sums if usd > 0), key=lambda pair: (-pair[1], pair[0]))


def page(ranking: list[tuple[str, Decimal]], turn: int, shortened: bool = True) -> str:
    """Two of them, the next two a turn later."""
    names = [short_names([name])[name] if shortened else name for name, _ in ranking]
    first = 2 * (turn % -(-len(ranking) // 2))
    return ", ".join(f"{name} {money(usd)}" for name, (_, usd) in list(zip(names, ranking, strict=True))[first : first + 2])


def spent_and_change(trend: tuple[Decimal, Decimal, str] | None, today: Decimal | None) -> str:
    if trend is None:
        return f", {money(today)} today" if today is not None else ""
    return f", {money(trend[0])} {trend[2]}{changed(trend)}"


def changed(trend: tuple[Decimal, Decimal, str] | None) -> str:
    if trend is None:
        return ""
    spent, before, day = trend
    than = "yesterday by this time" if day == "today" else "the day before"
    text = comparison(spent, before)
    return f", the same as {than}" if text == "same" else f", {text} than {than}"
