"""The thread that asks for one account, again and again, and the waiting in between.

Not here: what is asked and what comes of it (`turn`), and how long to wait (`cadence`).
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
from openbalance_hid.openrouter.poll_cycle import PollCycle, Recall
from openbalance_hid.openrouter.secondary_endpoints import Clock

# What the history knows comes to the glass first: loading the HTTP library keeps the interpreter from drawing for a tenth of a
# second.
_HEAD_START_S = 0.1
_LONGEST_NAP_S = 60.0  # a sleep of the machine is noticed at most this long after it: no timer runs through it


class SystemClock:
    """The clocks of this machine."""

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def mono(self) -> float:
        return time.monotonic()


class Poller:
    """One account's poller. `start`, `refresh` and `stop` may be called from any thread; `publish` is called on its own."""

    def __init__(
        self,
        account: str,
        client_factory: Callable[[], Client],
        interval_s: float,
        publish: Callable[[Snapshot], None],
        clock: Clock | None = None,
        rng: Random | None = None,
        recall: Recall = lambda _, begun, *__: begun,
    ) -> None:
        """`client_factory` is called each turn, so that a new key is found; it raises CredentialError when there is none.

        `publish` gets a Snapshot several times a turn: when it begins, when the credits are known, and at its end.
        `recall`: what was known before of the account of a key (see `turn.Recall`).
        """
        self.account = account
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._turns = PollCycle(
            account,
            client_factory,
            interval_s,
            publish,
            self._clock,
            rng or SystemRandom(),
            self._is_going,
            recall,
            self._let_the_glass_come_first,
        )
        self._asked = False  # a refresh waits to be done
        self._under_way = False
        self._stopping = False
        self._refreshed_at_s: float | None = None
        self._is_due = False  # a turn is wanted as soon as may be
        self._began_s = float("-inf")  # monotonic, of the last turn
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins asking, at once. A second call changes nothing."""
        with self._changed:
            if self._thread is None and not self._stopping:
                self._under_way = True
                self._began_s = self._clock.mono()
                self._thread = threading.Thread(target=self._run, name=f"poll {self.account}", daemon=True)
                self._thread.start()

    def refresh(self, insist: bool = False) -> bool:
        """Asks everything now. True when a poll is under way after this call, be it this one's or one that it joins.

        False when the last refresh is not 10 s ago, the server has asked for silence, or the poller does not run. `insist`:
        neither of the first two matters, because the account has changed under way (the demo's scenarios).
        """
        with self._changed:
            if self._thread is None or self._stopping:
                return False
            if self._asked or (self._under_way and not insist):
                return True
            now_s = self._clock.mono()
            quiet = now_s < self._turns.quiet_until_s or not cadence.refresh_allowed(now_s, self._refreshed_at_s)
            if quiet and not insist:
                return False
            self._refreshed_at_s = now_s
            self._asked = True
            self._changed.notify_all()
            return True

    def look_again(self) -> None:
        """The machine is awake, or its network is back: asks now, and after a poll that is under way, which may be lost.

        Where the last turn got through, no more often than `refresh` does; where it did not, whatever has been asked before.
        """
        with self._changed:
            now_s = self._clock.mono()
            seldom = self._turns.got_through and not cadence.refresh_allowed(now_s, self._refreshed_at_s)
            if self._thread is None or self._stopping or seldom or now_s < self._turns.quiet_until_s:
                return
            self._refreshed_at_s = now_s
            self._asked = True
            self._changed.notify_all()

    def pace(self, pace_s: float | None) -> None:
        """Asks at least this often while all goes well, and once now; None: at the account's own interval again.

        Now is 10 s after the last turn began at the soonest, and when the silence that the server has asked for is over.
        """
        with self._changed:
            self._turns.pace_s = pace_s
            self._is_due = pace_s is not None
            self._changed.notify_all()

    def stop(self, join_s: float = 2.0) -> None:
        """Nothing is published after this. Waits up to `join_s` for a question under way; may be called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(join_s)

    def turn(self, by_hand: bool = False) -> float:
        """One turn, here and now, on the calling thread. Seconds until the next one is due. Raises nothing."""
        return self._turns.run(by_hand)

    def _run(self) -> None:
        by_hand = False
        while self._is_going():
            delay_s = self.turn(by_hand)
            by_hand = self._wait(delay_s)

    def _wait(self, delay_s: float) -> bool:
        """Until the next turn is due; whether it was asked for by hand."""
        wall, mono_s = self._clock.utc(), self._clock.mono()
        with self._changed:
            self._under_way = False
            self._changed.notify_all()
            while not self._stopping and not self._asked:
                wall_passed_s = (self._clock.utc() - wall).total_seconds()
                left_s = cadence.time_left_s(self._turns.hurried(delay_s), wall_passed_s, self._clock.mono() - mono_s)
                if self._is_due:
                    soonest_s = max(self._began_s + cadence.REFRESH_GAP_S, self._turns.quiet_until_s)
                    left_s = min(left_s, soonest_s - self._clock.mono())
                if left_s <= 0:
                    break
                self._changed.wait(min(left_s, _LONGEST_NAP_S))
            by_hand, self._asked, self._is_due = self._asked, False, False
            self._began_s = self._clock.mono()
            self._under_way = True
            return by_hand

    def _let_the_glass_come_first(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, _HEAD_START_S)

    def _is_going(self) -> bool:
        return not self._stopping
