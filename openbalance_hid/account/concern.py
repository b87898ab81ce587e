"""What an owner should hear of an account while nobody looks at the deck: that little is left, that its key no longer works.

A concern has a grade, a text that can be remembered. It ends when it is known to be over; an outage changes nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from openbalance_hid.account.snapshot import Health, Snapshot

RED_SHARE = Decimal("0.2")  # of what the owner calls low
BALANCE_GRADES = ("low", "very low", "below zero")  # the worse, the later
_KEY_TROUBLES = (Health.NOT_MANAGEMENT_KEY, Health.KEY_REJECTED)


class AlertKind(Enum):
    """Of which there is one at a time for an account."""

    BALANCE = "balance"
    KEY = "key"


def balance_grade(balance_usd: Decimal, low_usd: Decimal | None) -> str | None:
    """How low a balance is; None: it is not. `low_usd`: what the owner calls low, None for nothing above zero."""
    if balance_usd < 0:
        return "below zero"
    if low_usd is None or balance_usd >= low_usd:
        return None
    return "very low" if balance_usd < low_usd * RED_SHARE else "low"


def grades(snapshot: Snapshot, low_usd: Decimal | None) -> Mapping[AlertKind, str | None]:
    """The grade of each concern, None: none. A kind that nothing is known of now is missing.

    A balance is judged where the owner has said what is low, and by an answer of this start. A key that cannot be found is a
    concern where it was there before: whoever has never stored one needs no telling.
    """
    found: dict[AlertKind, str | None] = {}
    if snapshot.health is Health.OK:
        found[AlertKind.KEY] = None
        if snapshot.credits.value is not None:
            found[AlertKind.BALANCE] = (
                balance_grade(snapshot.credits.value.balance_usd, low_usd) if low_usd is not None else None
            )
    elif snapshot.health in _KEY_TROUBLES or (snapshot.health is Health.NO_KEY and snapshot.credits.value is not None):
        found[AlertKind.KEY] = snapshot.health.value
    return found


def is_worse(kind: AlertKind, grade: str, told: str | None) -> bool:
    """Whether the owner, who was told of `told`, should be told of `grade`."""
    if told is None or kind is AlertKind.KEY:
        return grade != told
    order = {each: place for place, each in enumerate(BALANCE_GRADES)}
    return order.get(grade, 0) > order.get(told, -1)
