"""The sample account's scenarios: one row each, what the owner of such an account would see. A table, no behaviour."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from msgspec import Struct


class Behaviour(Enum):
    """How the server answers, whatever the account holds."""

    ANSWERS = "answers"
    HANGS_UP = "hangs_up"  # every connection is reset without an answer
    INFERENCE_KEY = "inference_key"  # the key is good, but not a Management key
    UNKNOWN_KEY = "unknown_key"
    RATE_LIMITED = "rate_limited"
    BROKEN = "broken"  # JSON 500, HTML 502 and a body that breaks off, in turn


class Scenario(Struct, frozen=True):
    """One account. Amounts in USD."""

    name: str
    says: str  # one line, for the chooser
    balance_usd: Decimal = Decimal("74.25")  # at the moment the scenario is chosen
    tops_up: bool = True  # buys credits when little is left
    days: int = 45  # completed days of history; 0: never used
    scale: float = 1.0  # of a usual day's spend
    runaway: float = 0.0  # spend of one model gone wild, in usual days' spends a day, since yesterday 00:00 UTC
    behaviour: Behaviour = Behaviour.ANSWERS


_ROWS = (
    Scenario("normal", "an office account, $74 left, nothing unusual"),
    # The rest of the account adds about one more: these come to about 4 and 9 times the average, at any time of the day.
    Scenario("spike", "one model has spent three usual days' money a day since yesterday", Decimal("52.40"), runaway=3.1),
    Scenario("critical", "one model has spent eight usual days' money a day since yesterday", Decimal("31.80"), runaway=8.1),
    Scenario("low-balance", "$3.10 left", balance_usd=Decimal("3.10"), tops_up=False),
    Scenario("negative", "overdrawn by $2.40", balance_usd=Decimal("-2.40"), tops_up=False),
    Scenario("new-account", "one day old, a few cents spent", balance_usd=Decimal("4.60"), tops_up=False, days=1, scale=0.1),
    Scenario("no-activity", "$10 bought, nothing used yet", balance_usd=Decimal(10), days=0, scale=0.0),
    Scenario("offline", "OpenRouter cannot be reached", behaviour=Behaviour.HANGS_UP),
    Scenario("wrong-key", "an inference key instead of a Management key", behaviour=Behaviour.INFERENCE_KEY),
    Scenario("rejected", "the key was revoked", behaviour=Behaviour.UNKNOWN_KEY),
    Scenario("rate-limited", "too many requests: come back in two minutes", behaviour=Behaviour.RATE_LIMITED),
    Scenario("server-error", "OpenRouter has an outage", behaviour=Behaviour.BROKEN),
)

TABLE = {row.name: row for row in _ROWS}
SCENARIOS: tuple[tuple[str, str], ...] = tuple(
    (row.name, row.says) for row in _ROWS
)  # name and sentence, the ordinary one first
