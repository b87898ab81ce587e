from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openbalance_hid.account.snapshot import Activity, Credits, FreeQuota, Spend, Today
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.activity import to_activity
from openbalance_hid.openrouter.list_replies import (
    ModelNames,
    Workspace,
    to_keys,
    to_models,
    to_workspaces,
    with_unique_names,
)
from openbalance_hid.openrouter.replies import KeyInfo, error_message, to_credits, to_key_info, to_today, to_window
from tests.build import NOON

DAY = date(2026, 11, 24)


def credits_body(text: str) -> bytes:
    return f'{{"data":{{"total_credits":{text},"total_usage":1}}}}'.encode()


# --- money --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("100.123456789", "100.123456789"),
        ("0.1", "0.1"),
        ("1e-9", "0.000000001"),
        ("1.5E2", "150"),
        ("-2.40", "-2.40"),
        ('"25.75"', "25.75"),
        ("999999999999.123456789", "999999999999.123456789"),
        ("1e-999999999", "0"),
    ],
)
def test_amounts_are_exact_to_the_last_digit_of_the_text(text: str, amount: str) -> None:
    assert to_credits(credits_body(text)).total_credits_usd == Decimal(amount)


@given(st.decimals(-(10**12), 10**12, allow_nan=False, places=9))
def test_nine_decimals_survive_as_number_and_as_text(amount: Decimal) -> None:
    assert to_credits(credits_body(f"{amount:f}")).total_credits_usd == amount
    assert to_credits(credits_body(f'"{amount:f}"')).total_credits_usd == amount


@pytest.mark.parametrize(
    "text",
    ["1e999999999", '"1e999999999"', "1e15", '"NaN"', '"sNaN"', '"Infinity"', "NaN", "true", "[]", "{}", '""', '"ten"', "null"],
)
def test_an_unusable_amount_fails_the_reply(text: str) -> None:
    with pytest.raises(ServerError):
        to_credits(credits_body(text))


def test_a_number_of_a_hundred_thousand_digits_does_no_harm() -> None:
    assert to_credits(credits_body("0." + "1" * 100_000)).total_credits_usd < 1
    with pytest.raises(ServerError):
        to_credits(credits_body("9" * 100_000))


@pytest.mark.parametrize(
    "body", [b'{"data":{"total_credits":1}}', b'{"data":null}', b"{}", b"[]", b"null", b"", b"{", b"\xff\xfe"]
)
def test_a_reply_without_the_amounts_is_a_server_error(body: bytes) -> None:
    with pytest.raises(ServerError):
        to_credits(body)


def test_unknown_fields_are_ignored() -> None:
    body = b'{"data":{"total_credits":2,"total_usage":1,"new":{"x":[1]}},"meta":null}'
    assert to_credits(body) == Credits(Decimal(2), Decimal(1))


# --- /analytics/query and /key -------------------------------------------------------------------------------------------


def test_analytics_rows_may_have_counts_as_text_and_amounts_as_null() -> None:
    rows = [{"model": "GPT-5", "credits_usage": 1.25, "request_count": "1523"}, {"model": "Llama", "credits_usage": None}]
    body = msgspec.json.encode({"data": {"data": rows, "metadata": {"truncated": True}, "cachedAt": "?"}})
    expected = Today(DAY, {"GPT-5": Spend(Decimal("1.25"), 1523), "Llama": Spend()}, truncated=True)
    assert to_today(body, DAY).value == expected
    assert not to_today(b'{"data":{"data":[]}}', DAY).value.truncated


