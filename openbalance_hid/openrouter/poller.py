"""The thread that polls one account, and the waiting between the poll cycles.

Not here: the requests of a cycle and their results (`poll_cycle`), and how long to wait (`cadence`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random, SystemRandom

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.openrouter import cadence
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poll_cycle import PollCycle, RecallAccount
from openbalance_hid.openrouter.secondary_endpoints import PollClock
from openbalance_hid.restarting_thread import RestartingThread

# Remembered values are drawn before the first request, which takes 0.1 s of CPU time to prepare: HTTP is imported for it.
_DRAW_FIRST_S = 0.1
_LONGEST_NAP_S = 60.0  # a sleep of the machine is noticed at most this late: no timer runs through it


class SystemClock:
    """The clocks of this machine."""

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def mono(self) -> float:
        return time.monotonic()


class Poller:
    """Polls one account on a thread of its own, which calls `publish`. All methods may be called from any thread."""

    def __init__(
        self,
        account: str,
        client_factory: Callable[[], Client],
        interval_s: float,
        publish: Callable[[Snapshot], None],
        clock: PollClock | None = None,
        rng: Random | None = None,
        recall: RecallAccount = lambda _, empty, *__: empty,
        rejection_gap_s: float = cadence.REJECTION_GAP_S,
        accounts: Callable[[], int] = lambda: 1,
    ) -> None:
        """`client_factory` is called in each cycle, so that a new key is found; CredentialError: there is none.

        `publish` receives a Snapshot at the end of each cycle, and earlier if a slow endpoint would delay the balance.
        `recall`: see `poll_cycle.RecallAccount`. `rejection_gap_s`: see `PollCycle`. `accounts`: how many are polled.
        """
        self.account = account
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._cycle = PollCycle(
            account,
            client_factory,
            interval_s,
            publish,
            self._clock,
            rng or SystemRandom(),
            self._is_going,
            recall,
            self._let_tiles_draw,
            self._notice_recall,
            rejection_gap_s,
            accounts,
        )
        self._refresh_wanted = False
        self._polling = False
        self._stopping = False
        self._refreshed_at_s: float | None = None
        self._is_due = False  # a cycle is wanted as soon as the gap allows
        self._started_s = float("-inf")  # monotonic, of the last cycle
        self._thread = RestartingThread(f"poll {account}", self._run)
        self._started = False

    @property
    def is_polling(self) -> bool:
        """Whether a cycle runs now."""
        with self._changed:
            return self._polling

    def start(self) -> None:
        """Start polling, at once. Idempotent."""
        with self._changed:
            if self._started or self._stopping:
                return
            self._started = self._polling = True
            self._started_s = self._clock.mono()
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def refresh(self, insist: bool = False) -> bool:
        """Poll every endpoint now. Return whether a poll runs after this call, a new one or one that it joins.

        False within 10 s of the last refresh, during a backoff that the server demanded, or if the poller does not run.
        `insist`: ignore the first two, because the account itself has changed (the demo's scenarios).
        """
        with self._changed:
            if not self._started or self._stopping:
                return False
            if self._refresh_wanted or (self._polling and not insist):
                return True
            now_s = self._clock.mono()
            too_soon = now_s < self._cycle.backoff_until_s or not cadence.refresh_allowed(now_s, self._refreshed_at_s)
            if too_soon and not insist:
                return False
            self._cycle.ends_backoffs |= insist
            self._refreshed_at_s = now_s
            self._refresh_wanted = True
            self._changed.notify_all()
            return True

    def poll_after_wakeup(self) -> None:
        """Poll now, because the machine woke up or its network is back; a running poll may be lost and is followed by another.

        After a cycle that reached OpenRouter no more often than `refresh`; after one that did not, always.
        """
        with self._changed:
            now_s = self._clock.mono()
            too_soon = self._cycle.was_online and not cadence.refresh_allowed(now_s, self._refreshed_at_s)
            if not self._started or self._stopping or too_soon or now_s < self._cycle.backoff_until_s:
                return
            self._refreshed_at_s = now_s
            self._refresh_wanted = True
            self._changed.notify_all()

    def pace(self, pace_s: float | None) -> None:
        """Poll at least this often while polls succeed, and once now; None: at the account's own interval again.

        "Now" is at least 10 s after the last cycle started, and after a backoff that the server demanded.
        """
        with self._changed:
            self._cycle.pace_s = pace_s
            self._is_due = pace_s is not None
            self._changed.notify_all()

    def want_free_quota(self, wanted: bool) -> None:
        """Request the quota of free models in each second poll, and now, or no longer."""
        with self._changed:
            self._cycle.want_free_quota(wanted)
            self._is_due |= wanted
            self._changed.notify_all()

    def stop(self, join_s: float = 2.0) -> None:
        """End the thread; nothing is published after this. Wait up to `join_s` for a running request. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.stop()
        self._thread.join(join_s)  # a request that hangs ends with the process

    def run_cycle(self, by_hand: bool = False) -> float:
        """Run one poll cycle on the calling thread. Return the seconds until the next one is due. Raises nothing."""
        return self._cycle.run(by_hand)

    def _run(self) -> None:
        by_hand = False
        while self._is_going():
            delay_s = self.run_cycle(by_hand)
            by_hand = self._wait(delay_s)

    def _wait(self, delay_s: float) -> bool:
        """Wait until the next cycle is due. Return whether it is a refresh by hand."""
        wall, mono_s = self._clock.utc(), self._clock.mono()
        with self._changed:
            self._polling = False
            self._changed.notify_all()
            while not self._stopping and not self._refresh_wanted:
                self._cycle.take_recalled()  # a slow disk
                wall_passed_s = (self._clock.utc() - wall).total_seconds()
                left_s = cadence.time_left_s(self._cycle.paced(delay_s), wall_passed_s, self._clock.mono() - mono_s)
                if self._is_due:
                    earliest_s = max(self._started_s + cadence.REFRESH_GAP_S, self._cycle.backoff_until_s)
                    left_s = min(left_s, earliest_s - self._clock.mono())
                if left_s <= 0:
                    break
                self._changed.wait(min(left_s, _LONGEST_NAP_S))
            by_hand, self._refresh_wanted, self._is_due = self._refresh_wanted, False, False
            self._started_s = self._clock.mono()
            self._polling = True
            return by_hand

    def _notice_recall(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _let_tiles_draw(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, _DRAW_FIRST_S)

    def _is_going(self) -> bool:
        return not self._stopping
