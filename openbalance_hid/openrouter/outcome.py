"""What one question came to, for the tiles and for the next turn, and which endpoints have asked to be left alone."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading
from openbalance_hid.errors import ApiError, ForbiddenError, OfflineError, RateLimitedError, ServerError
from openbalance_hid.openrouter.cadence import RequestOutcome

_RATE_LIMIT_FLOOR_S = 60.0

Value = TypeVar("Value")


class PollOutcome(Struct, frozen=True):
    """How it went. `hint`: the command that helps, for the log."""

    outcome: RequestOutcome
    health: Health
    message: str | None = None
    retry_after_s: float | None = None
    hint: str = ""


GOOD = PollOutcome(RequestOutcome.OK, Health.OK)


def verdict_on(error: ApiError) -> PollOutcome:
    """What an error of a question means."""
    match error:
        case OfflineError():
            return PollOutcome(RequestOutcome.OFFLINE, Health.OFFLINE, error.message)
        case RateLimitedError():
            return PollOutcome(RequestOutcome.RATE_LIMITED, Health.RATE_LIMITED, error.message, error.retry_after_s)
        case ServerError():
            return PollOutcome(RequestOutcome.SOON, Health.SERVER_ERROR, error.message, error.retry_after_s)
        case ForbiddenError():
            return PollOutcome(RequestOutcome.OWNER, Health.SERVER_ERROR, error.message)
        case _:  # a 401 of one endpoint while another answers: the key is good
            return PollOutcome(RequestOutcome.SOON, Health.SERVER_ERROR, error.message)


def reading_after(before: Reading[Value], verdict: PollOutcome, value: Value | None, now: datetime) -> Reading[Value]:
    """The reading after a try. A failure keeps the last good value and its time."""
    if value is None:
        return replace(before, health=verdict.health, message=verdict.message)
    return Reading(value, now, Health.OK)


class Backoffs:
    """Until when each endpoint is not to be asked. Monotonic seconds."""

    def __init__(self) -> None:
        self._not_before_s: dict[str, float] = {}

    def note(self, endpoint: str, verdict: PollOutcome, now_s: float) -> None:
        """What a 429 asked for, a minute at least, or a 503; any other verdict asks for nothing."""
        if verdict.outcome is RequestOutcome.RATE_LIMITED:
            self._not_before_s[endpoint] = now_s + max(verdict.retry_after_s or 0.0, _RATE_LIMIT_FLOOR_S)
        elif verdict.retry_after_s is not None:
            self._not_before_s[endpoint] = now_s + verdict.retry_after_s

    def until_s(self, endpoint: str) -> float:
        """Minus infinity for one that asked for nothing."""
        return self._not_before_s.get(endpoint, float("-inf"))

    def clear(self) -> None:
        """Another key, another limit."""
        self._not_before_s.clear()
