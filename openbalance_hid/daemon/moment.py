"""One reading of both clocks. Instants for people are UTC; instants for decisions are monotonic seconds; they never mix."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """`utc` aware; `mono_s` seconds of a clock that only goes forward."""

    utc: datetime
    mono_s: float


def now() -> Moment:
    """This moment, by the system's clocks."""
    return Moment(datetime.now(UTC), time.monotonic())
