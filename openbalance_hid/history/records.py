"""What the history takes in (`Record`) and returns (`StoredAccount`), as frozen values.

To store one thing more, add its type to `Record` and its statement to the table in `writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from msgspec import Struct, field

from openbalance_hid.account.alert import Alert, AlertKey
from openbalance_hid.account.alert_notice import AlertNotice
from openbalance_hid.account.key_switching import KeySwitch
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Activity, Credits, Days, Today

__all__ = [
    "AccountIdentity",
    "Days",
    "EndedAlert",
    "MaskedSetting",
    "Record",
    "StoredAccount",
    "StoredDays",
    "StoredDelivery",
    "StoredModels",
    "StoredSample",
    "StoredToday",
]


class AccountIdentity(Struct, frozen=True):
    """An account name with one key: another key under the same name is another account."""

    name: str
    fingerprint: str  # of the key; the file holds it salted


class StoredSample(Struct, frozen=True):
    """One reading of the credits."""

    at: datetime  # aware UTC
    credits: Credits


class StoredDays(Struct, frozen=True):
    """Completed days, each in place of what was stored of it. `gone`: days that turned out to have no spend.

    `kind`: "model", "provider" or "key". `read_at`: when the endpoint answered, or None to leave that as it is.
    """

    kind: str
    days: Days
    gone: Iterable[date] = ()
    read_at: datetime | None = None


class StoredToday(Struct, frozen=True):
    """The UTC day that is not over; the last answer about the day before it is kept, too."""

    today: Today
    read_at: datetime


class EndedAlert(Struct, frozen=True):
    """An alert has ended."""

    key: AlertKey
    ended_at: datetime


class StoredModels(Struct, frozen=True):
    """The slug for each spelling of a model's name, in place of the earlier ones. The same for every account."""

    slugs: Mapping[str, str]
    read_at: datetime


class StoredDelivery(Struct, frozen=True):
    """A message about an alert for one sink. `delivered_at` None: it waits; `is_over`: it no longer does, undelivered."""

    sink: str  # its identity: 12 hex digits, never its address
    notice: AlertNotice
    delivered_at: datetime | None = None
    is_over: bool = False


class MaskedSetting(Struct, frozen=True):
    """Whether amounts are hidden, for every account."""

    on: bool


Record = (
    StoredSample
    | StoredDays
    | StoredToday
    | Alert
    | EndedAlert
    | StoredDelivery
    | KeySwitch
    | MeterRun
    | StoredModels
    | MaskedSetting
)


class StoredAccount(Struct, frozen=True):
    """What is stored of an account. Empty for an account that was never polled."""

    last: StoredSample | None = None  # however old
    samples: tuple[StoredSample, ...] = ()  # of the last `RECENT_FOR`, oldest first
    activity: Activity | None = None
    activity_read_at: datetime | None = None
    today: StoredToday | None = None  # the day that was not over when it was read
    yesterday: StoredToday | None = None  # the last answer about the day before that
    key_days: Days = field(default_factory=dict)
    key_days_read_at: datetime | None = None
    runs: tuple[MeterRun, ...] = ()  # the last one of the meter, and those before it that are not settled
    alerts: tuple[Alert, ...] = ()  # open ones, oldest first
    models: StoredModels | None = None  # of every account
    deliveries: tuple[StoredDelivery, ...] = ()  # oldest first
    masked: bool = False  # amounts are hidden, for every account
