"""The spend by hour: the query, and what its answer means whatever the name of its time column is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.hourly import hours_query, to_hours

END = datetime(2026, 11, 24, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def body(*rows: Any, **more: Any) -> bytes:
    return msgspec.json.encode({"data": {"data": list(rows), **more}})


def test_the_query_starts_at_a_whole_hour_two_days_before_and_has_no_dimension() -> None:
    query = hours_query(END)
    assert query["time_range"] == {"start": "2026-11-22T12:00:00Z", "end": "2026-11-24T12:20:00Z"}
    assert (query["granularity"], query["dimensions"], query["metrics"]) == ("hour", [], ["credits_usage"])


@pytest.mark.parametrize("column", ["date__hour", "created_at__hour", "time"])
@pytest.mark.parametrize("text", ["2026-11-24 11:00:00", "2026-11-24T11:00:00Z", "2026-11-24T12:00:00+01:00", "2026-11-24T11"])
def test_the_time_column_is_found_by_its_value(column: str, text: str) -> None:
    hours = to_hours(body({column: text, "credits_usage": "0.25", "model": "A"}), END).value
    assert hours.end == END
    assert hours.usd[END.replace(minute=0) - HOUR] == Decimal("0.25")
    assert len(hours.usd) == 49


def test_an_hour_without_a_row_had_no_spend_and_null_is_none() -> None:
    row = {"date__hour": "2026-11-24 11:00:00", "credits_usage": None}
    assert set(to_hours(body(row), END).value.usd.values()) == {Decimal(0)}


def test_a_repeated_row_counts_once_and_hours_outside_of_the_range_do_not_count() -> None:
    row = {"date__hour": "2026-11-24 11:00:00", "credits_usage": 1}
    old = {"date__hour": "2026-11-20 11:00:00", "credits_usage": 8}
    assert sum(to_hours(body(row, row, old), END).value.usd.values()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        body({"credits_usage": 1}),
        body({"date__day": "2026-11-24", "credits_usage": 1}),
        body({"date__hour": "2026-11-24 11:00:00"}),
        body({"date__hour": "2026-11-24 11:00:00", "credits_usage": "much"}),
        body({"date__hour": "9999-12-31T23:59:59-23:59", "credits_usage": 1}),
        body({"date__hour": "0001-01-01T00:00:00+23:59", "credits_usage": 1}),
        body({"date__hour": "2026-11-24 11:00:00", "credits_usage": 1e20}),
        body({"date__hour": "2026-11-24 11:00:00", "credits_usage": 1}, {"date__hour": 7, "credits_usage": 1}),
        body({"date__hour": "2026-11-24 11:00:00", "credits_usage": 1}, metadata={"truncated": True}),
        b"[]",
    ],
)
def test_an_answer_that_is_not_whole_is_an_error_and_no_smaller_amount(answer: bytes) -> None:
    with pytest.raises(ServerError):
        to_hours(answer, END)
