"""The secondary endpoints: how often they are requested, and their values. Real server, virtual clock."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.burn import last_hours
from openbalance_hid.account.byok import byok_usd
from openbalance_hid.account.snapshot import FreeQuota, Health, Snapshot, Spend
from openbalance_hid.account.spend import today_usd
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import json, refused
from tests.openrouter.virtual import VirtualClock

INTERVAL_S = 900.0
ON_POLLS = "/credits"


class Life:
    """A poller at its usual interval, and what it has published."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock, known: Snapshot | None = None) -> None:
        self.sample, self.clock, self.snapshots = sample, clock, [] if known is None else [known]

        def recall(_: str, begun: Snapshot, *__: object) -> Snapshot:
            if known is None:
                return begun
            kept = {name: getattr(known, name) for name in ("credits", "activity", "today", "key_days", "models", "samples")}
            return replace(begun, **kept)

        connect = lambda: Client(Secret(sample.key), sample.url, utc=clock.utc)  # noqa: E731
        self.poller = Poller("default", connect, INTERVAL_S, self.snapshots.append, clock, recall=recall)

    @property
    def now(self) -> Snapshot:
        return self.snapshots[-1]

    def poll(self, by_hand: bool = False) -> list[str]:
        """Run one poll cycle and return the requested paths with their queries."""
        self.sample.requests.clear()
        self.poller.run_cycle(by_hand)
        return [f"{each.path}?{each.query}" if each.query else each.path for each in self.sample.requests]

    def later(self, hours: float = 0.25) -> list[str]:
        self.clock.pass_(hours * 3600)
        return self.poll()


@pytest.fixture
def life(sample: SampleAccount, clock: VirtualClock) -> Life:
    return Life(sample, clock)


def test_a_usual_day_is_at_most_110_requests_and_today_by_model_stays_known(life: Life) -> None:
    life.poll()
    for day in range(3):
        requested: Counter[str] = Counter()
        for _ in range(96):
            requested.update(each.partition("?")[0] for each in life.later())
            assert life.now.today.value is not None
        assert requested[ON_POLLS] == 96
        assert sum(requested.values()) <= 110, (day, requested)


class ScheduledLife(Life):
    """A poller that polls when it wants to."""

    def requests_until(self, end: datetime) -> list[tuple[datetime, str]]:
        """Run the poll cycles up to `end` and return each request with its time."""
        sent = []
        while self.clock.now < end:
            at = self.clock.now
            self.sample.requests.clear()
            wait_s = self.poller.run_cycle()
            sent += [(at, each.path) for each in self.sample.requests]
            self.clock.pass_(wait_s)
        return sent


@pytest.mark.parametrize(("starts_after_s", "workspaces"), [(0, 3), (427, 9)])
def test_no_24_hours_have_more_than_110_requests_however_many_workspaces(
    clock: VirtualClock, starts_after_s: int, workspaces: int
) -> None:
    """Starting unaligned, with a poll just after each midnight, a name that no list has, and a day that is published late."""
    clock.pass_(starts_after_s)
    start = clock.now
    with SampleAccount(clock=clock.utc) as sample:
        listed = [{"id": f"{number:08d}-0000-4000-8000-000000000000", "name": f"w{number}"} for number in range(workspaces)]
        sample.instead["/workspaces"] = json(200, {"data": listed, "total_count": workspaces})
        sample.instead["/keys"] = json(200, {"data": [{"hash": "00", "name": "one", "usage": 1}]})
        sample.instead["/models"] = json(200, {"data": [{"id": "vendor/none", "name": "None"}]})
        sample.instead["/activity"] = json(200, {"data": [{"date": "2026-11-20", "model": "a/b", "usage": 1}]})
        life = ScheduledLife(sample, clock)
        sent = life.requests_until(start + timedelta(days=2))[1:]
        assert life.now.keys.health is Health.OK
    later = [at for at, _ in sent if at > start + timedelta(hours=1)]
    assert max(bisect_left(later, at + timedelta(days=1)) - number for number, at in enumerate(later)) <= 110
    on_last_day = Counter(path for at, path in sent if at >= start + timedelta(days=1))
    assert on_last_day["/credits"] >= 96
    assert min(on_last_day[path] for path in ("/activity", "/analytics/query", "/keys")) >= 2, on_last_day


