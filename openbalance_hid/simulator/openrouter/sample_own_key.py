"""The own-key (BYOK) inference of the sample account: what its user's own provider keys cost, which is in no amount of credits.

A part of one model goes through the user's own key at its provider, and one model does so only. Pure.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

from openbalance_hid.simulator.openrouter.sample_data import ModelUse, share_of_day
from openbalance_hid.simulator.openrouter.sample_reply import NANO, SampleState

MODEL, LABEL, PROVIDER, ENDPOINT = "meta-llama/llama-3.3-70b-instruct", "Llama 3.3 70B Instruct", "Together", "e-x1"
DAY_USD, DAY_REQUESTS = Decimal("0.184"), 12  # of that model
PROMPT_TOKENS, COMPLETION_TOKENS = 750, 175  # a request

_SHARED_ENDPOINT = "e-a1"
_SHARE = Decimal("0.15")  # of what the endpoint costs in credits


def own_key_part(state: SampleState, use: ModelUse) -> Decimal:
    """Return the own-key inference of an endpoint that also costs credits, USD."""
    has_some = state.own_key and use.endpoint.endpoint_id == _SHARED_ENDPOINT
    return (use.usd * _SHARE).quantize(NANO) if has_some else Decimal(0)


def own_key_only(state: SampleState, start: datetime, end: datetime) -> Decimal:
    """Return the cost of the model that has nothing else, USD."""
    start = max(start, datetime.combine(state.now.date() - timedelta(days=30), time(), start.tzinfo))
    days = Decimal((end.date() - start.date()).days)
    usd = DAY_USD * (days + _share(end) - _share(start)) if state.own_key and end > start else Decimal(0)
    return usd.quantize(NANO)


def own_key_usd(state: SampleState, since: datetime) -> Decimal:
    """Return all own-key inference of the account since then, USD."""
    shared = sum((own_key_part(state, use) for use in state.ledger.uses(since, state.now)), Decimal(0))
    return shared + own_key_only(state, since, state.now)


def _share(at: datetime) -> Decimal:
    seconds = (at - datetime.combine(at.date(), time(), at.tzinfo)).total_seconds()
    return Decimal(str(round(share_of_day(seconds), 9)))