def test_today_is_added_up_by_model_and_by_provider_with_tokens() -> None:
    rows = [
        {"model": "A", "provider": "P", "credits_usage": 1, "request_count": "2", "tokens_total": "30"},
        {"model": "A", "provider": "Q", "credits_usage": 2, "request_count": 4, "tokens_total": None},
        {"model": "B", "provider": "P", "credits_usage": 4, "request_count": 8, "tokens_total": 500},
    ]
    answer = {"data": rows, "cachedAt": "2026-11-24T11:15:00Z"}
    today = to_today(msgspec.json.encode({"data": answer}), DAY).value
    assert today.by_model == {"A": Spend(Decimal(3), 6, 30), "B": Spend(Decimal(4), 8, 500)}
    assert today.by_provider == {"P": Spend(Decimal(5), 10, 530), "Q": Spend(Decimal(2), 4)}
    assert today.cached_at == datetime(2026, 11, 24, 11, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "own"),
    [
        ({"credits_usage": 1, "total_usage": "1.25"}, "0.25"),
        ({"credits_usage": None, "total_usage": 0.046}, "0.046"),
        ({"credits_usage": 1, "total_usage": 1}, "0"),
        ({"credits_usage": None, "total_usage": None}, "0"),
        ({"credits_usage": 0.1000001, "total_usage": 0.1}, "0"),
        ({"credits_usage": 1, "total_usage": None}, None),
        ({"credits_usage": 2, "total_usage": 1}, None),
        ({"credits_usage": 2, "total_usage": "x"}, None),
        ({"credits_usage": 2, "total_usage": "sNaN"}, None),
        ({"credits_usage": 2, "total_usage": "1e99"}, None),
        ({"credits_usage": 2}, None),
    ],
)
def test_own_key_cost_of_today_is_what_the_total_has_beyond_credits(row: dict[str, object], own: str | None) -> None:
    spend = to_today(msgspec.json.encode({"data": {"data": [{"model": "A", **row}]}}), DAY).value.by_model["A"]
    assert spend.byok.usd == (None if own is None else Decimal(own))
    assert spend.usd == Decimal(str(row["credits_usage"] or 0)), "the amount of credits does not depend on it"


def test_own_key_counters_of_a_key_are_read_beside_its_spend() -> None:
    row = {"hash": "ab", "name": "ci", "usage": 5, "byok_usage": "9.5", "byok_usage_daily": None, "byok_usage_weekly": []}
    (key,) = to_keys(msgspec.json.encode({"data": [row]}), NOON).value
    assert (key.total_usd, key.byok_usd, key.byok_today_usd, key.byok_week_usd, key.byok_month_usd) == (
        *(Decimal(5), Decimal("9.5"), Decimal(0)),
        *(None, None),
    )


@pytest.mark.parametrize(("usd", "own", "spent", "own_spent"), [(3, (3, 4), 3, 0), (0, (1, 2), 0, 3), (0, (1, 1), 0, 1)])
def test_a_row_that_comes_twice_counts_once_unless_only_own_key_cost_differs(
    usd: int, own: tuple[int, int], spent: int, own_spent: int
) -> None:
    rows = [{"model": "A", "provider": "P", "credits_usage": usd, "total_usage": total} for total in own]
    today = to_today(msgspec.json.encode({"data": {"data": rows}}), DAY).value
    assert (today.usd, today.by_model["A"].byok.usd) == (spent, own_spent)


def test_two_providers_with_equal_amounts_are_not_a_repetition() -> None:
    rows = [{"model": "A", "provider": name, "credits_usage": 1, "request_count": 1} for name in ("P", "Q")]
    assert to_today(msgspec.json.encode({"data": {"data": rows}}), DAY).value.usd == 2


@pytest.mark.parametrize(
    "bad", [None, 5, {}, {"model": "M"}, {"model": "M", "credits_usage": "x"}, {"model": [], "credits_usage": 1}]
)
def test_a_bad_row_of_analytics_costs_that_row_and_marks_the_sum(bad: object) -> None:
    body = msgspec.json.encode({"data": {"data": [{"model": "A", "credits_usage": 2}, bad]}})
    today, window = to_today(body, DAY), to_window(body, NOON, NOON)
    assert (today.value.usd, today.value.truncated, today.dropped) == (2, True, 1)
    assert (window.value.by_model, window.value.truncated, window.dropped) == ({"A": Spend(Decimal(2))}, True, 1)
    with pytest.raises(ServerError):
        to_today(msgspec.json.encode({"data": {"data": [bad]}}), DAY)


