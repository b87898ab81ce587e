"""Replies with the quirks of the real service, and its refusals."""

from typing import Any

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.simulator.openrouter.account_client import Now, ask, query


@pytest.mark.parametrize("date", ["2026-11-24", "2026-11-25", "2026-10-24", "24.11.2026", "2026-02-30", "2026-11-23 00:00:00"])
def test_activity_of_today_and_of_any_impossible_day_is_refused(sample: SampleAccount, date: str) -> None:
    answer = ask(sample, f"/activity?date={date.replace(' ', '%20')}")
    assert answer.status == 400
    assert answer.error["message"] == "Date must be within the last 30 (completed) UTC days"


def test_activity_of_one_completed_day_is_that_days_rows(sample: SampleAccount) -> None:
    assert {row["date"] for row in ask(sample, "/activity?date=2026-11-20").data} == {"2026-11-20 00:00:00"}


def test_activity_has_the_quirks_of_the_real_one(sample: SampleAccount) -> None:
    rows = ask(sample, "/activity").data
    on_a_day = [row["model"] for row in rows if row["date"].startswith("2026-11-20")]
    assert len(on_a_day) > len(set(on_a_day)), "a model comes once per endpoint"
    assert any(row["reasoning_tokens"] > row["completion_tokens"] for row in rows)
    assert any(row["usage"] == 0 and row["byok_usage_inference"] > 0 for row in rows)
    assert all("variant" in row for row in rows if row["usage"]), "fields that are in no document"


@pytest.mark.parametrize(
    "changes",
    [
        {"dimensions": ["model", "provider", "api_key_id"]},
        {"dimensions": ["slug"]},
        {"metrics": ["spend"]},
        {"metrics": []},
        {"metrics": None},
        {"limit": 0},
        {"limit": 10_001},
        {"order_by": {"field": "cost"}},
        {"time_range": {"start": "2026-11-24T00:00Z", "end": "2026-11-24T12:00Z"}},
        {"time_range": {"start": "2026-11-24T00:00:00Z", "end": "2026-11-24T00:00:00Z"}},
        {"time_range": {"start": "2024-11-24T00:00:00Z", "end": "2026-11-24T00:00:00Z"}},
        {"time_range": 7},
        {"filters": [{}] * 21},
    ],
)
def test_analytics_refuses_queries_that_the_real_service_refuses(
    sample: SampleAccount, now: Now, changes: dict[str, Any]
) -> None:
    answer = ask(sample, "/analytics/query", query(now.at, **changes))
    assert answer.status == 400
    assert answer.error["code"] == 400


def test_analytics_answers_with_labels_text_counts_null_money_and_data_twice(sample: SampleAccount, now: Now) -> None:
    data = ask(sample, "/analytics/query", query(now.at)).data
    rows = data["data"]
    assert {"Claude Sonnet 4.5", "GPT-5"} <= {row["model"] for row in rows}
    assert all(isinstance(row["request_count"], str) for row in rows)
    assert [row["model"] for row in rows if row["credits_usage"] is None] == ["Llama 3.3 70B Instruct"]
    assert data["metadata"]["truncated"] is False
    short = ask(sample, "/analytics/query", query(now.at, limit=2)).data
    assert (len(short["data"]), short["metadata"]["truncated"]) == (2, True)


def test_keys_of_a_workspace_are_listed_a_hundred_per_page(now: Now) -> None:
    with SampleAccount(clock=now, keys=203) as sample:
        spaces = ask(sample, "/workspaces").data
        assert [each["slug"] for each in spaces] == ["default", "research"]
        pages = [ask(sample, f"/keys?offset={offset}").data for offset in (0, 100, 200, 300)]
        assert [len(page) for page in pages] == [100, 100, 2, 0], "without workspace_id: the default workspace"
        pages.append(ask(sample, f"/keys?workspace_id={spaces[1]['id']}").data)
        assert len({row["hash"] for page in pages for row in page}) == 203
        assert ask(sample, "/keys?offset=-1").status == 400
        assert ask(sample, "/keys?workspace_id=research").status == 400
        assert ask(sample, f"/keys?workspace_id={spaces[0]['id'][::-1]}").status in (400, 404)


def test_workspaces_have_pages_of_fifty_and_at_most_a_hundred(sample: SampleAccount) -> None:
    assert len(ask(sample, "/workspaces?offset=1&limit=1").data) == 1
    assert ask(sample, "/workspaces?limit=101").status == 400
    assert ask(sample, "/workspaces?limit=0").status == 400


def test_providers_are_available_for_a_month_at_most(sample: SampleAccount, now: Now) -> None:
    rows = ask(
        sample, "/analytics/query", query(now.at, dimensions=["model", "provider"], metrics=["credits_usage", "tokens_total"])
    )
    assert {"model", "provider", "credits_usage", "tokens_total"} == set(rows.data["data"][0])
    long = {"start": "2026-01-01T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
    assert ask(sample, "/analytics/query", query(now.at, dimensions=["provider"], time_range=long)).status == 400


def test_a_body_that_is_not_json_is_refused(sample: SampleAccount) -> None:
    assert ask(sample, "/analytics/query", b"[" * 10_000).status == 400
