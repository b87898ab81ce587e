"""What the history gives back and takes in, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Activity, Credits, Days, Today
from openbalance_hid.account.spike import SpikeRule

__all__ = ["AccountIdentity", "Days", "StoredAccount", "StoredSample"]


class AccountIdentity(Struct, frozen=True):
    """An account as one key knows it: another key under the same name is another account."""

    name: str
    fingerprint: str  # of the key; the file holds it salted


class StoredSample(Struct, frozen=True):
    """One stored reading of the credits."""

    at: datetime  # aware UTC
    credits: Credits


class StoredAccount(Struct, frozen=True):
    """What was known of an account when it was last asked. Empty for one that was never met."""

    last: StoredSample | None = None  # however old
    samples: tuple[StoredSample, ...] = ()  # those of the last 49 hours, oldest first
    activity: Activity | None = None
    activity_read_at: datetime | None = None
    today: Today | None = None  # the day that was not over when it was read
    today_read_at: datetime | None = None
    key_days: Days = field(default_factory=dict)
    key_days_read_at: datetime | None = None
    run: MeterRun | None = None  # the last one of the meter
    episodes: Mapping[SpikeRule, Episode] = field(default_factory=dict)
    concerns: Mapping[str, str] = field(default_factory=dict)  # by kind, what the desktop was told
    masked: bool = False  # amounts were hidden, those of every account
