"""One reading of both clocks. Instants for people are UTC; instants for decisions are monotonic seconds; they never mix."""

from datetime import datetime

from msgspec import Struct


class Moment(Struct, frozen=True):
    """`utc` aware; `mono_s` seconds of a clock that only goes forward."""

    utc: datetime
    mono_s: float
