"""The spend of the sample account: eight models, their endpoints, and a working day. Pure and seeded; time is an argument.

Every amount is a function of the seed, the day and the time of day, so all replies agree to the last digit: the counter grows
by exactly the sum of the days. Not here: HTTP, JSON and scenarios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random

USUAL_DAY_USD = 3.0
_DAY_S = 86_400
_NANO = Decimal("1e-9")  # amounts come with up to nine decimals
_WEEKEND = 0.35  # of a weekday's spend

# Share of a day's spend in each hour UTC, in thousandths: an office in Europe, with a little use at night.
_HOURS = (4, 2, 1, 1, 1, 3, 12, 55, 95, 110, 105, 70, 60, 105, 115, 110, 80, 35, 14, 6, 5, 5, 4, 2)


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """One endpoint of a model: one row of `/activity`."""

    provider: str
    endpoint_id: str
    share: float  # of the model's spend


@dataclass(frozen=True, slots=True)
class SampleModel:
    """A model. `/activity` names it by `slug`, the analytics query by `label`."""

    slug: str
    permaslug: str
    label: str
    share: float  # of a usual day
    usd_a_request: float
    prompt_tokens: int  # a request
    completion_tokens: int
    reasoning_tokens: int  # may be more than completion_tokens
    endpoints: tuple[ModelEndpoint, ...]


MODELS = (
    SampleModel(
        "anthropic/claude-sonnet-4.5",
        "anthropic/claude-4.5-sonnet-20250929",
        "Claude Sonnet 4.5",
        0.36,
        0.031,
        6200,
        820,
        0,
        (
            ModelEndpoint("Anthropic", "e-a1", 0.7),
            ModelEndpoint("Amazon Bedrock", "e-b1", 0.2),
            ModelEndpoint("Google", "e-g1", 0.1),
        ),
    ),
    SampleModel(
        "openai/gpt-5",
        "openai/gpt-5-2025-08-07",
        "GPT-5",
        0.21,
        0.024,
        4100,
        1900,
        1300,
        (ModelEndpoint("OpenAI", "e-o1", 0.9), ModelEndpoint("Azure", "e-z1", 0.1)),
    ),
    SampleModel(
        "google/gemini-2.5-pro",
        "google/gemini-2.5-pro",
        "Gemini 2.5 Pro",
        0.15,
        0.019,
        7800,
        900,
        640,
        (ModelEndpoint("Google AI Studio", "e-s1", 0.6), ModelEndpoint("Google", "e-g2", 0.4)),
    ),
    SampleModel(
        "anthropic/claude-haiku-4.5",
        "anthropic/claude-4.5-haiku-20251001",
        "Claude Haiku 4.5",
        0.1,
        0.004,
        2600,
        400,
        0,
        (ModelEndpoint("Anthropic", "e-a2", 1.0),),
    ),
    SampleModel(
        "deepseek/deepseek-r1-0528",
        "deepseek/deepseek-r1-0528",
        "DeepSeek R1 0528",
        0.07,
        0.0052,
        1500,
        1100,
        1450,
        (ModelEndpoint("DeepInfra", "e-d1", 0.55), ModelEndpoint("Novita", "e-n1", 0.45)),
    ),
    SampleModel(
        "openai/gpt-5-mini",
        "openai/gpt-5-mini-2025-08-07",
        "GPT-5 Mini",
        0.05,
        0.0021,
        2100,
        700,
        320,
        (ModelEndpoint("OpenAI", "e-o2", 1.0),),
    ),
    SampleModel(
        "google/gemini-2.5-flash",
        "google/gemini-2.5-flash",
        "Gemini 2.5 Flash",
        0.04,
        0.0013,
        3000,
        500,
        0,
        (ModelEndpoint("Google AI Studio", "e-s2", 1.0),),
    ),
    SampleModel(
        "deepseek/deepseek-chat-v3.1",
        "deepseek/deepseek-chat-v3.1",
        "DeepSeek V3.1",
        0.02,
        0.0009,
        1800,
        600,
        0,
        (ModelEndpoint("DeepSeek", "e-c1", 0.5), ModelEndpoint("DeepInfra", "e-d2", 0.3), ModelEndpoint("Novita", "e-n2", 0.2)),
    ),
)
RUNAWAY_MODEL = MODELS[1]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one endpoint of one model did in some part of one UTC day."""

    day: date
    model: SampleModel
    endpoint: ModelEndpoint
    usd: Decimal

    @property
    def requests(self) -> int:
        return max(1, round(float(self.usd) / self.model.usd_a_request)) if self.usd > 0 else 0


