"""The message of a snapshot: what a desk gets is what was known, and nothing that identifies a key."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount, rounded
from openbalance_hid.account.snapshot import (
    Activity,
    ApiKey,
    Credits,
    FreeQuota,
    Health,
    HourlySpend,
    Origin,
    OriginProblem,
    Reading,
    Sample,
    Snapshot,
    Spend,
    Today,
    Window,
)
from openbalance_hid.account.spend import used_usd
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.app.snapshot_publishing import summary_of
from openbalance_hid.app.tile_views import TileInputs, view_of
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.mqtt.snapshot_decoder import Receipt, RefusedMessage, decode_message, to_snapshot
from openbalance_hid.mqtt.snapshot_encoder import SnapshotEncoder
from openbalance_hid.mqtt.snapshot_schema import SCHEMA, SummaryPart
from openbalance_hid.tiles import TILES
from tests.build import NOON, activity, day_of_samples, days_back

HASH = "0e6f44a47a05f1dad2ad7e88c4c1d6b77688157716fb1a5271146f7464951c96"
KEYS = (
    ApiKey(HASH, "ci 0e6f44", Decimal(9), Decimal(1), given_name="ci", workspace="Research", last_used_at=NOON),
    ApiKey(HASH[::-1], "laptop", Decimal(3), Decimal("0.5"), limit_usd=Decimal(50), limit_left_usd=Decimal(40)),
)
SUMMARY = SummaryPart("74.25", "1.5", "40", "0.42", "normal", byok_today_usd="0.18")


def whole() -> Snapshot:
    """Everything that a snapshot can have."""
    day = NOON.date()
    names = {"v/model-a": Spend(Decimal("1.5"), 3, 400)}
    return Snapshot(
        account="team",
        started_at=NOON - timedelta(hours=3),
        interval_s=900,
        health=Health.OK,
        key_hint="1c96",
        credits=Reading(Credits(Decimal(100), Decimal("25.75")), NOON, Health.OK),
        activity=Reading(activity(days_back([5, 6, 7])), NOON, Health.SERVER_ERROR, "HTTP 500", 2),
        today=Reading(Today(day, names, True, {"Vendor": Spend(Decimal(1))}, NOON), NOON, Health.OK),
        yesterday=Reading(Today(day - timedelta(days=1), names), NOON, Health.OK),
        keys=Reading(KEYS, NOON, Health.OK),
        key_days=Reading(
            {day - timedelta(days=1): {"ci 0e6f44": Spend(Decimal(2)), "laptop": Spend(Decimal(1))}}, NOON, Health.OK
        ),
        window=Reading(Window(NOON - timedelta(days=1), NOON, names), NOON, Health.OK),
        free_quota=Reading(FreeQuota(50, 60, -10), NOON, Health.OK),
        hours=Reading(HourlySpend(NOON, {NOON - timedelta(hours=back): Decimal(back) for back in (1, 2, 3)}), NOON, Health.OK),
        samples=day_of_samples(4),
        next_poll_at=NOON + timedelta(minutes=15),
        polls=7,
        server_skew_s=0.4,
    )


def encode(
    snapshot: Snapshot,
    masks: bool = False,
    now: datetime = NOON,
    mono_s: float = NOON.timestamp(),
    summary: SummaryPart = SUMMARY,
) -> bytes:
    return SnapshotEncoder("a" * 16, NOON - timedelta(hours=3), "0.1", "alpha").encode(snapshot, summary, masks, now, mono_s)


def received(payload: bytes, now: datetime = NOON, mono_s: float = 500.0, age_s: float = 0.0) -> Snapshot:
    message = decode_message(payload)
    assert not isinstance(message, RefusedMessage), message
    return to_snapshot(message, Receipt("team", NOON, now, mono_s, age_s, 3))


def test_everything_that_tiles_read_arrives():
    sent = whole()
    got = received(encode(sent))
    for name in ("credits", "activity", "today", "yesterday", "window", "hours", "free_quota", "interval_s", "health"):
        assert getattr(got, name) == getattr(sent, name), name
    readings = [(each.at, rounded(each.total_usage_usd)) for each in sent.samples]
    assert [(each.at, each.total_usage_usd) for each in got.samples] == readings
    assert [replace(key, hash="", name="") for key in got.keys.value or ()] == [replace(key, hash="", name="") for key in KEYS]
    assert got.key_hint is None
    assert got.origin == Origin("alpha", NOON - timedelta(hours=3))
    for period in ("today", "7d", "30d", "month"):
        before, after = used_usd(sent, period, NOON).usd, used_usd(got, period, NOON).usd
        assert before is not None
        assert after is not None
        assert rounded(before) == pytest.approx(after, abs=Decimal("1e-8"))


OWN = (UNKNOWN, NOTHING, Amount(Decimal("0.5")), Amount(Decimal("0.25"), lower_bound=True))


def with_own_keys(sent: Snapshot) -> Snapshot:
    """Return the snapshot with own-key cost: of some names unknown, of an older day unknown of all, of the oldest none."""
    days = [NOON.date() - timedelta(days=back) for back in (1, 2, 3)]
    mixed = {f"v/{number}": Spend(Decimal(1), 1, 1, byok) for number, byok in enumerate(OWN)}
    unknown, none = ({"v/a": Spend(Decimal(2), 1, 1, byok)} for byok in (UNKNOWN, NOTHING))
    spent = dict(zip(days, (mixed, unknown, none), strict=True))
    today = Today(NOON.date(), mixed, by_provider=none)
    return replace(sent, activity=Reading(Activity(spent, spent), NOON, Health.OK), today=Reading(today, NOON, Health.OK))


def test_own_key_cost_arrives_with_what_is_unknown_of_it():
    sent = with_own_keys(whole())
    keys = (replace(KEYS[0], byok_usd=Decimal(9), byok_today_usd=Decimal(1)), KEYS[1])
    sent = replace(sent, keys=Reading(keys, NOON, Health.OK))
    got = received(encode(sent))
    assert (got.activity, got.today) == (sent.activity, sent.today)
    assert [(key.byok_usd, key.byok_today_usd, key.byok_week_usd) for key in got.keys.value or ()] == [
        (9, 1, None),
        (None,) * 3,
    ]
    for options in ({"byok": "apart"}, {"byok": "apart", "period": "7d"}):
        tile = TileConfig("top-models", options=FrozenMap(options))
        texts = [
            view_of(tile, TileInputs({"default": replace(each, account="default")}), NOON, 0)[0].text for each in (sent, got)
        ]
        assert texts[0] == texts[1]
        assert "own key" in texts[0]
    masked = received(encode(sent, masks=True))
    assert {spend.byok for spend in masked.today.value.by_model.values()} == set(OWN)  # type: ignore[union-attr]


def test_own_key_cost_of_api_keys_by_day_arrives_under_their_names():
    days = [NOON.date() - timedelta(days=back) for back in (1, 2)]
    costs = [Amount(Decimal("0.5")), Amount(Decimal(3), lower_bound=True)]
    spent = {
        day: {"ci 0e6f44": Spend(Decimal(2), byok=byok), "laptop": Spend(Decimal(1))}
        for day, byok in zip(days, costs, strict=True)
    }
    sent = replace(whole(), key_days=Reading(spent, NOON, Health.OK))
    for masks, names in ((False, {"ci 1", "laptop"}), (True, {"key 1", "key 2"})):
        got = received(encode(sent, masks=masks))
        assert {key.name for key in got.keys.value or ()} == names
        rows = [got.key_days.value[day] for day in days]  # type: ignore[index]
        assert [row.keys() for row in rows] == [names] * 2
        assert [[spend.byok for spend in row.values()] for row in rows] == [[byok, UNKNOWN] for byok in costs]


def test_a_quota_that_is_not_published_is_no_wait_without_end():
    got = received(encode(replace(whole(), free_quota=Reading())))
    assert got.free_quota == Reading()
    tile = TileConfig("free-quota", account="team")
    view, _ = view_of(tile, TileInputs({"team": got}), NOON, 0)
    assert view.text == "Free left: Not published"
    broken = replace(got, health=Health.OFFLINE)
    assert "Offline" in view_of(tile, TileInputs({"team": broken}), NOON + timedelta(minutes=2), 0)[0].text


def test_own_key_cost_of_an_older_publisher_is_unknown():
    message = json.loads(encode(with_own_keys(whole())))
    del message["byok_key_days"]
    for part in (message["activity"], message["today"]):
        part["value"] = {name: value for name, value in part["value"].items() if not name.startswith("byok")}
    got = received(json.dumps(message).encode())
    names = [*got.activity.value.by_model.values(), *got.key_days.value.values(), got.today.value.by_model]  # type: ignore[union-attr]
    assert {spend.byok for each in names for spend in each.values()} == {UNKNOWN}
    assert got.today.value.usd == 4  # type: ignore[union-attr]


def test_monotonic_times_continue_on_the_clock_of_the_desk():
    got = received(encode(whole()), mono_s=500.0, age_s=60.0)
    assert got.samples[-1].mono_s == pytest.approx(440.0)
    assert got.samples[-1].mono_s - got.samples[0].mono_s == pytest.approx(86400.0)


@pytest.mark.parametrize("masks", [False, True])
def test_no_key_and_no_hash_of_a_key_is_in_a_message(masks: bool):
    sent = replace(whole(), message="sk-or-v1-0123456789abcdef0123456789abcdef refused")
    text = encode(sent, masks).decode()
    for secret in ("sk-or-v1", "1c96", *(part for key in KEYS for part in (key.hash, key.hash[:6]))):
        assert secret not in text


def test_names_are_numbers_while_privacy_is_on_and_sums_stay():
    encoder = SnapshotEncoder("a" * 16, NOON, "0.1", "alpha")
    texts = [encoder.encode(whole(), SUMMARY, True, NOON, 0.0).decode() for _ in range(2)]
    for name in ("model-a", "Vendor", "laptop", "ci", "Research", "alpha", "HTTP 500"):
        assert f'"{name}' not in texts[0]
        assert f"/{name}" not in texts[0]
    got = received(texts[1].encode())
    assert got.origin is not None
    assert got.origin.masked
    assert [key.name for key in got.keys.value or ()] == ["key 1", "key 2"]
    assert set(got.key_days.value[NOON.date() - timedelta(days=1)]) == {"key 1", "key 2"}  # type: ignore[index]
    assert set(got.today.value.by_model) == {"model 1"}  # type: ignore[union-attr]
    assert used_usd(got, "30d", NOON) == used_usd(received(encode(whole())), "30d", NOON)


@pytest.mark.parametrize("wrong", [timedelta(days=1), timedelta(days=-1), timedelta(seconds=50)])
def test_a_desk_whose_clock_is_wrong_shows_the_right_age_and_day(wrong: timedelta):
    """By the time of sending and what the broker reports, not by the clock of the desk."""
    desk_now = NOON + timedelta(minutes=10) + wrong
    got = received(encode(whole()), desk_now, age_s=600.0)
    assert utc_now(got, desk_now) == NOON + timedelta(minutes=10)
    assert got.next_poll_at == desk_now + timedelta(minutes=5)


def test_a_publisher_whose_clock_is_wrong_sends_the_time_of_openrouter():
    sent = replace(whole(), server_skew_s=-86400.0)
    got = received(encode(sent, now=NOON + timedelta(days=1)))
    assert utc_now(got, NOON) == NOON
    assert got.origin is not None
    assert got.origin.started_at == NOON - timedelta(hours=3) - timedelta(days=1)


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(encode(whole())), **values}).encode()


@pytest.mark.parametrize(
    ("payload", "problem", "words"),
    [
        (b"21.5", OriginProblem.FOREIGN, "another program"),
        (b'{"temperature": 21.5}', OriginProblem.FOREIGN, "another program"),
        (b"\xff\xfe\x00", OriginProblem.FOREIGN, "another program"),
        (b"[" * 100_000, OriginProblem.FOREIGN, "another program"),
        (b'{"format": ' + b'{"a":' * 50_000, OriginProblem.FOREIGN, "another program"),
        (b"x" * (3 * 1024 * 1024), OriginProblem.FOREIGN, "larger than 2 MiB"),
        (changed(schema=SCHEMA + 1, credits="of another shape"), OriginProblem.NEWER, "update openbalance-hid here"),
        (changed(schema=0), OriginProblem.OLDER, "update openbalance-hid there"),
        (changed(schema="1"), OriginProblem.FOREIGN, "another program"),
        (changed(credits=None), OriginProblem.FOREIGN, "cannot be read"),
        (changed(interval_s=0), OriginProblem.FOREIGN, "cannot be read"),
        (changed(interval_s=1e-300), OriginProblem.FOREIGN, "cannot be read"),
        (changed(sent_at="9999-12-31T23:59:59Z"), OriginProblem.FOREIGN, "impossible time"),
        (changed(sent_at="0001-01-01T00:00:00+14:00"), OriginProblem.FOREIGN, ""),
        (changed(sent_at="2026-11-22T12:00:00"), OriginProblem.FOREIGN, "cannot be read"),
        (changed(samples=[[1e300, 0, "1", "1"]]), OriginProblem.FOREIGN, "cannot be read"),
        (changed(samples=[[2e9, 0, "1", "1"]]), OriginProblem.FOREIGN, "impossible time"),
        (changed(samples=[[1.7e9, 0, "1e999999999", "1"]]), OriginProblem.FOREIGN, "cannot be read"),
        (changed(budget_usd="NaN"), OriginProblem.FOREIGN, "cannot be read"),
        (changed(budget_usd="1" * 50), OriginProblem.FOREIGN, "cannot be read"),
        (changed(health="fine"), OriginProblem.FOREIGN, "cannot be read"),
    ],
)
def test_what_is_no_snapshot_is_refused_in_words(payload: bytes, problem: OriginProblem, words: str):
    refused = decode_message(payload)
    assert isinstance(refused, RefusedMessage)
    assert refused.problem is problem
    assert words in refused.words
    assert refused.words.isprintable()
    assert len(refused.words) < 300


def test_a_field_that_this_version_does_not_know_is_ignored():
    assert received(changed(later={"more": 1})).credits == whole().credits


def test_names_that_would_move_a_cursor_or_hide_arrive_without_that():
    text = (
        encode(whole())
        .decode()
        .replace("v/model-a", "\\u001b[2J\\u202ev/\\u0000model\\u200b")
        .replace("laptop", "sk-or-v1-abcdef")
    )
    got = received(text.encode())
    assert set(got.today.value.by_model) == {"[2Jv/model"}  # type: ignore[union-attr]
    assert [key.name for key in got.keys.value or ()][1] == "sk-or-…"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30)
    | st.sampled_from(["-1", "999999999999999.999999999", "2015-01-01", "2026-11-23", "2026-11-22T12:00:00Z", "0.000000001"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(each for key, inner in value.items() for each in leaves(inner, (*path, key)))]
    if isinstance(value, list):
        return [path, *(each for index, inner in enumerate(value[:3]) for each in leaves(inner, (*path, index)))]
    return [path]


VALID = json.loads(encode(whole()))
PATHS = [path for path in leaves(VALID) if path]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON_VALUES), min_size=1, max_size=4))
def test_a_malicious_publisher_shows_wrong_numbers_and_nothing_else(changes: list[tuple[tuple[Any, ...], Any]]):
    found = json.loads(json.dumps(VALID))
    for path, value in changes:
        inner = found
        try:
            for part in path[:-1]:
                inner = inner[part]
            inner[path[-1]] = value
        except (KeyError, IndexError, TypeError):  # an earlier change has replaced it
            continue
    message = decode_message(json.dumps(found).encode())
    if isinstance(message, RefusedMessage):
        return
    snapshot = to_snapshot(message, Receipt("team", NOON, NOON, 0.0))
    inputs = TileInputs({"team": snapshot})
    for name, kind in TILES.items():
        view, error = view_of(TileConfig(name, "team", options=FrozenMap(kind.defaults())), inputs, NOON, 0)
        assert error is None, (name, error)
        assert view.text.isprintable()
    summary_of(snapshot, (SpikeRule(),), {}, NOON)


def test_two_years_of_samples_and_many_models_fit_into_a_message():
    day = NOON.date()
    many = {
        day - timedelta(days=age): {f"vendor/model-{n}": Spend(Decimal("1.23456789"), 9, 9) for n in range(60)}
        for age in range(1, 36)
    }
    samples = tuple(Sample(NOON - timedelta(minutes=n), -60.0 * n, Decimal(1000), Decimal(500)) for n in range(5999, -1, -1))
    sent = replace(whole(), activity=Reading(Activity(many, many), NOON, Health.OK), samples=samples)
    payload = encode(sent)
    assert len(payload) < 1024 * 1024
    assert received(payload).activity == sent.activity
