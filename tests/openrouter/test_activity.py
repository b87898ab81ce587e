"""Completed days from `/activity`: exact, for every form of the rows and any other fields in them."""

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.snapshot import Activity, Spend
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.activity import to_activity as read_activity

TODAY = date(2026, 6, 20)


def to_activity(body: bytes) -> Activity:
    """Return an answer in which every row can be read."""
    rows = read_activity(body, TODAY)
    assert rows.dropped == 0
    return rows.value


def activity_body(**fields: object) -> bytes:
    row = {"date": "2026-06-12 00:00:00", "model": "openai/gpt-5", "provider_name": "OpenAI", "usage": 1}
    return msgspec.json.encode({"data": [row | fields]})


def test_the_rows_of_a_model_on_several_endpoints_are_one_sum() -> None:
    rows = [
        {"date": "2026-06-12 00:00:00", "model": "a/m", "provider_name": "P", "usage": 0.1, "requests": 2, "prompt_tokens": 10},
        {"date": "2026-06-12", "model": "a/m", "provider_name": "Q", "usage": 0.2, "requests": "3", "completion_tokens": 5},
        {"date": "2026-06-13 00:00:00", "model": "a/n", "provider_name": "P", "usage": 1, "byok_usage_inference": 9},
    ]
    twelfth, thirteenth = date(2026, 6, 12), date(2026, 6, 13)
    assert to_activity(msgspec.json.encode({"data": rows})) == Activity(
        by_model={
            twelfth: {"a/m": Spend(Decimal("0.3"), 5, 15)},
            thirteenth: {"a/n": Spend(Decimal(1), byok=Amount(Decimal(9)))},
        },
        by_provider={
            twelfth: {"P": Spend(Decimal("0.1"), 2, 10), "Q": Spend(Decimal("0.2"), 3, 5)},
            thirteenth: {"P": Spend(Decimal(1), byok=Amount(Decimal(9)))},
        },
    )


def test_reasoning_and_cached_tokens_are_parts_and_not_added() -> None:
    body = activity_body(prompt_tokens=10, completion_tokens=5, reasoning_tokens=70, cached_tokens=90)
    assert to_activity(body).by_model[date(2026, 6, 12)]["openai/gpt-5"].tokens == 15


def test_an_empty_list_of_rows_is_valid() -> None:
    assert to_activity(b'{"data":[]}').newest is None


@pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01", "2026-W02-1", "12/06/2026", "0001-01-01", "9999-12-31"])
def test_an_unreadable_date_fails_the_reply(day: str) -> None:
    with pytest.raises(ServerError, match="date"):
        to_activity(activity_body(date=day))


@pytest.mark.parametrize("fields", [{"usage": []}, {"usage": "1e99"}, {"requests": {}}, {"model": 7}, {"prompt_tokens": True}])
def test_a_field_of_a_wrong_type_fails_the_whole_reply(fields: dict[str, object]) -> None:
    with pytest.raises(ServerError):
        to_activity(activity_body(**fields))


def test_names_are_bounded_and_free_of_control_characters() -> None:
    body = activity_body(model="a/\x00\n\x1b[31m\u202e" + "é🦜" * 400, provider_name=None)
    activity = to_activity(body)
    (name,) = activity.by_model[date(2026, 6, 12)]
    assert name.startswith("a/[31mé🦜")
    assert len(name) == 300
    assert list(activity.by_provider[date(2026, 6, 12)]) == ["unknown"]


def test_a_repeated_row_is_counted_once() -> None:
    row = {"date": "2026-06-12", "model": "a/m", "endpoint_id": "e1", "provider_name": "P", "usage": 2, "requests": 1}
    sums = to_activity(msgspec.json.encode({"data": [row, row, row | {"endpoint_id": "e2"}]})).by_model
    assert sums == {date(2026, 6, 12): {"a/m": Spend(Decimal(4), 2)}}


def test_a_null_amount_is_nothing_charged() -> None:
    assert to_activity(activity_body(usage=None, requests=3)).by_model == {
        date(2026, 6, 12): {"openai/gpt-5": Spend(requests=3)}
    }


def test_names_never_contain_what_looks_like_a_key() -> None:
    body = activity_body(model=f"a/sk-or-v1-{'ab' * 32}", provider_name=f"P sk-or-v1-{'ab' * 32}")
    assert "abab" not in repr(to_activity(body))


