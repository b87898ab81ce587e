"""A large reply of `/activity`: read in pieces while it arrives, and one that is too large is requested once a day."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.activity import ActivityReader, to_activity
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_reply import SampleReply
from tests.openrouter.stage import INTERVAL_S, Stage
from tests.openrouter.virtual import VirtualClock

TODAY = date(2026, 6, 13)
DAY = TODAY - timedelta(days=1)
ROW = {"date": f"{DAY} 00:00:00", "model": "v/m", "endpoint_id": "e1", "provider_name": "P", "usage": 1.5, "requests": 2}
AWKWARD = [
    ROW,
    ROW | {"endpoint_id": "e2", "model": "},{"},
    ROW | {"endpoint_id": "e3", "model": '"}],"data":[{"'},
    ROW | {"endpoint_id": "e4", "more": {"nested": [{"usage": 9}, {}]}},
    ROW,  # repeated
    ROW | {"endpoint_id": "e5", "usage": "2.5"},
    ROW | {"endpoint_id": "e6", "usage": None},
    5,
    {"usage": 1},
    ROW | {"endpoint_id": "e7", "model": "é🦜\\"},
    ROW | {"endpoint_id": "e8", "usage": "NaN"},
    ROW | {"endpoint_id": "e9", "date": "2062-01-01"},
]
LIMITS = HttpLimits(activity_bytes=64 * 1024)


def pieces(body: bytes, length: int) -> Iterator[bytes]:
    yield from (body[start : start + length] for start in range(0, len(body), length))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,\n ", "\t:  ")])
@pytest.mark.parametrize("length", [1, 2, 3, 7, 40, 300, 100_000])
def test_it_does_not_matter_where_the_pieces_end(length: int, separators: tuple[str, str]) -> None:
    for before, after in (({}, {}), ({"success": True, "count": 12, "note": "x"}, {"total": 3, "more": [{}]})):
        body = json.dumps({**before, "data": AWKWARD, **after}, separators=separators, ensure_ascii=False).encode()
        reader = ActivityReader()
        for piece in pieces(body, length):
            reader.feed(piece)
        read = reader.finish(TODAY)
        sums = read.value.by_model[DAY]
        assert {name: (spend.usd, spend.requests) for name, spend in sums.items()} == {
            "v/m": (Decimal("5.5"), 8),
            "},{": (Decimal("1.5"), 2),
            '"}],"data":[{"': (Decimal("1.5"), 2),
            "é🦜\\": (Decimal("1.5"), 2),
        }
        assert sum((spend.usd for spend in read.value.by_provider[DAY].values()), Decimal(0)) == 10
        assert read.dropped == 4


@pytest.mark.parametrize("end", range(1, 40, 3))
def test_a_reply_that_breaks_off_is_an_error(end: int) -> None:
    body = json.dumps({"data": AWKWARD[:4]}).encode()
    with pytest.raises(ServerError, match="not JSON"):
        to_activity(body[:-end], TODAY)


@pytest.mark.parametrize(
    "body", [b'{"data":[' + b"x" * 6_000_000, b'{"data":["' + b"}" * 6_000_000, b"<html>" + b" " * 6_000_000, b"[" * 6_000_000]
)
def test_what_is_no_list_of_rows_is_refused_before_its_end(body: bytes) -> None:
    reader = ActivityReader()
    with pytest.raises(ServerError):
        for piece in pieces(body, 65_536):
            reader.feed(piece)


def test_a_row_with_three_names_of_a_megabyte_costs_no_other_row() -> None:
    long = dict.fromkeys(("model", "model_permaslug", "provider_name"), "x}" * 500_000)
    body = json.dumps({"data": [ROW, ROW | long | {"endpoint_id": "long"}, ROW | {"endpoint_id": "other"}]}).encode()
    spent = to_activity(body, TODAY).value.by_model[DAY]
    assert spent[ROW["model"]].requests == 2 * ROW["requests"]
    assert len(spent) == 2


@pytest.mark.parametrize("usage", ["sNaN", "NaN", "-Infinity", "1e15", "-1e400"])
def test_an_amount_that_is_none_leaves_out_its_row_alone_and_makes_no_zero(usage: str) -> None:
    bad = ROW | {"usage": usage, "model": "v/bad"}
    for rows in ([bad, ROW, bad], [ROW, bad, bad], [ROW, ROW | {"usage": usage}, ROW | {"usage": usage}]):
        read = to_activity(json.dumps({"data": rows}).encode(), TODAY)
        assert {name: spend.usd for name, spend in read.value.by_model[DAY].items()} == {"v/m": Decimal("1.5")}
        assert {name: spend.usd for name, spend in read.value.by_provider[DAY].items()} == {"P": Decimal("1.5")}
        assert read.dropped == 2


def test_a_reply_of_rows_that_cannot_be_read_is_refused_before_its_end() -> None:
    reader = ActivityReader()
    reader.feed(b'{"data":[')
    with pytest.raises(ServerError, match="more than 200,000 rows"):
        for _ in range(40):
            reader.feed(b'{"a":1},' * 8192)


def test_the_memory_does_not_grow_with_the_length_of_the_rows() -> None:
    def body() -> Iterator[bytes]:
        yield b'{"data":['
        for number in range(4_000):
            row = ROW | {"endpoint_id": f"e{number}", "model": f"v/m{number % 50}", "padding": "x" * 2000}
            yield (b"," if number else b"") + json.dumps(row).encode()
        yield b"]}"

    tracemalloc.start()
    try:
        reader, received = ActivityReader(), 0
        for piece in body():
            reader.feed(piece)
            received += len(piece)
        total = sum((spend.requests for spend in reader.finish(TODAY).value.by_model[DAY].values()), 0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 8_000
    assert peak < received / 3


class SmallStage(Stage):
    """A poller that takes no large answer."""

    def connect(self) -> Client:
        return Client(Secret(self.key), self.sample.url, limits=LIMITS, utc=self.clock.utc)


def test_an_answer_that_is_too_large_is_requested_once_a_day(sample: SampleAccount, clock: VirtualClock) -> None:
    rows = json.dumps({"data": [ROW | {"endpoint_id": f"e{number}"} for number in range(1000)]}).encode()
    sample.instead["/activity"] = SampleReply(200, rows)
    stage, cycles = SmallStage(sample, clock), []
    stage.poll()
    assert stage.now.activity.health is Health.SERVER_ERROR
    assert "more than 65536 bytes" in (stage.now.activity.message or "")
    assert stage.now.credits.health is Health.OK
    for cycle in range(24):
        cycles += [cycle] * stage.requested.count("/activity")
        assert stage.later(7200) > INTERVAL_S / 2, "no sooner than the interval"
        if cycle == 10:
            stage.poll(by_hand=True)
            assert "/activity" not in stage.requested, "also by hand"
    assert cycles == [0, 12]
    sample.instead.pop("/activity")
    clock.pass_(86_400.0)
    stage.poll()
    assert stage.now.activity.health in (Health.OK, Health.SERVER_ERROR)


def test_names_never_contain_a_part_of_the_key(sample: SampleAccount) -> None:
    row = ROW | {"date": "2026-11-23", "model": f"v/{sample.key}"}
    rows = [row | {"endpoint_id": f"e{number}"} for number in range(500)]
    sample.instead["/activity"] = SampleReply(200, json.dumps({"data": rows}).encode())
    with Client(Secret(sample.key), sample.url, utc=VirtualClock().utc) as client:
        read = client.activity()
    assert sample.key[10:40] not in repr(read)
    assert sum(each.requests for each in read.by_model[date(2026, 11, 23)].values()) == 1000
