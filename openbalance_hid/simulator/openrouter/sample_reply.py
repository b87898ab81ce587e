"""One reply of the sample account, and the account at one moment, from which replies are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal

import msgspec

from openbalance_hid.simulator.openrouter.key_changes import KeyChanges
from openbalance_hid.simulator.openrouter.sample_data import SampleLedger

_ENCODER = msgspec.json.Encoder(decimal_format="number")
NANO = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class SampleReply:
    """One HTTP reply."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class SampleState:
    """One account at one moment. Amounts in USD."""

    ledger: SampleLedger
    now: datetime  # aware UTC
    total_credits_usd: Decimal
    total_usage_usd: Decimal
    own_key: bool = True  # some requests use the user's own provider key, and are billed there
    keys: int = 3
    key_changes: KeyChanges = field(default_factory=KeyChanges)

    @property
    def midnight(self) -> datetime:
        return datetime.combine(self.now.date(), time(), UTC)


def json(status: int, value: object, headers: Mapping[str, str] | None = None) -> SampleReply:
    return SampleReply(status, _ENCODER.encode(value), headers or {})


def refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> SampleReply:
    """Return an error reply in the API's format."""
    return json(status, {"error": {"code": status, "message": message}, "user_id": "user_2sample"}, headers)
