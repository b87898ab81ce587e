"""The sample account, asked by a plain HTTP client: right, or wrong in OpenRouter's way, without our own client's help."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SCENARIOS, SampleAccount
from openbalance_hid.simulator.openrouter.sample_server import ResponseFault
from tests.waiting import threads_named, until

NAMES = [name for name, _ in SCENARIOS]
TIMES = [(0, 0), (0, 5), (0, 29), (0, 40), (6, 0), (9, 30), (12, 0), (17, 45), (23, 55)]


class Now:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def sample(now: Now) -> Iterator[SampleAccount]:
    with SampleAccount(clock=now) as sample:
        yield sample


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
    with closing(HTTPConnection(host, int(port), timeout=20)) as connection:
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


# --- the numbers ----------------------------------------------------------------------------------------------------------


def test_the_same_seed_tells_the_same_story_and_another_seed_another(now: Now) -> None:
    with (
        SampleAccount(seed=5, clock=now) as one,
        SampleAccount(seed=5, clock=now) as two,
        SampleAccount(seed=6, clock=now) as other,
    ):
        assert ask(one, "/activity").body == ask(two, "/activity").body != ask(other, "/activity", key=other.key).body
        assert one.key == two.key != other.key
        assert one.key.startswith("sk-or-v1-")


def test_the_counter_grows_by_what_today_and_the_days_add_up_to(sample: SampleAccount, now: Now) -> None:
    now.at = now.at.replace(hour=0)
    at_midnight = used(sample)
    now.at += timedelta(hours=15, minutes=7)
    assert used(sample) - at_midnight == today(sample, now) > 0
    now.at = now.at.replace(hour=0, minute=0) + timedelta(days=1)
    at_next = used(sample)
    now.at += timedelta(minutes=30)
    assert days(sample)["2026-11-24"] == at_next - at_midnight


def test_money_grows_with_the_clock_and_never_falls(sample: SampleAccount, now: Now) -> None:
    amounts = []
    for _ in range(48):
        now.at += timedelta(minutes=37)
        amounts.append(used(sample))
    assert amounts == sorted(amounts)
    assert len(set(amounts)) == len(amounts)


def test_thirty_completed_days_of_eight_models_and_never_today(sample: SampleAccount) -> None:
    rows = ask(sample, "/activity").data
    assert {row["date"] for row in rows} == {
        f"{datetime(2026, 11, 24) - timedelta(days=back):%Y-%m-%d} 00:00:00" for back in range(1, 31)
    }
    assert len({row["model"] for row in rows if row["usage"]}) == 8
    assert len({row["model"].split("/")[0] for row in rows if row["usage"]}) == 4


def test_yesterday_settles_half_an_hour_after_midnight(sample: SampleAccount, now: Now) -> None:
    now.at = now.at.replace(hour=0, minute=29)
    early = days(sample)["2026-11-23"]
    now.at = now.at.replace(minute=30)
    assert early < days(sample)["2026-11-23"]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("day", [23, 29])  # a Monday, whose yesterday was slow, and a Sunday
@pytest.mark.parametrize(("scenario", "lowest", "highest"), [("normal", 0, 2), ("spike", 3.5, 4.6), ("critical", 8.5, 9.6)])
def test_the_last_day_costs_about_one_four_or_nine_usual_days_at_any_time(
    now: Now, seed: int, day: int, scenario: str, lowest: float, highest: float
) -> None:
    now.at = datetime(2026, 11, day, tzinfo=UTC)
    with SampleAccount(scenario, seed, now) as sample:
        for hour, minute in TIMES:
            now.at = now.at.replace(hour=hour, minute=minute)
            sums = days(sample)
            yesterday = f"{now.at - timedelta(days=1):%Y-%m-%d}"
            usual = [usd for date, usd in sums.items() if date != yesterday and usd > 0]
            baseline = sum(usual, Decimal(0)) / len(usual)
            elapsed = Decimal(hour * 60 + minute) / 1440
            spent_today = today(sample, now) if elapsed else Decimal(0)
            estimated = (spent_today + (1 - elapsed) * sums[yesterday]) / baseline
            assert lowest <= estimated <= highest, now.at
            counted = used(sample)
            books_then = sample.state().ledger.uses(now.at - timedelta(days=1), now.at)
            assert lowest <= sum((use.usd for use in books_then), Decimal(0)) / baseline <= highest, now.at
            assert counted > 0


def test_the_wild_spend_is_one_models(now: Now) -> None:
    with SampleAccount("critical", clock=now) as sample:
        rows = ask(sample, "/analytics/query", query(now.at)).data["data"]
    first, second = (Decimal(row["credits_usage"]) for row in rows[:2])
    assert rows[0]["model"] == "GPT-5"
    assert first > 5 * second


@pytest.mark.parametrize(
    ("scenario", "balance"),
    [("normal", "74.25"), ("low-balance", "3.10"), ("negative", "-2.40"), ("new-account", "4.60"), ("no-activity", "10")],
)
def test_each_account_has_the_balance_it_is_named_for(sample: SampleAccount, now: Now, scenario: str, balance: str) -> None:
    sample.set_scenario(scenario)
    assert left(sample) == Decimal(balance)


def test_an_ordinary_account_is_topped_up_and_the_counter_does_not_notice(sample: SampleAccount, now: Now) -> None:
    bought = Decimal(ask(sample, "/credits").data["total_credits"])
    now.at += timedelta(days=40)
    assert left(sample) >= 10
    assert (Decimal(ask(sample, "/credits").data["total_credits"]) - bought) % 50 == 0


def test_a_new_account_has_one_small_day_and_one_without_activity_none(sample: SampleAccount) -> None:
    sample.set_scenario("new-account")
    assert list(days(sample)) == ["2026-11-23"]
    assert 0 < days(sample)["2026-11-23"] < 1
    sample.set_scenario("no-activity")
    assert ask(sample, "/activity").data == []
    assert ask(sample, "/credits").data == {"total_credits": 10, "total_usage": 0}


def test_switching_between_grown_accounts_never_moves_the_counter(sample: SampleAccount) -> None:
    counter = used(sample)
    for name in ("critical", "normal", "low-balance", "new-account", "spike", "negative", "no-activity", "normal"):
        sample.set_scenario(name)
        if name not in ("new-account", "no-activity"):
            assert used(sample) == counter


# --- as strict as the real one ----------------------------------------------------------------------------------------------


PATHS = ["/credits", "/activity", "/key", "/keys", "/analytics/query"]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_or_with_an_unknown_one_nothing_is_answered(sample: SampleAccount, path: str) -> None:
    missing = ask(sample, path, key=None)
    assert (missing.status, missing.error) == (401, {"code": 401, "message": "Missing Authentication header"})
    unknown = ask(sample, path, key="sk-or-v1-unknown")
    assert (unknown.status, unknown.error) == (401, {"message": "User not found.", "code": 401})
    assert sample.requests[-1].headers["authorization"] == sample.authorization_hash("sk-or-v1-unknown")


def test_an_inference_key_is_told_so_and_credits_alternate_between_refusal_and_zeros(sample: SampleAccount) -> None:
    answers = [ask(sample, "/credits", key=sample.inference_key) for _ in range(3)]
    assert [answer.status for answer in answers] == [403, 200, 403]
    assert answers[0].error["message"] == "Only management keys can fetch credits for an account"
    assert answers[1].data == {"total_credits": 0, "total_usage": 0}
    assert ask(sample, "/key", key=sample.inference_key).data["is_management_key"] is False
    assert ask(sample, "/activity", key=sample.inference_key).status == 403
    sample.set_scenario("wrong-key")
    assert ask(sample, "/key").data["is_management_key"] is False


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
def test_analytics_refuses_a_question_that_the_real_one_would_refuse(
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


def test_keys_come_a_hundred_a_page(now: Now) -> None:
    with SampleAccount(clock=now, keys=203) as sample:
        pages = [ask(sample, f"/keys?offset={offset}").data for offset in (0, 100, 200, 300)]
        assert [len(page) for page in pages] == [100, 100, 3, 0]
        assert len({row["hash"] for page in pages for row in page}) == 203
        assert ask(sample, "/keys?offset=-1").status == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/credits"), ("GET", "/analytics/query")])
def test_an_unknown_path_or_method_is_not_found(sample: SampleAccount, method: str, path: str) -> None:
    assert ask(sample, path, method=method).status == 404


def test_a_question_that_is_not_json_is_refused(sample: SampleAccount) -> None:
    assert ask(sample, "/analytics/query", b"[" * 10_000).status == 400


# --- trouble ----------------------------------------------------------------------------------------------------


def test_offline_resets_every_connection(sample: SampleAccount) -> None:
    sample.set_scenario("offline")
    with pytest.raises(ConnectionError):
        ask(sample, "/credits")


def test_rate_limited_says_when_to_come_back(sample: SampleAccount) -> None:
    sample.set_scenario("rate-limited")
    answer = ask(sample, "/credits")
    assert (answer.status, answer.headers["retry-after"]) == (429, "120")


def test_the_date_header_goes_by_the_accounts_clock(sample: SampleAccount) -> None:
    sample.date_skew_s = -3600
    assert ask(sample, "/key").headers["date"] == "Tue, 24 Nov 2026 11:00:00 GMT"


def test_every_scenario_is_described_in_a_line_and_can_be_switched_to_while_running(sample: SampleAccount) -> None:
    assert NAMES[:7] == ["normal", "spike", "critical", "low-balance", "negative", "new-account", "no-activity"]
    assert NAMES[7:] == ["offline", "wrong-key", "rejected", "rate-limited", "server-error"]
    for name, says in SCENARIOS:
        sample.set_scenario(name)
        assert sample.scenario == name
        assert says.isprintable()
    with pytest.raises(ValueError, match="bored"):
        sample.set_scenario("bored")


@pytest.mark.parametrize("spoil", [None, ResponseFault.NO_ANSWER])
def test_stop_ends_every_connection_and_may_be_called_twice(now: Now, spoil: ResponseFault | None) -> None:
    sample = SampleAccount(clock=now).start()
    sample.set_response_fault(spoil)
    host, port = sample.url.split("/")[2].split(":")
    connection = HTTPConnection(host, int(port), timeout=20)
    connection.request("GET", "/api/v1/key", headers={"Authorization": f"Bearer {sample.key}"})
    if spoil is None:
        connection.getresponse().read()  # and the connection stays open, with nothing asked
    until(lambda: len(sample.requests) == 1)
    sample.stop()
    sample.stop()
    assert threads_named("sample account") == []
    assert connection.sock.recv(1) == b""
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection(host, int(port), timeout=20).connect()


def test_the_key_is_never_recorded(sample: SampleAccount) -> None:
    ask(sample, "/credits")
    assert sample.key not in repr(sample.requests)
