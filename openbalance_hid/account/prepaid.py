"""Whether an account has prepaid credits, and so a balance. Pure.

Invoiced, trial and grant accounts use credits without buying any: `/credits` answers 0 bought and more used. They have no
balance: what is left of nothing bought is no number, and no alarm.
"""

from openbalance_hid.account.snapshot import Snapshot


def is_prepaid(snapshot: Snapshot) -> bool:
    """Return the user's `prepaid` of the account, else whether anything was ever bought; True while that is unknown."""
    if snapshot.prepaid is not None:
        return snapshot.prepaid
    credits_ = snapshot.credits.value
    return credits_ is None or credits_.total_credits_usd != 0 or credits_.total_usage_usd <= 0