@pytest.mark.parametrize(
    "bad", [None, "x", {"name": "no hash"}, {"hash": "h"}, {"hash": "h", "usage": {}}, {"hash": 1, "usage": 1}]
)
def test_a_bad_row_of_keys_costs_that_key_alone(bad: object) -> None:
    rows = to_keys(msgspec.json.encode({"data": [{"hash": "a", "name": "n", "usage": None}, bad]}), NOON)
    assert [(key.name, key.total_usd) for key in rows.value] == [("n", 0)]
    assert rows.dropped == 1


def test_a_bad_row_of_workspaces_or_models_costs_that_row_alone() -> None:
    spaces = to_workspaces(b'{"data":[{"id":"w","name":null,"slug":"lab"},{"name":"x"},7],"total_count":3}')
    assert (spaces.value, spaces.dropped, spaces.total) == ((Workspace("w", "lab"),), 2, 3)
    models = to_models(b'{"data":[{"id":"a/m","name":"A: M","canonical_slug":"a/m-2026"},{"id":null},{"id":"a/n"}]}')
    assert models.value == (ModelNames("a/m", "A: M", "a/m-2026"), ModelNames("a/n", "a/n", "a/n"))
    assert models.dropped == 1


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"name": "prod"}, "prod"),
        ({"name": None, "label": "sk-or-v1-0e6...1c96"}, "key …1c96"),
        ({"name": "", "label": "sk-or-v1-0e6…1c96"}, "key …1c96"),
        ({"name": "sk-or-v1-0e6...1c96", "label": "x"}, "key …1c96"),
        ({"name": " "}, "key abcdef"),
        ({}, "key abcdef"),
    ],
)
def test_a_key_without_a_name_is_shown_by_the_end_of_its_label(row: dict[str, object], name: str) -> None:
    (key,) = to_keys(msgspec.json.encode({"data": [{"hash": "abcdef01", "usage": 1} | row]}), NOON).value
    assert key.name == name


def test_keys_have_workspace_last_use_and_expiry() -> None:
    row = {"hash": "h", "name": "n", "usage": 1, "last_used_at": "2026-11-22T11:53:00Z", "expires_at": "2026-11-01T00:00:00Z"}
    (key,) = to_keys(msgspec.json.encode({"data": [row]}), NOON, "Research").value
    assert (key.workspace, key.expired, key.disabled, key.given_name) == ("Research", True, True, "n")
    assert key.last_used_at == NOON - timedelta(minutes=7)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "1e9", ""])
def test_an_instant_that_cannot_be_is_none(text: str) -> None:
    row = {"hash": "h", "name": "n", "usage": 1, "last_used_at": text, "expires_at": text}
    (key,) = to_keys(msgspec.json.encode({"data": [row]}), NOON).value
    assert (key.last_used_at, key.expired) == (None, text.startswith("0001"))


def test_keys_of_one_name_stay_apart_even_where_their_hashes_start_alike() -> None:
    rows = [{"hash": f"{number:064x}", "name": "prod", "usage": 1} for number in range(3)]
    keys = with_unique_names(to_keys(msgspec.json.encode({"data": rows}), NOON).value)
    assert len({key.name for key in keys}) == 3
    assert {key.given_name for key in keys} == {"prod"}


@pytest.mark.parametrize(
    ("expires", "over"),
    [
        (None, False),
        ("2026-11-22T12:00:00Z", True),
        ("2026-11-22T12:00:01+00:00", False),
        ("2026-11-22T13:59:00.5+02:00", True),
        ("2026-11-22", True),
        ("0001-01-01T00:00:00+14:00", True),
        ("9999-12-31T23:59:59-14:00", False),
        ("soon", False),
        (0, False),
        ({}, False),
    ],
)
def test_an_expired_key_is_disabled(expires: object, over: bool) -> None:
    row = {"hash": "h", "name": "n", "usage": 1, "usage_daily": 1, "disabled": False, "expires_at": expires}
    (key,) = to_keys(msgspec.json.encode({"data": [row]}), NOON).value
    assert (key.disabled, key.expired, key.today_usd) == (over, over, 1)


def test_a_repeated_row_of_analytics_is_counted_once() -> None:
    rows = [{"model": "M", "credits_usage": 2, "request_count": "1"}] * 2 + [{"model": "M", "credits_usage": 3}]
    assert to_today(msgspec.json.encode({"data": {"data": rows}}), DAY).value.usd == 5


