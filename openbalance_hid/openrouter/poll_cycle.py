"""One turn of asking: which questions, in which order, and what each answer makes of what is known.

Owns the Snapshot of one account. Not here: the thread and the waiting (`poller`), delays (`cadence`), HTTP (`client`).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from openbalance_hid.account.snapshot import KEY_TROUBLES, Credits, Health, Sample, Snapshot
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
from openbalance_hid.openrouter.outcome import GOOD, Backoffs, PollOutcome, reading_after, verdict_on
from openbalance_hid.openrouter.secondary_endpoints import Clock, SecondaryEndpoints
from openbalance_hid.secret import Secret, mask_keys

SAMPLES_KEPT = 4000
SAMPLES_KEPT_FOR = timedelta(hours=49)  # two whole days, and the reading before their midnight
DENSE_FOR = timedelta(hours=2)  # a meter may ask every 15 s: that long all are kept, and of older ones, one a minute
SPARSE = timedelta(minutes=1)

# From the fingerprint of a key, a snapshot that knows nothing, and both clocks: the snapshot with what was known of that key's
# account before. Asked on the poller's thread, once for each key that it meets.
Recall = Callable[[str, Snapshot, datetime, float], Snapshot]

logger = logging.getLogger(__name__)


_WRONG_KIND = PollOutcome(RequestOutcome.OWNER, Health.NOT_MANAGEMENT_KEY, "the key works, but it is not a Management key")


class PollCycle:
    """The turns of one account. One thread runs them; what is known goes out through `publish` as frozen Snapshots."""

    def __init__(
        self,
        account: str,
        client_factory: Callable[[], Client],
        interval_s: float,
        publish: Callable[[Snapshot], None],
        clock: Clock,
        rng: Random,
        going: Callable[[], bool] = lambda: True,
        recall: Recall = lambda _, begun, *__: begun,
        recalled: Callable[[], None] = lambda: None,
    ) -> None:
        """`client_factory` reads the key anew each turn and raises CredentialError without one. `going`: False ends a turn.

        `recalled` is called when something was, and published, before the network is asked.
        """
        self._client_factory = client_factory
        self._publish = publish
        self._clock = clock
        self._rng = rng
        self._going = going
        self._recall = recall
        self._recalled = recalled
        self._known = Snapshot(account, clock.utc(), interval_s)
        self._secret: Secret | None = None
        self.pace_s: float | None = None  # asked for while the meter runs; set by any thread
        self._troubled = True  # by the last turn
        self._failures = 0
        self._rejected_at_s: float | None = None  # monotonic, of the first 401 in a row
        self._pauses = Backoffs()
        self._further = SecondaryEndpoints(clock, self._pauses)
        self._said: dict[str, Health] = {}  # the trouble that the log knows of

    @property
    def quiet_until_s(self) -> float:
        """Monotonic: until then a 429 of `/credits` forbids even a refresh by hand."""
        return self._pauses.until_s("credits")

    @property
    def got_through(self) -> bool:
        """Whether the last turn reached OpenRouter, whatever it said."""
        return self._known.health is not Health.OFFLINE

    def hurried(self, delay_s: float) -> float:
        """The delay at the present pace; after a trouble nobody hurries."""
        return delay_s if self.pace_s is None or self._troubled else min(delay_s, self.pace_s)

    def run(self, by_hand: bool = False) -> float:
        """Asks what is due and publishes what came of it. Seconds until the next turn. Raises nothing."""
        try:
            self._tell(refreshing=True)
            return self._finish(self._ask(by_hand))
        except Exception:  # noqa: BLE001  a bug of ours must not end the thread: the numbers would freeze without a word
            logger.error("account %s: internal error\n%s", self._known.account, self._traceback())
        with suppress(Exception):  # what failed may be the publishing itself
            return self._finish(PollOutcome(RequestOutcome.SOON, Health.SERVER_ERROR, "internal error"))
        return self._known.interval_s

    def _ask(self, by_hand: bool) -> PollOutcome:
        try:
            client = self._client_factory()
        except CredentialError as error:
            self._known = replace(self._known, key_hint=None)
            outcome = RequestOutcome.SOON if error.retry is Retry.SOON else RequestOutcome.OWNER
            return self._after_credits(PollOutcome(outcome, Health.NO_KEY, error.message, hint=error.hint), None)
        calls_before = self._known.api_calls
        try:
            with client:
                self._meet(client.secret)
                verdict = self._after_credits(*self._credits(client))
                self._count(client, calls_before)
                if verdict.outcome not in (RequestOutcome.OK, RequestOutcome.SOON) or not self._going():
                    return verdict  # no way there, or no key: the other questions would fare no better
                self._tell(refreshing=True)
                self._known, further = self._further.ask(client, self._known, by_hand, self._going)
        finally:
            self._count(client, calls_before)
        # Tiles without any day of history wait for it sooner than the interval; with one, the next poll will do.
        wants_activity = verdict.outcome is RequestOutcome.OK and self._known.activity.value is None
        return replace(verdict, outcome=further.outcome) if wants_activity and further.health is not Health.OK else verdict

    # --- /credits, and which kind of key this is ---------------------------------------------------------------------

    def _credits(self, client: Client) -> tuple[PollOutcome, Credits | None]:
        try:
            credits_ = client.credits()
            # An inference key has been answered 200 with 0 and 0 instead of 403.
            if credits_.total_credits_usd == 0 == credits_.total_usage_usd:
                if not self._is_management_key(client):
                    return _WRONG_KIND, None
                if self._known.credits.value not in (None, credits_):
                    raise ServerError("/credits answered 0 and 0, and neither was before")
        except KeyRejectedError as error:
            return self._rejected(error), None
        except ForbiddenError as error:
            return self._forbidden(client, error), None
        except ApiError as error:
            return verdict_on(error), None
        self._rejected_at_s = None
        return GOOD, credits_

    def _is_management_key(self, client: Client) -> bool:
        answer = client.key_info().is_management_key
        if answer is None:
            raise ServerError("/credits answered 0 and 0, and /key does not say which kind of key this is")
        return answer

    def _forbidden(self, client: Client, refusal: ForbiddenError) -> PollOutcome:
        """403 is an inference key, or an address that is not on the account's list: `/key`, open to any key, tells which."""
        try:
            kind = client.key_info().is_management_key
        except KeyRejectedError as error:
            return self._rejected(error)
        except ForbiddenError:
            kind = True  # even this is refused: it is not the kind of key
        except ApiError as error:
            return replace(verdict_on(error), message=f"{refusal.message}; {error.message}")  # not known which of the two
        self._rejected_at_s = None
        if kind:
            return PollOutcome(RequestOutcome.OWNER, Health.SERVER_ERROR, refusal.message)
        return replace(_WRONG_KIND, message=refusal.message)

    def _rejected(self, error: KeyRejectedError) -> PollOutcome:
        """Outages have surfaced as 401: only a second one, half a minute later, is believed."""
        now_s = self._clock.mono()
        if self._rejected_at_s is None:
            self._rejected_at_s = now_s
        if now_s - self._rejected_at_s >= cadence.REJECTION_GAP_S:
            return PollOutcome(RequestOutcome.OWNER, Health.KEY_REJECTED, error.message)
        return PollOutcome(RequestOutcome.REJECTED_ONCE, Health.SERVER_ERROR, f"{error.message} (asking again)")

    def _after_credits(self, verdict: PollOutcome, credits_: Credits | None) -> PollOutcome:
        now = self._clock.utc()
        reading = reading_after(self._known.credits, verdict, credits_, now)
        self._known = replace(self._known, credits=reading, health=verdict.health, message=verdict.message)
        if credits_ is not None:
            self._keep_sample(credits_, now)
        if verdict.outcome is RequestOutcome.RATE_LIMITED:  # an outage may be over sooner than it was said: a hold may try
            self._pauses.note("credits", verdict, self._clock.mono())
        return verdict

    def _keep_sample(self, credits_: Credits, now: datetime) -> None:
        # Those later than now were taken before the clock was set back; their times mean nothing any more.
        kept = [each for each in self._known.samples if now - SAMPLES_KEPT_FOR <= each.at < now]
        if self._known.samples and self._known.samples[-1].at > now:
            self._further.doubt()  # the counter no longer tells what was spent since the others were asked
        sample = Sample(now, self._clock.mono(), credits_.total_credits_usd, credits_.total_usage_usd)
        self._known = replace(self._known, samples=(*_sparse(kept, now - DENSE_FOR)[1 - SAMPLES_KEPT :], sample))

    # --- round the questions -----------------------------------------------------------------------------------------

    def _meet(self, secret: Secret) -> None:
        """Of a key that is new here, what was known before; another key may be another account, and inherits nothing."""
        if self._secret is None or self._secret.fingerprint != secret.fingerprint:
            if self._secret is not None:
                self._begin_anew()
            before = self._known
            self._known = self._recall(secret.fingerprint, before, self._clock.utc(), self._clock.mono())
            self._further.begin(self._known)
            if self._known != before:
                self._tell(refreshing=True)  # now, and not when a network that may take its time has answered
                self._recalled()
        self._secret = secret
        self._known = replace(self._known, key_hint=secret.last_four)

    def _begin_anew(self) -> None:
        known = self._known
        self._known = replace(
            Snapshot(known.account, self._clock.utc(), known.interval_s), polls=known.polls, api_calls=known.api_calls
        )
        self._rejected_at_s = None
        self._pauses.clear()
        self._tell(refreshing=True)  # nothing of the old account stays on a key

    def _count(self, client: Client, calls_before: int) -> None:
        skew_s = self._known.server_skew_s if client.last_date_skew_s is None else client.last_date_skew_s
        self._known = replace(self._known, api_calls=calls_before + client.calls, server_skew_s=skew_s)

    def _finish(self, verdict: PollOutcome) -> float:
        failed = verdict.outcome in (RequestOutcome.OFFLINE, RequestOutcome.SOON, RequestOutcome.RATE_LIMITED)
        self._failures = self._failures + 1 if failed else 0
        interval_s = self._known.interval_s
        self._troubled = verdict.outcome is not RequestOutcome.OK
        delay_s = cadence.next_poll(verdict.outcome, interval_s, self._failures, verdict.retry_after_s, self._rng)
        delay_s = self.hurried(delay_s)
        self._known = replace(
            self._known,
            health=verdict.health,
            message=verdict.message,
            polls=self._known.polls + 1,
            next_poll_at=self._clock.utc() + timedelta(seconds=delay_s),
        )
        name = self._known.account
        self._say(f"account {name}", verdict.health, verdict.message, verdict.hint)
        self._say(f"activity of account {name}", self._known.activity.health, self._known.activity.message)
        self._say(f"today's spend of account {name}", self._known.today.health, self._known.today.message)
        self._say(f"keys of account {name}", self._known.keys.health, self._known.keys.message)
        self._tell(refreshing=False)
        return delay_s

    def _tell(self, refreshing: bool) -> None:
        self._known = replace(self._known, refreshing=refreshing)
        if self._going():
            self._publish(self._known)

    def _say(self, topic: str, health: Health, message: str | None, hint: str = "") -> None:
        """One line when a trouble begins or turns into another, one when it ends."""
        before = self._said.get(topic, Health.OK)
        if health is before or health is Health.PREPARING:
            return
        self._said[topic] = health
        if health is Health.OK:
            logger.info("%s: answers again", topic)
        else:
            level = logging.ERROR if health in KEY_TROUBLES else logging.WARNING
            helps = f" – try: {hint}" if hint else ""
            logger.log(level, "%s: %s: %s%s", topic, health.value.replace("_", " "), message or "no message", helps)

    def _traceback(self) -> str:
        return mask_keys(traceback.format_exc(), self._secret)


def _sparse(samples: Sequence[Sample], before: datetime) -> list[Sample]:
    """`samples` (oldest first), those from `before` this instant no closer together than `SPARSE`."""
    kept: list[Sample] = []
    for each in samples:
        if each.at >= before or not kept or each.at - kept[-1].at >= SPARSE:
            kept.append(each)
    return kept
