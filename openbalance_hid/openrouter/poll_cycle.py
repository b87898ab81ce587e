"""One poll cycle: which requests, in which order, and what each answer changes in the Snapshot of one account.

Not here: the thread and the waiting (`poller`), the schedule (`cadence`), the other endpoints (`secondary_endpoints`), HTTP.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from msgspec.structs import replace

from openbalance_hid.account.sample_thinning import RECENT_FOR, thin
from openbalance_hid.account.snapshot import KEY_TROUBLES, Credits, Health, Sample, Snapshot
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.errors import (
    ApiError,
    CredentialError,
    ForbiddenError,
    KeyRejectedError,
    Retry,
    ServerError,
)
from openbalance_hid.openrouter import cadence
from openbalance_hid.openrouter.cadence import RequestOutcome
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.late_recall import BEFORE_THE_BALANCE_S, BEFORE_THE_OTHERS_S, LateRecall, merged
from openbalance_hid.openrouter.outcome import SUCCESS, RequestResult, reading_after, result_of
from openbalance_hid.openrouter.request_limits import Backoffs
from openbalance_hid.openrouter.secondary_endpoints import PollClock, SecondaryEndpoints
from openbalance_hid.openrouter.trouble_log import TroubleLog
from openbalance_hid.secret import Secret, mask_keys

SAMPLES_KEPT = 6000
DENSE_FOR = timedelta(hours=2)  # a running meter polls every 15 s: newer samples are all kept, older ones once a minute
SPARSE = timedelta(minutes=1)

# (fingerprint of a key, empty snapshot, aware UTC, monotonic s) -> the snapshot with what is remembered of the key's account.
# Called on the poller's thread, once for each new key.
RecallAccount = Callable[[str, Snapshot, datetime, float], Snapshot]

# After these outcomes of `/credits` no other endpoint would answer.
_ENDS_THE_CYCLE = (RequestOutcome.OFFLINE, RequestOutcome.REJECTED_ONCE)
_WRONG_KIND = RequestResult(RequestOutcome.USER, Health.NOT_MANAGEMENT_KEY, "the key works, but it is not a Management key")

logger = logging.getLogger(__name__)


class PollCycle:
    """The poll cycles of one account, run by one thread. `publish` receives frozen Snapshots.

    A cycle publishes once, at its end. It publishes before that only what must not wait: the balance when other endpoints are
    due, which may be slow, and the account of a new key.
    """

    def __init__(
        self,
        account: str,
        client_factory: Callable[[], Client],
        interval_s: float,
        publish: Callable[[Snapshot], None],
        clock: PollClock,
        rng: Random,
        keep_going: Callable[[], bool] = lambda: True,
        recall: RecallAccount = lambda _, empty, *__: empty,
        on_recalled: Callable[[], None] = lambda: None,
        on_late: Callable[[], None] = lambda: None,
        rejection_gap_s: float = cadence.REJECTION_GAP_S,
        accounts: Callable[[], int] = lambda: 1,
    ) -> None:
        """`client_factory` reads the key anew in each cycle and raises CredentialError if there is none.

        `keep_going`: False ends a cycle and publishes nothing more. `on_recalled` is called after remembered values were
        published, before the first request. `rejection_gap_s`: two 401 at least this far apart reject the key.
        """
        self._client_factory = client_factory
        self._publish = publish
        self._clock = clock
        self._rng = rng
        self._keep_going = keep_going
        self._recall = recall
        self._on_recalled = on_recalled
        self._on_late = on_late
        self._recalling: LateRecall | None = None
        self._known = Snapshot(account, clock.utc(), interval_s)
        self._secret: Secret | None = None
        self.pace_s: float | None = None  # the longest wait while the meter runs; set by any thread
        self.ends_backoffs = False  # the next cycle ends every backoff first; set by any thread
        self._rejection_gap_s = rejection_gap_s
        self._is_recalled = False  # samples are from the history, and none was added
        self._accounts = accounts  # how many are polled: many are spread over the interval
        self._ran_on: date | None = None  # the UTC day of the last cycle
        self._failed = True  # the last cycle
        self._failures = 0  # cycles in a row
        self._rejected_at_s: float | None = None  # monotonic, of the first 401 in a row
        self._backoffs = Backoffs()
        self._secondary = SecondaryEndpoints(clock, self._backoffs)
        self._troubles = TroubleLog(logger)

    def want_free_quota(self, wanted: bool) -> None:
        """Request the quota of free models, too, or no longer. Called by any thread."""
        self._secondary.wants_free_quota = wanted

    @property
    def backoff_until_s(self) -> float:
        """Monotonic end of the backoff after a 429 of `/credits`; until then even a refresh by hand sends nothing."""
        return self._backoffs.until_s("credits")

    @property
    def was_online(self) -> bool:
        """Whether the last cycle reached OpenRouter, whatever the answer."""
        return self._known.health is not Health.OFFLINE

    def paced(self, delay_s: float) -> float:
        """Return the delay limited by the pace; a failed cycle keeps its own delay."""
        return delay_s if self.pace_s is None or self._failed else min(delay_s, self.pace_s)

    def run(self, by_hand: bool = False) -> float:
        """Request what is due, publish the result and return the seconds until the next cycle. Raises nothing."""
        try:
            return self._finish(self._request(by_hand), by_hand)
        except Exception:  # noqa: BLE001  a bug of ours must not end the thread: the values would silently freeze
            logger.error("account %s: internal error\n%s", self._known.account, self._traceback())
        with suppress(Exception):  # `publish` itself may be what fails
            return self._finish(RequestResult(RequestOutcome.SOON, Health.SERVER_ERROR, "internal error"))
        return self._known.interval_s

    def _request(self, by_hand: bool) -> RequestResult:
        if self.ends_backoffs:
            self.ends_backoffs = False
            self._backoffs.clear()
        try:
            client = self._client_factory()
        except CredentialError as error:
            self._known = replace(self._known, key_hint=None)
            outcome = RequestOutcome.SOON if error.retry is Retry.SOON else RequestOutcome.USER
            return self._take_credits(RequestResult(outcome, Health.NO_KEY, error.message, hint=error.hint), None)
        calls_before = self._known.api_calls
        try:
            with client:
                self._use_key(client.secret)
                result = self._credits_result(client)
                self._count(client, calls_before)
                if result.outcome in _ENDS_THE_CYCLE or result.health in KEY_TROUBLES or not self._keep_going():
                    return result  # the other endpoints would fail too
                self.take_recalled()
                if self._secondary.any_due(self._known, by_hand):
                    self._publish_known(refreshing=True)  # the balance does not wait for a slow endpoint
                    self.take_recalled(BEFORE_THE_OTHERS_S)
                self._known, activity = self._secondary.request_due(client, self._known, by_hand, self._keep_going)
        finally:
            self._count(client, calls_before)
        # Tiles without any day of history need it sooner than the interval; with one, the next cycle will do.
        needs_activity = result.outcome is RequestOutcome.OK and self._known.activity.value is None
        return replace(result, outcome=activity.outcome) if needs_activity else result

    # --- /credits, and the kind of the key ---------------------------------------------------------------------------

    def _credits_result(self, client: Client) -> RequestResult:
        """Request the credits, unless they are in a backoff: then the other endpoints are requested all the same."""
        left_s = self.backoff_until_s - self._clock.mono()
        if left_s > 0:
            return RequestResult(
                RequestOutcome.RATE_LIMITED, self._known.credits.health, self._known.credits.message, retry_after_s=left_s
            )
        answer = self._request_credits(client)
        self._note_server_time(client)  # which dates the answer
        return self._take_credits(*answer)

    def _request_credits(self, client: Client) -> tuple[RequestResult, Credits | None]:
        try:
            credits_ = client.credits()
            # An inference key has been answered 200 with 0 and 0 instead of 403.
            if credits_.total_credits_usd == 0 == credits_.total_usage_usd:
                if not self._is_management_key(client):
                    return _WRONG_KIND, None
                if self._known.credits.value not in (None, credits_):
                    raise ServerError("/credits answered 0 and 0, and neither was before")
        except (KeyRejectedError, ForbiddenError) as error:
            return self._refused(client, error), None
        except ApiError as error:
            return result_of(error), None
        self._rejected_at_s = None
        return SUCCESS, credits_

    def _is_management_key(self, client: Client) -> bool:
        answer = client.key_info().is_management_key
        if answer is None:
            raise ServerError("/credits answered 0 and 0, and /key does not say which kind of key this is")
        return answer

    def _refused(self, client: Client, refusal: KeyRejectedError | ForbiddenError) -> RequestResult:
        """Return the result of a 401 or 403 of `/credits`, which may concern the key or this endpoint alone.

        `/key`, which any key may request, distinguishes them. Only its own word makes a key an inference key: a 403 can also
        come from an allow-list of addresses, or from the CDN as a web page.
        """
        try:
            is_management_key = client.key_info().is_management_key
        except KeyRejectedError as error:
            return self._rejected(error)
        except ForbiddenError:
            is_management_key = None  # even `/key` is refused: the kind of key is not the cause
        except ApiError as error:
            if isinstance(refusal, KeyRejectedError):
                return self._rejected(refusal)
            return replace(result_of(error), message=f"{refusal.message}; {error.message}")  # either of the two
        self._rejected_at_s = None
        if is_management_key is False:
            return replace(_WRONG_KIND, message=refusal.message)
        outcome = RequestOutcome.SOON if isinstance(refusal, KeyRejectedError) else RequestOutcome.USER
        return RequestResult(outcome, Health.SERVER_ERROR, refusal.message)

    def _rejected(self, error: KeyRejectedError) -> RequestResult:
        """Return the result of a 401. Outages have surfaced as 401, so only a second one, 30 s later, rejects the key."""
        now_s = self._clock.mono()
        if self._rejected_at_s is None:
            self._rejected_at_s = now_s
        if now_s - self._rejected_at_s >= self._rejection_gap_s:
            return RequestResult(RequestOutcome.USER, Health.KEY_REJECTED, error.message)
        return RequestResult(RequestOutcome.REJECTED_ONCE, Health.SERVER_ERROR, f"{error.message} (asking again)")

    def _take_credits(self, result: RequestResult, credits_: Credits | None) -> RequestResult:
        now = utc_now(self._known, self._clock.utc())
        reading = reading_after(self._known.credits, result, credits_, now)
        self._known = replace(
            self._known, credits=reading, health=result.health, message=result.message, wrong_clock=result.wrong_clock
        )
        if credits_ is not None:
            self._keep_sample(credits_, now)
        if result.outcome is RequestOutcome.RATE_LIMITED:  # not after a 503: an outage may end sooner, and a hold may retry
            self._backoffs.note("credits", result, self._clock.mono())
        return result

    def _keep_sample(self, credits_: Credits, now: datetime) -> None:
        # Samples later than now were dated by a clock that was wrong, and without the server's time.
        known, mono_s = [each for each in self._known.samples if each.at < now], self._clock.mono()
        if len(known) < len(self._known.samples):
            self._secondary.make_all_due()  # the time since their last request is unknown
        if self._is_recalled:  # they were spaced by a local clock that may have been wrong
            known = [replace(each, mono_s=mono_s - (now - each.at).total_seconds()) for each in known]
            self._is_recalled = False
        if known and known[-1].at.date() != now.date():  # once a day: until then the next samples continue the last ones
            stays = thin((each.at for each in known), now)
            known = [each for each in known if each.at in stays and now - each.at <= RECENT_FOR]
        sample = Sample(now, mono_s, credits_.total_credits_usd, credits_.total_usage_usd)
        kept = (*_thinned(known, now - DENSE_FOR)[1 - SAMPLES_KEPT :], sample)
        self._known = replace(self._known, samples=kept)

    # --- the cycle as a whole ----------------------------------------------------------------------------------------

    def _use_key(self, secret: Secret) -> None:
        """Recall what is remembered of a new key's account. Another key may be another account, and inherits nothing."""
        if self._secret is None or self._secret.fingerprint != secret.fingerprint:
            if self._secret is not None:
                self._reset()
            self._publish_known(refreshing=True)  # what was recalled belongs to the account that this one starts
            empty = self._known = replace(self._known, recalling=True)
            started = self._clock.utc(), self._clock.mono()
            self._recalling = LateRecall(partial(self._recall, secret.fingerprint, empty, *started), empty, self._on_late)
            self._secondary.use_account(empty)
            self.take_recalled(BEFORE_THE_BALANCE_S)
        self._secret = secret
        self._known = replace(self._known, key_hint=secret.last_four)

    def take_recalled(self, wait_s: float = 0.0) -> None:
        """Add what is remembered, if it has come; publish it, if it is new. The network may be slower, or the disk."""
        recalled = self._recalling.result(wait_s) if self._recalling is not None else None
        if recalled is None:
            return
        before, is_early = self._known, self._known.credits.health is Health.PREPARING
        self._recalling, self._is_recalled = None, is_early
        self._known = replace(recalled, recalling=False) if is_early else merged(before, recalled)
        (self._secondary.use_account if is_early else self._secondary.remember)(self._known)
        if self._known != replace(before, recalling=False):
            self._publish_known(refreshing=before.refreshing)
            if is_early:
                self._on_recalled()

    def _reset(self) -> None:
        known = self._known
        self._known = replace(
            Snapshot(known.account, self._clock.utc(), known.interval_s), polls=known.polls, api_calls=known.api_calls
        )
        self._rejected_at_s = None
        self._backoffs.clear()

    def _count(self, client: Client, calls_before: int) -> None:
        self._known = replace(self._known, api_calls=calls_before + client.calls)
        self._note_server_time(client)

    def _note_server_time(self, client: Client) -> None:
        if client.last_date_skew_s is not None:
            self._known = replace(self._known, server_skew_s=client.last_date_skew_s)

    def _finish(self, result: RequestResult, by_hand: bool = False) -> float:
        temporary = result.outcome in (RequestOutcome.OFFLINE, RequestOutcome.SOON, RequestOutcome.RATE_LIMITED)
        self._failures = self._failures + 1 if temporary else 0
        self._failed = result.outcome is not RequestOutcome.OK
        delay_s = self.paced(
            cadence.next_poll(result.outcome, self._known.interval_s, self._failures, result.retry_after_s, self._rng)
        )
        if result.outcome is RequestOutcome.OK:
            today = utc_now(self._known, self._clock.utc()).date()
            at_once = by_hand or self._ran_on != today  # as all others: at the start, after midnight, after a sleep
            self._ran_on = today
            delay_s = cadence.spread(delay_s, self._accounts(), at_once, self._rng)
            delay_s = min(delay_s, cadence.until_midnight_s(utc_now(self._known, self._clock.utc()), self._rng))
        if result.outcome is RequestOutcome.RATE_LIMITED:  # the other endpoints keep their rate, and have their own backoffs
            delay_s = min(delay_s, max(self._known.interval_s, cadence.RATE_LIMIT_FLOOR_S))
        self._known = replace(
            self._known,
            health=result.health,
            message=result.message,
            wrong_clock=result.wrong_clock,
            polls=self._known.polls + 1,
            next_poll_at=self._clock.utc() + timedelta(seconds=delay_s),
        )
        if self._keep_going():  # else the end of the program is what ended the request
            self._troubles.note(self._known, result.message, result.hint)
        self._publish_known(refreshing=False)
        return delay_s

    def _publish_known(self, refreshing: bool) -> None:
        self._known = replace(self._known, refreshing=refreshing)
        if self._keep_going():
            self._publish(self._known)

    def _traceback(self) -> str:
        return mask_keys(traceback.format_exc(), self._secret)


def _thinned(samples: Sequence[Sample], dense_from: datetime) -> list[Sample]:
    """Return `samples` (oldest first), those before `dense_from` at least `SPARSE` apart."""
    kept: list[Sample] = []
    for each in samples:
        if each.at >= dense_from or not kept or each.at - kept[-1].at >= SPARSE:
            kept.append(each)
    return kept
