"""What is remembered of accounts: samples of the credits, completed days, runs of the meter, spike episodes.

Not here: SQL (`rows`), the file and its troubles (`file`), the thread (`keeper`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from sqlite3 import Connection

from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Spend, Today
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.history import rows
from openbalance_hid.history.file import HistoryFile
from openbalance_hid.history.migrations import STEPS, Migration
from openbalance_hid.history.records import AccountIdentity, Days, StoredAccount, StoredSample


class HistoryStore:
    """For one thread alone. Nothing here raises for a file that cannot be used (see `file`); amounts are exact."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[], object],
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_salt: Callable[[], bytes] = lambda: os.urandom(16),
        steps: Sequence[Migration] = STEPS,
    ) -> None:
        """`prepare` makes the directory; `utc` names a file that is set aside; `new_salt` is asked once for a new file."""
        self._file = HistoryFile(path, prepare, utc, new_salt, steps)
        self._thinned_in: dict[AccountIdentity, datetime] = {}  # the UTC hour in which an account was thinned last

    @property
    def in_memory(self) -> bool:
        """Whether what is kept now does not reach the file."""
        return self._file.in_memory

    def close(self) -> None:
        """Ends the connection; may be called twice."""
        self._file.close()

    # --- what was --------------------------------------------------------------------------------------------------------

    def recall(self, who: AccountIdentity, now: datetime) -> StoredAccount:
        """What is known of an account. Days: the last `DAYS_KEPT`; samples later than `now` are left out."""
        return self._file.ask(lambda db: rows.past(db, rows.account(db, who), now), StoredAccount())

    def samples(self, who: AccountIdentity) -> tuple[StoredSample, ...]:
        """All samples that are left, oldest first."""
        return self._file.ask(lambda db: rows.samples(db, rows.account(db, who)), ())

    def days(self, who: AccountIdentity, kind: str, since: date = date.min) -> dict[date, dict[str, Spend]]:
        """Completed days from `since` on, by "model", "provider" or "key"."""
        return self._file.ask(lambda db: rows.days(db, rows.account(db, who), kind, since), {})

    def runs(self, who: AccountIdentity) -> tuple[MeterRun, ...]:
        """All runs of the meter, oldest first."""
        return self._file.ask(lambda db: rows.runs(db, rows.account(db, who)), ())

    # --- what comes ------------------------------------------------------------------------------------------------------

    def keep_sample(self, who: AccountIdentity, sample: StoredSample) -> None:
        """Adds a sample, and once an hour thins those of its account."""
        hour = sample.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        thins = self._thinned_in.get(who) != hour
        self._thinned_in[who] = hour

        def change(db: Connection) -> None:
            account = rows.account_for(db, who)
            rows.write_sample(db, account, sample)
            if thins:
                rows.thin_samples(db, account, sample.at)

        self._file.change(change)

    def keep_days(
        self, who: AccountIdentity, kind: str, days: Days, gone: Iterable[date] = (), read_at: datetime | None = None
    ) -> None:
        """Puts whole days in the place of what was known of them; `gone`: days that turned out to have nothing.

        `kind`: "model", "provider" or "key"; `read_at`: when `/activity` answered, which tells those by key on their own.
        """

        def change(db: Connection) -> None:
            account = rows.account_for(db, who)
            rows.write_days(db, account, kind, days, gone)
            if read_at is not None:
                rows.write_read_at(db, account, kind, read_at)

        self._file.change(change)

    def keep_today(self, who: AccountIdentity, today: Today, read_at: datetime) -> None:
        """Puts the day that is not over in the place of what was known of it."""
        self._file.change(lambda db: rows.write_today(db, rows.account_for(db, who), today, read_at))

    def keep_episode(self, who: AccountIdentity, rule: SpikeRule, episode: Episode) -> None:
        """The present state of an episode that is not over."""
        self._file.change(lambda db: rows.write_episode(db, rows.account_for(db, who), rule, episode))

    def end_episode(self, who: AccountIdentity, rule: SpikeRule, ended_at: datetime) -> None:
        """The episode of a rule is over."""
        self._file.change(lambda db: rows.end_episode(db, rows.account_for(db, who), rule, ended_at))

    def keep_concern(self, who: AccountIdentity, kind: str, told: str | None) -> None:
        """What the desktop was told of a concern; None: it is over."""
        self._file.change(lambda db: rows.write_concern(db, rows.account_for(db, who), kind, told))

    def keep_run(self, who: AccountIdentity, run: MeterRun) -> None:
        """A run of the meter, begun or ended."""
        self._file.change(lambda db: rows.write_run(db, rows.account_for(db, who), run))

    def keep_masked(self, on: bool) -> None:
        """Whether amounts are hidden, those of every account."""
        self._file.change(lambda db: rows.write_masked(db, on))

    def forget(self, name: str) -> None:
        """Everything about the accounts of this name, whatever their keys."""
        self._thinned_in = {who: hour for who, hour in self._thinned_in.items() if who.name != name}
        self._file.change(lambda db: db.execute("DELETE FROM accounts WHERE name = ?", (name,)))
