"""What is stored of accounts: samples of the credits, completed days, runs of the meter, alerts.

SQL is in `rows` and `writes`, the file and its failures in `file`, the thread in `keeper`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Spend
from openbalance_hid.history import rows, writes
from openbalance_hid.history.file import HistoryFile
from openbalance_hid.history.migrations import STEPS, Migration
from openbalance_hid.history.records import AccountIdentity, Record, StoredAccount, StoredSample


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
        return self._file.ask(lambda db: rows.past(db, who, now), StoredAccount())

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

    def write(self, who: AccountIdentity | None, record: Record) -> None:
        """Write a record of an account; None: a setting of the whole program."""
        self._file.change(lambda db: writes.write(db, who, record))

    def forget(self, name: str) -> None:
        """Everything about the accounts of this name, whatever their keys."""
        self._file.change(lambda db: db.execute("DELETE FROM accounts WHERE name = ?", (name,)))