@pytest.mark.parametrize(
    ("body", "info"),
    [
        (b'{"data":{"is_management_key":true,"label":"x\\u0007","usage":0}}', KeyInfo(True, "x")),
        (b'{"data":{"is_management_key":false}}', KeyInfo(False, "")),
        (b'{"data":{}}', KeyInfo(None, "")),
    ],
)
def test_the_kind_of_key_is_the_servers_or_unknown(body: bytes, info: KeyInfo) -> None:
    assert to_key_info(body) == info


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ({"limit": 50, "used": 13, "remaining": 37}, FreeQuota(50, 13, 37)),
        ({"limit": "50", "used": 13.0, "remaining": -2, "new": 1}, FreeQuota(50, 13, -2)),
        ({"limit": None, "used": 3}, FreeQuota(None, 3)),
        (None, FreeQuota()),
        ({"limit": "many"}, FreeQuota()),
        ({"limit": 10**30}, FreeQuota()),
        ([1, 2], FreeQuota()),
        ("50", FreeQuota()),
    ],
)
def test_a_quota_in_an_unknown_form_is_unknown_and_costs_not_the_kind_of_key(quota: object, expected: FreeQuota) -> None:
    body = msgspec.json.encode({"data": {"is_management_key": True, "free_model_daily_requests": quota}})
    assert to_key_info(body) == KeyInfo(True, "", expected)


# --- messages about bad replies --------------------------------------------------------------------------------------------


def test_an_error_message_is_one_short_printable_line_without_keys() -> None:
    body = msgspec.json.encode({"error": {"code": 401, "message": "bad\nkey sk-or-v1-0123abcd\x1b[2J " + "x" * 900}})
    message = error_message(body)
    assert message.startswith("bad key sk-or-… [2J xxx")
    assert len(message) == 200
    assert message.isprintable()
    assert error_message(b'{"error":"plain"}') == "plain"
    assert error_message(b"<html>") == ""


def test_a_bad_reply_is_quoted_in_a_short_printable_form() -> None:
    with pytest.raises(ServerError) as caught:
        to_credits(b"\x1b[31m sk-or-v1-0123abcd \r\n" + b"y" * 5000)
    assert "0123abcd" not in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 150


def test_a_web_page_is_reported_as_one() -> None:
    with pytest.raises(ServerError, match="web page"):
        to_credits(b"\n <!DOCTYPE html><html>")


def test_an_error_under_status_200_is_shown() -> None:
    with pytest.raises(ServerError, match="upstream is down"):
        to_activity(b'{"error":{"code":502,"message":"upstream is down"}}', DAY)


# --- whatever comes -----------------------------------------------------------------------------------------------------

READERS = [to_credits, lambda body: to_activity(body, DAY).value, to_key_info, lambda body: to_today(body, DAY).value]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
FIELDS = st.sampled_from(
    [
        "data",
        "date",
        "model",
        "usage",
        "requests",
        "prompt_tokens",
        "total_credits",
        "total_usage",
        "credits_usage",
        "request_count",
        "label",
        "metadata",
        "truncated",
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=25,
)


def money_in(value: object) -> list[Decimal]:
    match value:
        case Credits():
            return [value.total_credits_usd, value.total_usage_usd]
        case Activity():
            return [spend.usd for day in value.by_model.values() for spend in day.values()]
        case Today():
            return [value.usd]
        case _:
            return []


@given(st.binary(max_size=200) | JSON.map(msgspec.json.encode) | JSON.map(lambda inner: msgspec.json.encode({"data": inner})))
@example(b'{"data":' + b"[" * 20_000)
@example(b'{"other":' + b"[" * 20_000 + b"]" * 20_000 + b"}")
def test_any_reply_is_a_finite_value_or_a_server_error(body: bytes) -> None:
    for read in READERS:
        try:
            assert all(amount.is_finite() for amount in money_in(read(body)))
        except ServerError as error:
            assert error.message.isprintable()
    assert error_message(body) is not None