def test_of_many_workspaces_the_keys_are_read_in_turn_and_none_is_lost(clock: VirtualClock) -> None:
    ids = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(6)]
    with SampleAccount(clock=clock.utc) as sample:
        handle = sample._handle

        def with_six(method: str, target: str, headers: object, body: bytes) -> object:
            reply, *rest = handle(method, target, headers, body)
            number = next((str(at) for at, each in enumerate(ids) if each in target), None)
            if number is None:
                return reply, *rest
            rows = [{"hash": number * 64, "name": "same", "usage": 7, "usage_daily": 1, "usage_monthly": 2}]
            return json(200, {"data": rows if "offset=0" in target else []}), *rest

        sample._server._http.handle = with_six
        sample.instead["/workspaces"] = json(200, {"data": [{"id": each, "name": f"w{each[:8]}"} for each in ids]})
        life = Life(sample, clock)
        read = [{each.partition("workspace_id=")[2] for each in life.poll() if each.startswith("/keys?")}]
        read += [{each.partition("workspace_id=")[2] for each in life.later(24) if each.startswith("/keys?")} for _ in range(2)]
    assert [len(each) for each in read] == [6, 4, 4]
    assert read[1] | read[2] == set(ids)
    keys = life.now.keys.value or ()
    assert sorted(key.name for key in keys) == [f"same {number * 6}" for number in "012345"]
    fresh = {key.hash[0] for key in keys if key.today_usd is not None}
    assert fresh == {str(ids.index(each)) for each in read[2]}, "yesterday's spend is not today's"
    assert all(key.month_usd == 2 for key in keys)


def test_the_counter_keeps_today_exact_between_two_answers(life: Life) -> None:
    life.poll()
    for _ in range(44):  # to 23:00
        life.later()
        books = life.sample.state()
        spent = sum((use.usd for use in books.ledger.uses(books.midnight, books.now)), Decimal(0))
        assert today_usd(life.now, life.clock.now).usd == spent


def test_keys_come_from_all_pages_and_have_unique_names(clock: VirtualClock) -> None:
    with SampleAccount(clock=clock.utc, keys=203) as sample:
        life = Life(sample, clock)
        requested = [each for each in life.poll() if each.startswith("/keys")]
        offsets = [each.partition("&")[0].partition("=")[2] for each in requested]
        assert offsets == ["0", "100", "200", "202", "0", "1"], "until an empty page, in each workspace"
        keys = life.now.keys.value
        assert keys is not None
        assert len({key.hash for key in keys}) == len({key.name for key in keys}) == 203


def test_the_keys_add_up_to_the_account(life: Life) -> None:
    life.poll()
    keys = life.now.keys.value
    assert keys is not None
    assert [key.name for key in keys] == ["laptop", "ci", "notebook"]
    spent = sum(key.today_usd or 0 for key in keys)
    assert spent == pytest.approx(today_usd(life.now, life.clock.now).usd, abs=Decimal("1e-8"))
    ci = keys[1]
    assert (ci.limit_usd, ci.limit_reset, ci.disabled) == (Decimal(50), "monthly", False)
    assert ci.limit_left_usd == Decimal(50) - (ci.month_usd or 0)


def test_the_days_by_key_add_up_to_the_days_by_model(life: Life) -> None:
    life.poll()
    activity, days = life.now.activity.value, life.now.key_days.value
    assert activity is not None
    assert days is not None
    assert days.keys() == activity.by_model.keys()
    for day, keys in days.items():
        whole = sum((spend.usd for spend in activity.by_model[day].values()), Decimal(0))
        assert sum((spend.usd for spend in keys.values()), Decimal(0)) == pytest.approx(whole, abs=Decimal("1e-6"))


