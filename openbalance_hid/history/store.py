"""What is stored of accounts: samples of the credits, completed days, runs of the meter, alerts.

SQL is in `rows` and `writes`, the file and its failures in `file`, the thread in `keeper`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from sqlite3 import Connection

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Spend
from openbalance_hid.history import rows, writes
from openbalance_hid.history.file import HistoryFile
from openbalance_hid.history.migrations import STEPS, Migration
from openbalance_hid.history.records import AccountIdentity, Record, StoredAccount, StoredSample


class HistoryStore:
    """Used by one thread only. Raises nothing for a file that cannot be used (see `file`); amounts are exact."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[], object],
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_salt: Callable[[], bytes] = lambda: os.urandom(16),
        steps: Sequence[Migration] = STEPS,
    ) -> None:
        """`prepare` creates the directory; `utc` names a renamed damaged file; `new_salt` is called once for a new file."""
        self._file = HistoryFile(path, prepare, utc, new_salt, steps)

    @property
    def in_memory(self) -> bool:
        """Whether changes are kept in memory only at present."""
        return self._file.in_memory

    @property
    def checks_later(self) -> bool:
        """Whether the file is too large to be read as a whole at the start: see `checkup.damage`."""
        return self._file.checks_later

    def replace_damaged(self, damage: str) -> None:
        """Set the file aside, because a later check has found damage, and go on with a new one."""
        self._file.replace_damaged(damage)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._file.close()

    # --- reading --------------------------------------------------------------------------------------------------------

    def recall(self, who: AccountIdentity, now: datetime) -> StoredAccount:
        """Return what is stored of an account. Days: the last `DAYS_KEPT`."""
        return self._file.query(lambda db: rows.past(db, who, now), StoredAccount())

    def samples(self, who: AccountIdentity) -> tuple[StoredSample, ...]:
        """Return all samples, oldest first."""
        return self._file.query(lambda db: rows.samples(db, rows.account(db, who)), ())

    def days(self, who: AccountIdentity, kind: str, since: date = date.min) -> dict[date, dict[str, Spend]]:
        """Return the completed days from `since` on. `kind`: "model", "provider" or "key"."""
        return self._file.query(lambda db: rows.days(db, rows.account(db, who), kind, since), {})

    def runs(self, who: AccountIdentity) -> tuple[MeterRun, ...]:
        """Return all runs of the meter, oldest first."""
        return self._file.query(lambda db: rows.runs(db, rows.account(db, who)), ())

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, who: AccountIdentity | None, record: Record) -> None:
        """Write a record of an account; None: a setting of the whole program."""
        self.write_all(who, (record,))

    def write_all(self, who: AccountIdentity | None, records: Sequence[Record]) -> None:
        """Write records as one change."""

        def change(db: Connection) -> None:
            for record in records:
                writes.write(db, who, record)

        self._file.change(change)

    def forget(self, name: str) -> None:
        """Delete everything of the accounts of this name, for all their keys."""
        self._file.change(lambda db: db.execute("DELETE FROM accounts WHERE name = ?", (name,)))