class SampleLedger:
    """One account's spend from `first_day` on.

    From `runaway_day` on one model spends `runaway` times the usual day, evenly over the day, while the rest has
    exactly usual days. So any 24 hours of it hold the same amount, and today so far plus the rest of the day at yesterday's
    rate is that same amount at 00:05 as at 23:55. A usual day is the mean of the up to 29 days before: the alarm's baseline.
    """

    def __init__(
        self,
        seed: int,
        first_day: date,
        scale: float = 1.0,
        runaway: float = 0.0,
        runaway_day: date = date.max,
        burn: KeyBurn | None = None,
    ) -> None:
        """`burn`: a key that runs away; it uses the same model."""
        self.burn = burn
        self._seed = seed
        self._first_day = first_day
        self._scale = scale
        self._runaway_day = runaway_day if runaway else date.max
        self._days: dict[date, tuple[tuple[SampleModel, ModelEndpoint, float], ...]] = {}  # drawn once
        self._whole: dict[date, tuple[ModelUse, ...]] = {}  # reckoned once
        self._whole_usd: dict[date, Decimal] = {}
        self._usual_usd = 0.0
        self._runaway_usd = 0.0
        if runaway:
            before = [runaway_day - timedelta(days=back) for back in range(1, 30)]
            sums = [sum(usd for _, _, usd in self._usual_cells(day)) for day in before if day >= first_day]
            self._usual_usd = sum(sums) / len(sums)
            self._runaway_usd = runaway * self._usual_usd

    def uses(self, start: datetime, end: datetime) -> Iterator[ModelUse]:
        """Yield the spend in [start, end), aware UTC, day by day; rows without spend are left out."""
        day = max(start.date(), self._first_day)
        while day <= end.date():
            midnight = datetime.combine(day, time(), UTC)
            from_s = min(max((start - midnight).total_seconds(), 0.0), _DAY_S)
            to_s = min(max((end - midnight).total_seconds(), 0.0), _DAY_S)
            if (from_s, to_s) == (0.0, _DAY_S):
                if day not in self._whole:
                    self._whole[day] = tuple(self._part(day, from_s, to_s))
                yield from self._whole[day]
            else:
                yield from self._part(day, from_s, to_s)
            day += timedelta(days=1)

    def spent_usd(self, now: datetime) -> Decimal:
        """Return the spend since the account exists. `now`: aware UTC."""
        today, day = max(now.date(), self._first_day), self._first_day
        spent_usd = _sum_usd(self.uses(datetime.combine(today, time(), UTC), now))
        while day < today:
            if day not in self._whole_usd:
                midnight = datetime.combine(day, time(), UTC)
                self._whole_usd[day] = _sum_usd(self.uses(midnight, midnight + timedelta(days=1)))
            spent_usd += self._whole_usd[day]
            day += timedelta(days=1)
        return spent_usd

    def _part(self, day: date, from_s: float, to_s: float) -> Iterator[ModelUse]:
        for model, endpoint, usual_usd in self._usual_cells(day):
            usd = self._by(day, model, endpoint, usual_usd, to_s) - self._by(day, model, endpoint, usual_usd, from_s)
            if usd > 0:
                yield ModelUse(day, model, endpoint, usd)

    def _by(self, day: date, model: SampleModel, endpoint: ModelEndpoint, usual_usd: float, at_s: float) -> Decimal:
        """Return the spend by `at_s` seconds into the day. It never falls with time, so differences are never negative."""
        usd = usual_usd * share_of_day(at_s)
        if model is RUNAWAY_MODEL and day >= self._runaway_day:
            usd += self._runaway_usd * endpoint.share * at_s / _DAY_S
        if model is RUNAWAY_MODEL and self.burn is not None:
            midnight = datetime.combine(day, time(), UTC)
            usd += self.burn.usd(midnight, midnight + timedelta(seconds=at_s)) * endpoint.share
        return Decimal(usd).quantize(_NANO, rounding=ROUND_DOWN)

    def _usual_cells(self, day: date) -> tuple[tuple[SampleModel, ModelEndpoint, float], ...]:
        if day not in self._days:
            self._days[day] = tuple(self._draw(day))
        return self._days[day]

    def _draw(self, day: date) -> Iterator[tuple[SampleModel, ModelEndpoint, float]]:
        rng = Random(f"{self._seed} {day.isoformat()}")  # noqa: S311  a seeded sample, not a secret
        day_usd = USUAL_DAY_USD * self._scale * rng.uniform(0.75, 1.3) * (_WEEKEND if day.weekday() >= 5 else 1.0)
        weights = [model.share * rng.uniform(0.6, 1.5) for model in MODELS]
        if day >= self._runaway_day:
            day_usd, weights = self._usual_usd, [model.share for model in MODELS]
        for model, weight in zip(MODELS, weights, strict=True):
            for endpoint in model.endpoints:
                yield model, endpoint, day_usd * weight / sum(weights) * endpoint.share


def _sum_usd(uses: Iterable[ModelUse]) -> Decimal:
    return sum((use.usd for use in uses), Decimal(0))


def share_of_day(at_s: float) -> float:
    """Return the share 0..1 of a usual day's spend by `at_s` seconds after midnight UTC."""
    hour = min(int(at_s // 3600), 23)
    return (sum(_HOURS[:hour]) + _HOURS[hour] * (at_s / 3600 - hour)) / sum(_HOURS)


OffSpans = Sequence[tuple[datetime, datetime | None]]  # when a key was disabled; None: it still is

RUNAWAY_KEY = 1  # the number of the key
BEGAN_BEFORE = timedelta(hours=2)  # the scenario was chosen


@dataclass(frozen=True, slots=True)
class KeyBurn:
    """`start`: aware UTC; `off`: returns when the key was disabled."""

    start: datetime
    usd_an_hour: float
    off: Callable[[], OffSpans]

    def usd(self, since: datetime, until: datetime) -> float:
        """Return the spend of the key from `since` to `until`."""
        since = max(since, self.start)
        active_s = max(0.0, (until - since).total_seconds())
        for start, end in self.off():
            active_s -= max(0.0, (min(until, end or until) - max(since, start)).total_seconds())
        return self.usd_an_hour * max(0.0, active_s) / 3600
