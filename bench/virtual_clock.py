"""A clock that only moves when it is set: days pass in seconds."""

from datetime import UTC, datetime, timedelta

from openbalance_hid.app.clock import Moment

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday


class VirtualClock:
    """The time since `START`, as UTC, monotonic seconds and both."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def mono(self) -> float:
        return 1000.0 + self.passed_s

    def moment(self) -> Moment:
        return Moment(self.utc(), self.mono())
