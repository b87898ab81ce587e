"""The result of one request as a value, and how it changes a reading. Pure. When the next one may follow: `request_limits`."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading
from openbalance_hid.errors import ApiError, ForbiddenError, OfflineError, RateLimitedError, ServerError, WrongClockError
from openbalance_hid.openrouter.cadence import RequestOutcome

_T = TypeVar("_T")


class RequestResult(Struct, frozen=True):
    """`outcome` decides when to poll next, `health` what the tiles show. `hint`: the command that helps, for the log."""

    outcome: RequestOutcome
    health: Health
    message: str | None = None
    retry_after_s: float | None = None
    hint: str = ""
    wrong_clock: bool = False  # a certificate is not valid at this machine's time


SUCCESS = RequestResult(RequestOutcome.OK, Health.OK)


def result_of(error: ApiError) -> RequestResult:
    """Return the result for an error of a request."""
    match error:
        case OfflineError():
            wrong_clock = isinstance(error, WrongClockError)
            return RequestResult(RequestOutcome.OFFLINE, Health.OFFLINE, error.message, wrong_clock=wrong_clock)
        case RateLimitedError():
            return RequestResult(RequestOutcome.RATE_LIMITED, Health.RATE_LIMITED, error.message, error.retry_after_s)
        case ServerError():
            return RequestResult(RequestOutcome.SOON, Health.SERVER_ERROR, error.message, error.retry_after_s)
        case ForbiddenError():
            return RequestResult(RequestOutcome.USER, Health.SERVER_ERROR, error.message)
        case _:  # a 401 of one endpoint while another answers: the key is good
            return RequestResult(RequestOutcome.SOON, Health.SERVER_ERROR, error.message)


def reading_after(
    before: Reading[_T], result: RequestResult, value: _T | None, now: datetime, dropped_rows: int = 0
) -> Reading[_T]:
    """Return the reading after a request; `value` None: it failed. A failure keeps the last good value and its time."""
    if value is None:
        return replace(before, health=result.health, message=result.message)
    return Reading(value, now, Health.OK, dropped_rows=dropped_rows)
