"""A clock that only the test moves."""

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Both clocks, moved together by `pass_`; `step` moves the wall clock alone."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
        self.mono_s = 5000.0

    def utc(self) -> datetime:
        return self.now

    def mono(self) -> float:
        return self.mono_s

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.mono_s += seconds

    def step(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
