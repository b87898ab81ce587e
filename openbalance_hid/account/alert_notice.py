"""The message about an alert that every sink receives: that it began, grew, or ended. Pure.

How an alert starts, rises and ends is in `alert`; which message waits for which sink, in `app.alert_outbox`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum

from msgspec import Struct

from openbalance_hid.account.alert import AlertKey, AlertKind, level_name
from openbalance_hid.account.spike import SpikeRule


class AlertStage(Enum):
    """What happened to the alert."""

    BEGAN = "began"
    GREW = "grew"
    ENDED = "ended"
    TEST = "test"  # of no alert: the user tries a sink


class AlertNotice(Struct, frozen=True):
    """`since`: the start of the alert; `at`: when this happened. Both are aware UTC."""

    kind: AlertKind
    account: str
    stage: AlertStage
    level: int
    since: datetime
    at: datetime
    title: str
    text: str
    rule: SpikeRule | None = None  # of a spike
    urgent: bool = False

    @property
    def key(self) -> AlertKey:
        """The identity of the alert."""
        return self.kind, self.account, self.rule

    def as_json(self) -> dict[str, str | bool]:
        """Return what a program, or an address with the format "json", receives. `id` is the same when it is sent again."""
        return {
            "program": "openbalance-hid",
            "id": f"{self.account}-{self.kind.value}-{int(self.since.timestamp())}-{self.stage.value}-{self.level}",
            "kind": self.kind.value,
            "stage": self.stage.value,
            "account": self.account,
            "level": level_name(self.kind, self.level),
            "urgent": self.urgent,
            "title": self.title,
            "text": self.text,
            "since": _instant(self.since),
            "at": _instant(self.at),
        }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