def test_a_name_of_a_megabyte_is_cut_and_has_no_invisible_characters() -> None:
    (name,) = to_activity(activity_body(model="a/\u061c\u200b\u2066\ufeff\U000e0041m" + "x" * 1_000_000)).by_model[
        date(2026, 6, 12)
    ]
    assert name.startswith("a/mxxx")
    assert len(name) == 300


def test_different_rows_of_one_endpoint_all_count_once_each() -> None:
    row = {"date": "2026-06-12", "model": "a/m", "endpoint_id": "e1", "usage": 2}
    rows = [row, row | {"usage": 3}, row, row | {"usage": 3}, row | {"usage": 4, "model": "a/n"}]
    sums = to_activity(msgspec.json.encode({"data": rows})).by_model
    assert sums == {date(2026, 6, 12): {"a/m": Spend(Decimal(5)), "a/n": Spend(Decimal(4))}}


def test_rows_without_an_endpoint_are_never_repetitions() -> None:
    row = {"date": "2026-06-12", "model": "a/m", "endpoint_id": None, "usage": 2}
    assert to_activity(msgspec.json.encode({"data": [row, row]})).by_model[date(2026, 6, 12)]["a/m"].usd == 4


@pytest.mark.parametrize("field", ["requests", "prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("number", ["9" * 4000, "1e15", '"NaN"', '"1e999999999"'])
def test_a_count_out_of_bounds_fails_the_reply(field: str, number: str) -> None:
    with pytest.raises(ServerError):
        to_activity(f'{{"data":[{{"date":"2026-06-12","usage":1,"{field}":{number}}}]}}'.encode())


BAD_ROWS = [
    "5",
    "null",
    "[]",
    '{"usage":1}',
    '{"date":null,"usage":1}',
    '{"date":"yesterday","usage":1}',
    '{"date":"2062-06-12","usage":1}',
    '{"date":"2026-06-12"}',
    '{"date":"2026-06-12","usage":[]}',
    '{"date":"2026-06-12","usage":"NaN"}',
    '{"date":"2026-06-12","usage":1e99}',
    '{"date":"2026-06-12","usage":1,"requests":1e99}',
    '{"date":"2026-06-12","usage":1,"prompt_tokens":true}',
    '{"date":"2026-06-12","usage":1,"model":7}',
    '{"date":"2026-06-12","usage":1,"model":"\xff"}',
]


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_row_that_cannot_be_read_costs_that_row_alone(row: str) -> None:
    good = '{"date":"2026-06-12","usage":1.5,"model":"a/m"}'
    rows = read_activity(f'{{"data":[{good},{row},{good},{row}]}}'.encode("latin-1"), TODAY)
    assert rows.value.by_model == {date(2026, 6, 12): {"a/m": Spend(Decimal(3))}}
    assert rows.dropped == 2


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_reply_in_which_no_row_can_be_read_is_an_error(row: str) -> None:
    with pytest.raises(ServerError):
        read_activity(f'{{"data":[{row},{row}]}}'.encode("latin-1"), TODAY)


# --- against a reckoning of its own ---------------------------------------------------------------------------------------

COUNTS = st.integers(0, 10**9)
ROW = st.fixed_dictionaries(
    {
        "date": st.sampled_from(["2026-06-12", "2026-06-12 00:00:00", "2026-06-13T00:00:00Z"]),
        "usage": st.decimals(0, 10**6, places=9),
    },
    optional={
        "model": st.sampled_from(["a/m", "a/n"]) | st.none(),
        "model_permaslug": st.sampled_from(["a/m", "a/p"]),
        "endpoint_id": st.sampled_from(["e1", "e2", ""]) | st.none(),
        "provider_name": st.sampled_from(["P", "Q"]) | st.none(),
        "requests": COUNTS | COUNTS.map(str) | st.none(),
        "prompt_tokens": COUNTS | COUNTS.map(str) | COUNTS.map(lambda count: f"{count}.0"),
        "completion_tokens": COUNTS | st.none(),
        "reasoning_tokens": COUNTS,
        "novelty": st.just({"deep": [1, {}]}),
    },
)
NAMES = ("date", "model", "model_permaslug", "endpoint_id", "provider_name")
NUMBERS = ("usage", "requests", "prompt_tokens", "completion_tokens")


def written(row: dict[str, object], as_text: bool) -> str:
    """JSON with the amount as a number to the last digit, or as text."""
    usage = row["usage"]
    amount = f'"{usage:f}"' if as_text else f"{usage:f}"
    rest = {name: value for name, value in row.items() if name != "usage"}
    return json.dumps(rest).removesuffix("}") + f', "usage": {amount}}}'


def reckoned(rows: list[dict[str, object]], name_of: object) -> dict[date, dict[str, Spend]]:
    """The slow and simple way."""
    sums: dict[date, dict[str, Spend]] = defaultdict(dict)
    seen = []
    for row in rows:
        numbers = [Decimal(str(row.get(name) or 0)) for name in NUMBERS]
        what = [*(row.get(name) or "" for name in NAMES), *numbers]
        if row.get("endpoint_id") and what in seen:
            continue
        seen.append(what)
        usd, requests, prompt, completion = numbers
        day, name = date.fromisoformat(str(row["date"])[:10]), name_of(row) or "unknown"
        sums[day][name] = sums[day].get(name, Spend()) + Spend(usd, int(requests), int(prompt + completion))
    return dict(sums)


@given(rows=st.lists(ROW, max_size=25), again=st.lists(st.integers(0, 24), max_size=9), as_text=st.booleans())
def test_sums_equal_a_plain_addition_for_any_rows(rows, again, as_text):
    rows = [*rows, *(rows[index] for index in again if index < len(rows))]
    activity = to_activity(f'{{"data": [{", ".join(written(row, as_text) for row in rows)}]}}'.encode())
    assert activity.by_model == reckoned(rows, lambda row: row.get("model") or row.get("model_permaslug"))
    assert activity.by_provider == reckoned(rows, lambda row: row.get("provider_name"))


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        (b"0", "0"),
        (b"null", "0"),
        (b"0.000000001", "1e-9"),
        (b'"0.25"', "0.25"),
        (b"-1.5", "-1.5"),
        (b"99999999999999", "99999999999999"),
        (b"1e999999999", None),
        (b"1e15", None),
        (b"true", None),
        (b'"much"', None),
        (b'"sNaN"', None),
        (b'"-Infinity"', None),
        (b"[]", None),
    ],
)
def test_own_key_cost_is_a_sum_of_its_own_and_a_bad_one_costs_nothing_else(text: bytes, usd: str | None) -> None:
    body = (
        b'{"data":[{"date":"2026-06-12","model":"a/m","provider_name":"P","endpoint_id":"e","usage":2,"byok_usage_inference":'
        + text
    )
    other = b'},{"date":"2026-06-12","model":"a/n","provider_name":"P","usage":3,"byok_usage_inference":1}]}'
    read = to_activity(body + other)
    models, providers = read.by_model[date(2026, 6, 12)], read.by_provider[date(2026, 6, 12)]
    assert (models["a/m"].usd, models["a/n"].usd, providers["P"].usd) == (2, 3, 5)
    assert (models["a/m"].byok.usd, models["a/n"].byok.usd) == (None if usd is None else Decimal(usd), 1)
    assert providers["P"].byok.lower_bound == (usd is None)
    assert providers["P"].byok.usd == (Decimal(usd or 0) + 1).quantize(Decimal("1e-9"))


def test_rows_of_an_endpoint_that_differ_in_own_key_cost_alone_are_two_rows() -> None:
    row = {"date": "2026-06-12", "model": "a/m", "endpoint_id": "e1", "provider_name": "P", "usage": 0, "requests": 1}
    rows = [row | {"byok_usage_inference": usd} for usd in (2, 3, 3)]
    assert to_activity(msgspec.json.encode({"data": rows})).by_model[date(2026, 6, 12)]["a/m"].byok == Amount(Decimal(5))


@pytest.mark.parametrize("text", [b'"sNaN"', b'"NaN"', b'"Infinity"', b"1e400", b'"\xff"', b'"\xed\xa0\x80"'])
def test_own_key_cost_that_is_no_number_is_unknown_and_costs_no_row(text: bytes) -> None:
    row = b'{"date":"2026-06-12","model":"a/m","endpoint_id":"e","usage":0,"byok_usage_inference":' + text + b',"requests":1}'
    spend = to_activity(b'{"data":[' + row + b"," + row + b"]}").by_model[date(2026, 6, 12)]["a/m"]
    assert (spend.usd, spend.requests, spend.byok.usd) == (0, 1, None)
