"""The thread that owns the store, and the part of one account for its poller.

Writes go into a bounded queue and return at once: no disk can delay a poll or a press. A recall waits for the thread, up to a
limit.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Activity, Credits, Reading, Sample, Snapshot, Today
from openbalance_hid.history.records import (
    AccountIdentity,
    Days,
    Record,
    StoredAccount,
    StoredDays,
    StoredModels,
    StoredSample,
    StoredToday,
)
from openbalance_hid.restarting_thread import RestartingThread

if TYPE_CHECKING:
    from openbalance_hid.history.store import HistoryStore

# A start without stored values is better than none. A healthy disk needs hundredths of a second; a slow machine just after its
# boot more than two (measured in an emulated one). Without stored alerts it would send every notification again.
RECALL_LIMIT_S = 10.0
MOST_JOBS = 1000  # ten days of polls, while a disk hangs
STOP_LIMIT_S = 1.0
CHECK_AFTER_S = 600.0  # a large file is read as a whole when the start is long over, with one of the next writes
CHECK_AGAIN_S = 7 * 86_400.0

Job = Callable[["HistoryStore"], object]
logger = logging.getLogger(__name__)


class History:
    """The history of all accounts. Every method is thread-safe; one thread, "history", reads and writes."""

    def __init__(self, open_store: Callable[[], HistoryStore], find_damage: Callable[[], str | None] = lambda: None) -> None:
        """`open_store` is called on the thread, and again if that has to be started again.

        `find_damage`: reads a large file as a whole, later, on another thread.
        """
        self._open_store = open_store
        self._find_damage = find_damage
        self._jobs: queue.Queue[Job | None] = queue.Queue(MOST_JOBS)
        self._overflowing = False
        self._stopping = False
        self._thread = RestartingThread("history", self._run)

    def start(self) -> None:
        """Start the thread, which opens the file."""
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def for_account(self, account: str) -> AccountHistory:
        """Return an account's part, for one poller."""
        return AccountHistory(account, self)

    def forget(self, account: str) -> None:
        """Delete everything of the accounts of this name, for all their keys."""
        self.enqueue(lambda store: store.forget(account))

    def store(self, who: AccountIdentity | None, record: Record) -> None:
        """Write a record of an account; None: a setting of the whole program. Returns at once."""
        self.enqueue(lambda store: store.write(who, record))

    def enqueue(self, job: Job) -> None:
        """Queue a job for the thread. When the queue is full the job is dropped, which is logged once."""
        if self._stopping:
            return
        try:
            self._jobs.put_nowait(job)
            self._overflowing = False
        except queue.Full:
            if not self._overflowing:
                self._overflowing = True
                logger.warning("history: the disk does not keep up; what comes is not remembered")

    def query(self, question: Callable[[HistoryStore], StoredAccount], limit_s: float = RECALL_LIMIT_S) -> StoredAccount:
        """Return the result of the thread; an empty one when it does not come in time."""
        if self._stopping:
            return StoredAccount()
        answers: queue.SimpleQueue[StoredAccount] = queue.SimpleQueue()
        self.enqueue(lambda store: answers.put(question(store)))
        try:
            return answers.get(timeout=limit_s)
        except queue.Empty:
            logger.warning("history: no answer within %g s; going on without", limit_s)
            return StoredAccount()

    def stop(self, join_s: float = STOP_LIMIT_S) -> None:
        """Write what is queued and close the file, for up to `join_s` seconds. Idempotent."""
        if not self._stopping:
            self._stopping = True
            while True:
                try:
                    self._jobs.put_nowait(None)
                    break
                except queue.Full:
                    with suppress(queue.Empty):
                        self._jobs.get_nowait()  # the oldest job makes room
        self._thread.stop()
        self._thread.join(join_s)

    def _run(self) -> None:
        store = self._open_store()
        check_at_s = time.monotonic() + CHECK_AFTER_S
        while (job := self._jobs.get()) is not None:
            try:
                job(store)
            except Exception:  # a bug in one job must not lose the others
                logger.exception("history: internal error; going on")
            if store.checks_later and time.monotonic() >= check_at_s:
                check_at_s = time.monotonic() + CHECK_AGAIN_S
                self.check()
        store.close()

    def check(self) -> None:
        """Read the file as a whole on a thread of its own, and have a damaged one replaced."""
        try:
            threading.Thread(target=self._check, name="history check", daemon=True).start()
        except RuntimeError as error:  # no resources for another thread
            logger.warning("the history is not checked now: %s", error)

    def _check(self) -> None:
        damage = self._find_damage()
        if damage is not None:
            self.enqueue(lambda store: store.replace_damaged(damage))


