"""Damaged replies of every endpoint: known values stay, accepted values were sent, and polling goes on."""

from __future__ import annotations

import json
import random
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.simulator.openrouter.sample_answers import json as sample_json
from tests.torture.altered_json import WRONG, dumped, put, spots
from tests.torture.amounts import amounts, amounts_in_parts
from tests.torture.fault_proxy import Answer, cut, reset, stall
from tests.torture.figures import Figures
from tests.torture.oracle import ANYTHING, check
from tests.torture.polled_account import NAMES, PATHS, PATIENT, PolledAccount, with_rows

ON_KEY: dict[str, dict[str, bytes | None]] = {"/key": {"/credits": None}}  # without its reply, /credits is not accepted either
QUICK = HttpLimits(connect_s=5.0, read_s=0.04, total_s=0.06)
every_path = pytest.mark.parametrize("path", PATHS, ids=NAMES.values())


@amounts("ends", short=4, long=0)
@pytest.mark.parametrize("path", [*PATHS, "/key"], ids=[*NAMES.values(), "key"])
def test_an_answer_that_is_cut_reset_or_stalled_at_any_byte_changes_nothing(
    polled: PolledAccount, figures: Figures, seed: int, path: str, ends: int
) -> None:
    """Only some bytes of a reply over 5 kB. `/key` is requested when no credits were ever bought."""
    if path == "/key":
        polled.account.instead["/credits"] = sample_json(200, {"data": {"total_credits": 0, "total_usage": 0}})
        polled.forget()
        polled.proxy.forget()
        polled.poll()
    dice = random.Random(f"{seed}{path}")
    size = len(polled.answer(path).whole)
    for way in (cut, reset, stall):
        polled.limits = QUICK if way is stall else PATIENT
        for end in dice.sample(range(size), ends or 400) if ends or size > 5000 else range(size):
            before = polled.published[-1]
            polled.proxy.faults = {path: way(end)}
            after = polled.poll()
            polled.proxy.faults = {}
            hurried = (
                dict.fromkeys(PATHS, ANYTHING) if way is stall else {}
            )  # with such short limits other requests may fail, too
            check(before, after, hurried | {path: None} | ON_KEY.get(path, {}))
            figures.tell(tried=1, survived=1)
    polled.limits = PATIENT
    assert polled.poll().credits.measured_at == polled.clock.utc()


@amounts("count", short=40, long=100_000)
@every_path
def test_a_wrong_or_missing_value_in_any_field_is_refused_or_believed_as_it_stands(
    polled: PolledAccount, figures: Figures, seed: int, path: str, count: int
) -> None:
    body = polled.answer(path).body
    cases = [(way, wrong) for way in spots(json.loads(body)) for wrong in (*WRONG, "left out") if way or wrong != "left out"]
    for way, wrong in random.Random(f"{seed}{path}").sample(cases, min(count, len(cases))):
        polled.poll_with_body(path, lambda body, way=way, wrong=wrong: put(body, way, wrong, leave_out=wrong == "left out"))
        figures.tell(tried=1, survived=1)
    assert polled.poll().credits.measured_at == polled.clock.utc()


@pytest.mark.parametrize("path", PATHS[1:], ids=list(NAMES.values())[1:])
def test_rows_that_come_twice_or_not_at_all_double_and_invent_nothing(
    polled: PolledAccount, figures: Figures, path: str
) -> None:
    def rows_of(whole: Any) -> Any:
        return whole["data"]["data"] if path == "/analytics/query" else whole["data"]

    def twice(body: bytes) -> bytes:
        whole = json.loads(body, parse_float=Decimal)
        rows_of(whole).extend(list(rows_of(whole)))
        return dumped(whole).encode()

    def without(share: float) -> Callable[[bytes], bytes]:
        def change(body: bytes) -> bytes:
            whole = json.loads(body, parse_float=Decimal)
            rows = rows_of(whole)
            del rows[: int(len(rows) * share)]
            return dumped(whole).encode()

        return change

    name = NAMES[path]
    before = getattr(polled.published[-1], name).value
    after = getattr(polled.poll_with_body(path, twice), name).value
    if path == "/activity":
        assert after == before
    if path == "/keys":
        assert [key.name for key in after] == [key.name for key in before]
    for share in (0.1, 0.5, 1.0):
        polled.poll_with_body(path, without(share))
        figures.tell(tried=1, survived=1)


def _flip(dice: random.Random, text: bytes) -> bytes:
    at = dice.randrange(len(text))
    return text[:at] + bytes([dice.randrange(256)]) + text[at + 1 :]


def _hole(dice: random.Random, text: bytes) -> bytes:
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.randint(1, 60) :]


def _echo(dice: random.Random, text: bytes) -> bytes:
    at = dice.randrange(len(text))
    return text[:at] + text[max(0, at - dice.randint(1, 400)) :]


def _swap(dice: random.Random, text: bytes) -> bytes:
    one, two = sorted(dice.sample(range(len(text)), 2))
    return text[one:two] + text[:one] + text[two:]


def _wrong(dice: random.Random, text: bytes) -> bytes:
    return put(text, dice.choice(list(spots(json.loads(text)))), dice.choice(WRONG))


def _passes(before: Snapshot, after: Snapshot, bodies: Mapping[str, bytes | None]) -> bool:
    try:
        check(before, after, bodies)
    except AssertionError:
        return False
    return True


ACCIDENTS = (_flip, _hole, _echo, _swap, _wrong, _wrong)


@amounts_in_parts("cases", short=200, long=10_000, parts=10)
def test_a_mutated_answer_of_any_endpoint_ends_nothing_and_makes_no_zero(
    polled: PolledAccount, figures: Figures, seed: int, cases: int, part: int
) -> None:
    dice = random.Random(f"{seed}, part {part}")
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(cases):
        path, accident = dice.choice(PATHS), dice.choice(ACCIDENTS)
        if dice.random() < 0.2:  # the head is damaged: then the body is accepted as it was, or not at all
            before = polled.published[-1]
            bodies: list[bytes] = []

            def spoilt(answer: Answer, peer: socket.socket, bodies: list[bytes] = bodies) -> None:
                bodies.append(answer.body)
                peer.sendall(_flip(dice, answer.head) + answer.body)

            polled.proxy.faults = {path: spoilt}
            after = polled.poll()
            polled.proxy.faults = {}
            # Today is requested again without providers if the first answer is refused: either may be accepted.
            possible = [with_rows(bodies[0], bodies[1:])] if path == "/keys" else bodies
            others = dict.fromkeys(PATHS, ANYTHING)
            assert any(_passes(before, after, others | {path: body}) for body in possible), path
        else:
            polled.poll_with_body(path, lambda body, accident=accident: accident(dice, body))
        figures.tell(tried=1, survived=1)
        if number % 25 == 24:
            polled.poll()
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    figures.tell(grown_MiB=round(grown_mib, 1))
    assert grown_mib < 96 or sys.platform != "linux"
