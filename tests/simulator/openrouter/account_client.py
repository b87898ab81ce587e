"""A plain HTTP client of the sample account; it shares no code with the product."""

import json
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount


class Now:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def data(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)["data"]

    @property
    def error(self) -> Any:
        return json.loads(self.body)["error"]


def ask(sample: SampleAccount, path: str, body: Any = None, key: str | None = "", method: str | None = None) -> Answer:
    """`key`: empty for the right one, None for no header at all."""
    host, port = sample.url.split("/")[2].split(":")
    headers = {} if key is None else {"Authorization": f"Bearer {key or sample.key}"}
    text = json.dumps(body).encode() if isinstance(body, dict) else body
    with closing(HTTPConnection(host, int(port), timeout=240)) as connection:
        connection.request(method or ("POST" if body is not None else "GET"), f"/api/v1{path}", text, headers)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def query(now: datetime, **changes: Any) -> dict[str, Any]:
    start = now.replace(hour=0, minute=0, second=0)
    asked = {
        "metrics": ["credits_usage", "request_count"],
        "dimensions": ["model"],
        "order_by": {"field": "credits_usage", "direction": "desc"},
        "time_range": {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{now:%Y-%m-%dT%H:%M:%SZ}"},
        "limit": 1000,
    }
    return {name: value for name, value in (asked | changes).items() if value is not None}


def used(sample: SampleAccount) -> Decimal:
    return Decimal(ask(sample, "/credits").data["total_usage"])


def left(sample: SampleAccount) -> Decimal:
    data = ask(sample, "/credits").data
    return Decimal(data["total_credits"]) - Decimal(data["total_usage"])


def days(sample: SampleAccount) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in ask(sample, "/activity").data:
        sums[row["date"][:10]] += Decimal(row["usage"])
    return sums


def today(sample: SampleAccount, now: Now) -> Decimal:
    return sum(
        (Decimal(row["credits_usage"] or 0) for row in ask(sample, "/analytics/query", query(now.at)).data["data"]), Decimal(0)
    )
