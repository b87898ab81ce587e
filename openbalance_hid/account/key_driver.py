"""The API key that drives the spend of a day, if one does. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from openbalance_hid.account.snapshot import ApiKey, Snapshot
from openbalance_hid.account.utc_days import utc_now

DRIVES_FROM = Decimal("0.6")  # of what all keys have spent today
UNUSUAL_FROM = 3  # times the key's own usual day, as for the account (facts of the spike rule)
USUAL_DAYS = 30


def driving_key(snapshot: Snapshot, now: datetime) -> ApiKey | None:
    """Return the key behind most of today's spend of all keys, if that is unusual for it; None without one, or if unknown."""
    read_at, keys = snapshot.keys.measured_at, snapshot.keys.value or ()
    today = utc_now(snapshot, now).date()
    if read_at is None or utc_now(snapshot, read_at).date() != today:
        return None
    spent = {key.hash: key.today_usd or Decimal(0) for key in keys}
    top = max(keys, key=lambda key: spent[key.hash], default=None)
    if top is None or spent[top.hash] <= 0 or spent[top.hash] < DRIVES_FROM * sum(spent.values()):
        return None
    days = snapshot.key_days.value
    if days is None:  # its usual day is not known
        return None
    since = today - timedelta(days=USUAL_DAYS)
    usual = [names[top.name].usd for day, names in days.items() if since <= day < today and top.name in names]
    if usual and spent[top.hash] < UNUSUAL_FROM * sum(usual) / len(usual):
        return None
    return top
