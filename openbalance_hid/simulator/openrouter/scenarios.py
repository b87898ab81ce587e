"""The scenarios of the sample account, one row each, and the kinds of damage to its answers. Data only."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from msgspec import Struct


class ResponseMode(Enum):
    """How the server answers, independent of the account."""

    ANSWERS = "answers"
    DISCONNECTS = "disconnects"  # every connection is reset without a reply
    INFERENCE_KEY = "inference_key"  # the key is accepted, but is not a Management key
    UNKNOWN_KEY = "unknown_key"
    RATE_LIMITED = "rate_limited"
    BROKEN = "broken"  # JSON 500, HTML 502 and a body that breaks off, in turn
    ACTIVITY_DOWN = "activity_down"  # `/activity` times out behind the CDN; everything else answers


class ResponseFault(Enum):
    """Damage to a reply on its way to the client."""

    TRUNCATED = "truncated"  # half of the body, with its own Content-Length
    SHORT = "short"  # half of the body, then the end of the connection
    EMPTY = "empty"
    HTML = "html"
    DRIP = "drip"  # the body byte by byte
    DRIP_HEAD = "drip_head"  # status line and headers too
    ENDLESS = "endless"  # a body without an end
    BOMB = "bomb"  # 80 MiB in a few kilobytes of gzip
    NO_ANSWER = "no_answer"  # no byte, and the connection stays open
    GARBAGE = "garbage"  # not HTTP


class Scenario(Struct, frozen=True):
    """One account. Amounts in USD."""

    name: str
    title: str  # one line, for the list on the page
    balance_usd: Decimal = Decimal("74.25")  # at the moment the scenario is chosen
    tops_up: bool = True  # buys credits when the balance gets low
    days: int = 45  # completed days of history; 0: never used
    scale: float = 1.0  # of a usual day's spend
    prepaid: bool = True  # False: an invoiced account, which never buys credits
    refund_usd: Decimal = Decimal(0)  # taken from the usage counter: at once, or two minutes after a start with the scenario
    runaway: float = 0.0  # extra daily spend of one model since yesterday 00:00 UTC, in usual days
    key_usd_an_hour: float = 0.0  # of an API key that runs away since two hours before, until it is disabled
    mode: ResponseMode = ResponseMode.ANSWERS


_ROWS = (
    Scenario("normal", "an office account, $74 left, nothing unusual"),
    # With the usual spend on top, these two reach about 4 and 9 times the average at any time of the day.
    Scenario("spike", "since yesterday one model spends three times the usual day", Decimal("52.40"), runaway=3.1),
    Scenario("critical", "since yesterday one model spends eight times the usual day", Decimal("31.80"), runaway=8.1),
    Scenario("runaway", "the key ci spends $12 an hour: hold its key to stop it", Decimal("61.40"), key_usd_an_hour=12.0),
    Scenario("low-balance", "$3.10 left", balance_usd=Decimal("3.10"), tops_up=False),
    Scenario("negative", "overdrawn by $2.40", balance_usd=Decimal("-2.40"), tops_up=False),
    Scenario("new-account", "one day old, a few cents spent", balance_usd=Decimal("4.60"), tops_up=False, days=1, scale=0.1),
    Scenario("no-activity", "$10 bought, nothing used yet", balance_usd=Decimal(10), days=0, scale=0.0),
    Scenario("no-prepaid", "an invoiced account: nothing bought, billed later", tops_up=False, prepaid=False),
    Scenario("refund", "$20 of the usage have been refunded", refund_usd=Decimal(20)),
    Scenario("activity-down", "the history of days does not answer, everything else does", mode=ResponseMode.ACTIVITY_DOWN),
    Scenario("offline", "OpenRouter cannot be reached", mode=ResponseMode.DISCONNECTS),
    Scenario("wrong-key", "an inference key instead of a Management key", mode=ResponseMode.INFERENCE_KEY),
    Scenario("rejected", "the key was revoked", mode=ResponseMode.UNKNOWN_KEY),
    Scenario("rate-limited", "too many requests: try again in two minutes", mode=ResponseMode.RATE_LIMITED),
    Scenario("server-error", "OpenRouter has an outage", mode=ResponseMode.BROKEN),
)

SCENARIO_BY_NAME = {row.name: row for row in _ROWS}
SCENARIOS: tuple[tuple[str, str], ...] = tuple(
    (row.name, row.title) for row in _ROWS
)  # name and sentence, the ordinary one first