class AccountHistory:
    """One account. `recall` and `keep` are called by its poller, `store` by the main thread.

    Nothing is written before the key is known: `recall` sets it.
    """

    def __init__(self, account: str, history: History) -> None:
        self._account = account
        self._history = history
        self._bound: tuple[AccountIdentity, datetime] | None = None  # and `started_at` of the snapshots that belong to it
        self._sampled_at: datetime | None = None
        self._activity = Activity()
        self._read_at: datetime | None = None
        self._today_read_at: datetime | None = None
        self._key_days: Days = {}
        self._key_days_read_at: datetime | None = None
        self._models_read_at: datetime | None = None

    def recall(self, fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> tuple[Snapshot, StoredAccount]:
        """Return `begun`, an empty snapshot, with the stored values of this key's account; and the stored account.

        `mono_s`: the monotonic clock at `now`. Values keep the time at which they were measured.
        """
        who = AccountIdentity(self._account, fingerprint)
        past = self._history.query(lambda store: store.recall(who, now))
        self._sampled_at = past.last.at if past.last is not None else None
        self._activity, self._read_at = past.activity or Activity(), past.activity_read_at
        self._today_read_at = past.today.read_at if past.today is not None else None
        self._key_days, self._key_days_read_at = past.key_days, past.key_days_read_at
        self._models_read_at = past.models.read_at if past.models is not None else None
        self._bound = (who, begun.started_at)  # last: `keep`, on another thread, writes from now on
        return remembered(begun, past, now, mono_s), past

    def keep(self, snapshot: Snapshot) -> None:
        """Write what is new in a snapshot."""
        if self._bound is None or self._bound[1] != snapshot.started_at:
            return
        if snapshot.samples and snapshot.samples[-1].at != self._sampled_at:
            self._sampled_at = snapshot.samples[-1].at
            self._write(_stored(snapshot.samples[-1]))
        read = snapshot.activity
        if read.value is not None and read.measured_at is not None and read.measured_at != self._read_at:
            before, self._activity, self._read_at = self._activity, read.value, read.measured_at
            self._keep_days("model", before.by_model, read.value.by_model, read.measured_at)
            self._keep_days("provider", before.by_provider, read.value.by_provider, read.measured_at)
        keys = snapshot.key_days
        if keys.value is not None and keys.measured_at is not None and keys.measured_at != self._key_days_read_at:
            known, self._key_days, self._key_days_read_at = self._key_days, keys.value, keys.measured_at
            self._keep_days("key", known, keys.value, keys.measured_at)
        self._keep_today(snapshot.today)
        models = snapshot.models
        if models.value is not None and models.measured_at is not None and models.measured_at != self._models_read_at:
            self._models_read_at = models.measured_at
            self._history.store(None, StoredModels(models.value, models.measured_at))

    def _keep_today(self, read: Reading[Today]) -> None:
        today, read_at = read.value, read.measured_at
        if today is None or read_at is None or read_at == self._today_read_at or today.truncated:
            return  # only a lower bound, which is not stored
        self._today_read_at = read_at
        self._write(StoredToday(today, read_at))

    def store(self, started_at: datetime, record: Record) -> None:
        """Write a record that was made from the snapshots of `started_at`; dropped if they belong to another account."""
        if self._bound is not None and self._bound[1] == started_at:
            self._write(record)

    def _write(self, record: Record) -> None:
        assert self._bound is not None  # noqa: S101 – both callers check it
        self._history.store(self._bound[0], record)

    def _keep_days(self, kind: str, before: Days, after: Days, read_at: datetime) -> None:
        changed = {day: names for day, names in after.items() if before.get(day) != names}
        # Days before the oldest one are only too old for a snapshot; the file keeps them.
        gone = [day for day in before if day not in after and day > min(after, default=day)]
        self._write(StoredDays(kind, changed, gone, read_at))


def remembered(begun: Snapshot, past: StoredAccount, now: datetime, mono_s: float) -> Snapshot:
    """Return `begun` with the stored values.

    A monotonic clock ends with its process: samples get the readings that this process's clock would have had, spaced by UTC.
    """
    last, read_at = past.last, past.activity_read_at
    return replace(
        begun,
        credits=Reading(last.credits, last.at) if last is not None else begun.credits,
        activity=Reading(past.activity, read_at) if past.activity is not None and read_at is not None else begun.activity,
        today=_reading(past.today),
        yesterday=_reading(past.yesterday),
        key_days=Reading(past.key_days, past.key_days_read_at) if past.key_days_read_at is not None else begun.key_days,
        models=Reading(past.models.slugs, min(past.models.read_at, now)) if past.models is not None else begun.models,
        samples=tuple(
            Sample(
                each.at,
                mono_s - (now - each.at) / timedelta(seconds=1),
                each.credits.total_credits_usd,
                each.credits.total_usage_usd,
            )
            for each in past.samples
        ),
    )


def open_history(path: Path, private_dir: Callable[[Path], object]) -> History:
    """Return the history of the file at `path`. `private_dir` creates its directory, on the history's thread."""

    def open_store() -> HistoryStore:
        from openbalance_hid.history.store import (
            HistoryStore,  # the thread imports SQLite, which does not delay the start
        )

        return HistoryStore(path, lambda: private_dir(path.parent))

    def find_damage() -> str | None:
        from openbalance_hid.history.checkup import damage

        return damage(path)

    return History(open_store, find_damage)


def _reading(stored: StoredToday | None) -> Reading[Today]:
    return Reading() if stored is None else Reading(stored.today, stored.read_at)


def _stored(sample: Sample) -> StoredSample:
    return StoredSample(sample.at, Credits(sample.total_credits_usd, sample.total_usage_usd))