def test_days_by_key_are_requested_once_a_day_after_they_have_settled(life: Life) -> None:
    by_key = "/activity?api_key_hash="
    assert sum(each.startswith(by_key) for each in life.poll()) == 3
    requested = {}
    for _ in range(96):
        count = sum(each.startswith(by_key) for each in life.later())
        if count:
            requested[life.clock.now.strftime("%H:%M")] = count
    assert requested == {"06:00": 2}


def test_the_days_of_many_keys_are_requested_in_rounds_that_leave_no_key_out(life: Life) -> None:
    hashes = {f"{number:064x}" for number in range(8)}
    life.sample.instead["/keys"] = json(200, {"data": [{"hash": each, "name": each, "usage": 1} for each in sorted(hashes)]})
    life.sample.instead["/activity"] = json(200, {"data": []})
    by_key = "/activity?api_key_hash="
    rounds = [{path.removeprefix(by_key) for path in life.later(24) if path.startswith(by_key)} for _ in range(4)]
    assert [len(each) for each in rounds] == [3, 2, 2, 1]
    assert set.union(*rounds) == hashes


def test_settled_days_in_the_history_are_not_requested_again(life: Life) -> None:
    life.poll()
    life.later(12.6)  # 00:36
    life.later(6)  # settled
    again = Life(life.sample, life.clock, life.now)
    life.clock.pass_(3600)
    assert {each.partition("?")[0] for each in again.poll()} == {"/credits", "/workspaces", "/keys", "/analytics/query"}
    assert of_hours(life.sample) == 1, "of the hours in which nothing ran"
    life.clock.pass_(24 * 3600)
    third = Life(life.sample, life.clock, again.now)
    assert sum(each.startswith("/activity") for each in third.poll()) == 3


def test_a_refused_keys_request_is_not_repeated_at_every_poll(life: Life) -> None:
    life.sample.instead["/keys"] = refused(403, "no such permission")
    life.poll()
    assert (life.now.health, life.now.today.health, life.now.keys.health) == (Health.OK, Health.OK, Health.SERVER_ERROR)
    assert not any("/keys" in each for each in life.later())
    del life.sample.instead["/keys"]
    life.later(6)
    assert life.now.keys.health is Health.OK


@pytest.mark.parametrize("path", ["/activity", "/keys", "/analytics/query"])
@pytest.mark.parametrize("status", [429, 503])
def test_an_endpoint_gets_no_request_during_its_backoff(life: Life, path: str, status: int) -> None:
    life.sample.instead[path] = refused(status, "busy", {"Retry-After": "4000"})
    assert any(each.startswith(path) for each in life.poll())
    life.sample.instead.clear()
    for _ in range(4):
        life.clock.pass_(900)
        assert not any(each.startswith(path) for each in life.poll(by_hand=True))
    life.clock.pass_(900)
    assert any(each.startswith(path) for each in life.poll(by_hand=True))


def test_the_window_by_model_is_requested_only_during_a_spike(life: Life) -> None:
    life.poll()
    assert life.now.window.value is None
    life.sample.set_scenario("critical")
    another = Life(life.sample, life.clock)
    another.poll()
    window = another.now.window.value
    assert window is not None
    assert window.end - window.start == timedelta(hours=24)
    biggest = max(window.by_model.items(), key=lambda item: item[1].usd)[0]
    assert biggest == "openai/gpt-5"
    assert [each for each in another.later() if "analytics" in each] == []
    assert [each for each in another.later(1) if "analytics" in each] == ["/analytics/query"]


def test_today_has_providers_and_tokens_that_add_up_to_the_models(life: Life) -> None:
    life.poll()
    today = life.now.today.value
    assert today is not None
    models, providers = (list(each.values()) for each in (today.by_model, today.by_provider))
    assert sum(each.usd for each in models) == sum(each.usd for each in providers) > 0
    assert sum(each.tokens for each in models) == sum(each.tokens for each in providers) > 0


