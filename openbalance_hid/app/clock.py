"""One reading of both clocks: UTC for what people read, monotonic seconds for decisions. The two never mix.

A module of its own, because every package above `app` and the parts of `app` itself import it.
"""

from datetime import datetime

from msgspec import Struct


class Moment(Struct, frozen=True):
    """`utc`: aware; `mono_s`: seconds of a clock that only moves forward."""

    utc: datetime
    mono_s: float
