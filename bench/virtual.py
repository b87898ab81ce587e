"""A clock that stands still until it is told: days of the house pass in seconds."""

from datetime import UTC, datetime, timedelta

from openbalance_hid.app.clock import Moment

BEGIN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday


class VirtualClock:
    """Seconds since `BEGIN`, as each kind of clock says it."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def utc(self) -> datetime:
        return BEGIN + timedelta(seconds=self.passed_s)

    def mono(self) -> float:
        return 1000.0 + self.passed_s

    def moment(self) -> Moment:
        return Moment(self.utc(), self.mono())