def test_a_server_that_refuses_providers_still_gives_todays_models(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbalance_hid.simulator.openrouter.sample_answers._DIMENSIONS", ("model",))
    requested = life.poll()
    assert requested.count("/analytics/query") - of_hours(life.sample) == 2
    today = life.now.today.value
    assert today is not None
    assert (len(today.by_model) > 5, dict(today.by_provider)) == (True, {})
    assert life.poll(by_hand=True).count("/analytics/query") == 1, "not tried again on this day"
    assert life.later(24).count("/analytics/query") - of_hours(life.sample) == 2


def test_a_workspace_that_refuses_its_keys_keeps_the_keys_of_the_others(life: Life) -> None:
    life.poll()
    handle = life.sample._handle

    def refusing(method: str, target: str, headers: object, body: bytes) -> object:
        reply, *rest = handle(method, target, headers, body)
        return (refused(403, "not yours"), *rest) if "workspace_id=a2b0" in target else (reply, *rest)

    life.sample._server._http.handle = refusing
    life.poll(by_hand=True)
    keys = life.now.keys
    assert keys.health is Health.OK
    assert [key.name for key in keys.value or ()] == ["laptop", "ci"]
    assert (keys.message or "").startswith("without the workspace Research: /keys answered 403")
    life.sample._server._http.handle = handle
    life.poll(by_hand=True)
    assert (len(life.now.keys.value or ()), life.now.keys.message) == (3, None)


def test_without_the_list_of_workspaces_the_default_one_is_used_and_the_reason_kept(life: Life) -> None:
    life.sample.instead["/workspaces"] = refused(500, "oops")
    life.poll()
    assert [key.name for key in life.now.keys.value or ()] == ["laptop", "ci"]
    assert life.now.keys.health is Health.OK
    reason = "of the default workspace only: /workspaces answered 500"
    assert (life.now.keys.message or "").startswith(reason)
    del life.sample.instead["/workspaces"]
    life.poll(by_hand=True)
    assert [(key.name, key.workspace) for key in life.now.keys.value or ()] == [
        ("laptop", "Default"),
        ("ci", "Default"),
        ("notebook", "Research"),
    ]
    assert life.now.keys.message is None


def test_the_quota_of_free_models_is_requested_only_while_a_tile_shows_it(life: Life) -> None:
    assert not any(each == "/key" for each in life.poll())
    assert life.now.free_quota.value is None
    life.poller.want_free_quota(True)
    requested = [life.later().count("/key") for _ in range(5)]
    assert requested == [1, 0, 1, 0, 1], "every second poll"
    quota = life.now.free_quota.value
    assert quota is not None
    assert (quota.limit, quota.used, quota.left) == (50, 19, 31)
    life.poller.want_free_quota(False)
    assert sum(life.later().count("/key") for _ in range(4)) == 0


def test_a_new_utc_day_has_a_new_quota_at_its_first_poll(life: Life) -> None:
    life.poller.want_free_quota(True)
    life.clock.pass_(11.9 * 3600)
    life.poll()
    life.clock.pass_(400)  # 00:00:40, less than two intervals later
    assert life.poll().count("/key") == 1
    assert life.now.free_quota.value == FreeQuota(50, 0, 50)


def test_rows_that_cannot_be_read_are_counted_in_the_reading(life: Life) -> None:
    row = {"date": "2026-11-23", "model": "a/m", "usage": 1}
    life.sample.instead["/activity"] = json(200, {"data": [row, {**row, "date": None}, 7]})
    life.poll()
    assert (life.now.activity.health, life.now.activity.dropped_rows) == (Health.OK, 2)


def test_the_last_answer_about_yesterday_is_kept_while_the_new_day_is_read(stage):
    stage.poll()
    said = stage.now.today
    assert said.value is not None
    stage.later(24 * 3600)
    assert stage.now.today.value is not None
    assert stage.now.today.value.day > said.value.day
    assert stage.now.yesterday == said


def test_own_key_cost_of_today_stays_known_while_no_credits_are_spent(life: Life) -> None:
    """Nothing but the analytics query shows it: no counter of the credits moves."""
    day = (life.clock.now - timedelta(days=1)).date()
    row = {"date": f"{day}", "model": "a/m", "provider_name": "P", "usage": 0, "byok_usage_inference": 2, "requests": 1}
    life.sample.instead["/credits"] = json(200, {"data": {"total_credits": 10, "total_usage": 1}})
    life.sample.instead["/activity"] = json(200, {"data": [row]})
    life.poll()
    for hours in range(48):
        life.later(1)
        today = life.now.today
        assert today.value is not None
        assert today.value.day == life.clock.now.date(), hours
        found = byok_usd(life.now, "today", life.clock.now).usd
        assert found is not None
        assert found >= sum_of(today.value.by_model)
        assert found > 0 or life.clock.now.hour < 6, "a new day is requested once, just after midnight"


def test_own_key_cost_of_the_sample_account_is_the_same_in_each_of_its_sources(life: Life) -> None:
    life.poll()
    now = life.clock.now
    analytics = sum_of(life.now.today.value.by_model)  # type: ignore[union-attr]
    keys = sum((key.byok_today_usd or Decimal(0) for key in life.now.keys.value or ()), Decimal(0))
    assert analytics == pytest.approx(keys, abs=Decimal("1e-6"))
    assert analytics > 0
    assert byok_usd(life.now, "today", now) == replace(byok_usd(life.now, "today", now), usd=analytics, lower_bound=True)
    life.later(24)
    yesterday = byok_usd(life.now, "yesterday", life.clock.now)
    assert yesterday.usd == sum_of(life.now.activity.value.by_model[now.date()])  # type: ignore[union-attr]
    assert yesterday.usd > analytics


def sum_of(names: Mapping[str, Spend]) -> Decimal:
    return sum((spend.byok.usd or Decimal(0) for spend in names.values()), Decimal(0))


def of_hours(sample: SampleAccount) -> int:
    return sum(each.path == "/analytics/query" and b'"granularity"' in each.body for each in sample.requests)


def test_hours_are_requested_where_samples_leave_a_gap_and_only_then(life: Life) -> None:
    life.poll()
    assert of_hours(life.sample) == 1, "nothing is known of the hours before the start"
    assert all(each.is_known for each in last_hours(life.now, 24))
    for _ in range(30 * 4):
        life.later()
        assert of_hours(life.sample) == 0
        assert all(each.is_known for each in last_hours(life.now, 24))
    assert not any(each.approximate for each in last_hours(life.now, 24))
    life.later(8)  # a sleep
    assert of_hours(life.sample) == 1
    hours = last_hours(life.now, 24)
    assert [each.approximate for each in hours[-8:]] == [True] * 8
    slept_usd = sum((each.usd or Decimal(0) for each in hours[-8:]), Decimal(0))
    before, after = (each.total_usage_usd for each in life.now.samples[-2:])
    assert slept_usd == pytest.approx(after - before, rel=Decimal("0.01"))


def test_a_refused_query_by_hour_costs_nothing_else_and_is_not_sent_at_every_poll(life: Life) -> None:
    handle = life.sample._handle

    def refusing(method: str, target: str, headers: object, body: bytes) -> object:
        reply, *rest = handle(method, target, headers, body)
        return (refused(400, "granularity is not supported"), *rest) if b'"granularity"' in body else (reply, *rest)

    life.sample._server._http.handle = refusing
    life.poll()
    assert of_hours(life.sample) == 1
    requests = 0
    for _ in range(12):
        life.later()
        requests += of_hours(life.sample)
    assert requests == 0
    assert life.now.hours.health is Health.SERVER_ERROR
    assert (life.now.health, life.now.today.health) == (Health.OK, Health.OK)
