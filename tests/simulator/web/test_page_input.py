"""Input on a page: presses that reach the host, and invalid messages."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from openbalance_hid.deck.device_events import DialPushed, DialTurned, StripTouched, TouchKind
from openbalance_hid.simulator.web import page_server
from openbalance_hid.simulator.web.page_input import InputPart, PageInput
from openbalance_hid.simulator.web.page_messages import PressMessage, decode
from tests.simulator.web.page_rig import PageRig


@pytest.mark.parametrize("model", ["mk2", "original", "mini", "pedal"])
def test_down_and_up_reach_the_host_as_reports(model: str) -> None:
    with PageRig(model) as rig, rig.page() as page:
        for key in (0, 2):
            page.send("press", key=key)
            assert rig.host.next_key() == (key, True)
            page.send("release", key=key)
            assert rig.host.next_key() == (key, False)


def test_a_page_that_disconnects_releases_its_keys(rig: PageRig) -> None:
    with rig.page() as page:
        page.send("press", key=5)
        page.send("press", key=9)
        assert [rig.host.next_key(), rig.host.next_key()] == [(5, True), (9, True)]
        page.wire.socket.shutdown(socket.SHUT_RDWR)
        assert {rig.host.next_key(), rig.host.next_key()} == {(5, False), (9, False)}


def test_stop_releases_every_key(rig: PageRig) -> None:
    with rig.page() as page:
        page.send("press", key=5)
        assert rig.host.next_key() == (5, True)
        rig.server.stop()
        assert rig.host.next_key() == (5, False)


def test_a_key_is_down_while_any_page_holds_it(rig: PageRig) -> None:
    with rig.page() as first, rig.page() as second:
        first.send("press", key=1)
        assert rig.host.next_key() == (1, True)
        second.send("press", key=1)
        second.send("press", key=2)
        assert rig.host.next_key() == (2, True)
        first.send("release", key=1)
        first.send("press", key=3)
        assert rig.host.next_key() == (3, True)
        second.send("release", key=1)
        assert rig.host.next_key() == (1, False)


def test_a_second_press_or_release_changes_nothing(rig: PageRig) -> None:
    with rig.page() as page:
        for kind in ("release", "press", "press", "release", "release"):
            page.send(kind, key=0)
        page.send("press", key=1)
        assert [rig.host.next_key() for _ in range(3)] == [(0, True), (0, False), (1, True)]


@given(st.lists(st.tuples(st.sampled_from(["down", "up", "gone"]), st.integers(0, 2), st.integers(0, 2))))
def test_the_deck_gets_one_press_and_one_release_in_any_order_of_pages(moves: list[tuple[str, int, int]]) -> None:
    down_on_deck: dict[int, bool] = {}
    held: dict[int, set[int]] = {}

    def move(part: InputPart, index: int, down: bool) -> None:
        assert down_on_deck.get(index, False) is not down
        down_on_deck[index] = down

    presses = PageInput(move)
    for kind, holder, key in moves:
        if kind == "down":
            presses.press(holder, InputPart.KEY, key)
            held.setdefault(key, set()).add(holder)
        elif kind == "up":
            presses.release(holder, InputPart.KEY, key)
            held.setdefault(key, set()).discard(holder)
        else:
            presses.release_all(holder)
            for holders in held.values():
                holders.discard(holder)
        assert {key for key, down in down_on_deck.items() if down} == {key for key, holders in held.items() if holders}


def test_dials_and_strip_reach_the_host() -> None:
    with PageRig("plus") as rig, rig.page() as page:
        page.send("turn", dial=2, steps=-3)
        page.send("push", dial=1, down=True)
        page.send("push", dial=1, down=False)
        page.send("touch", x=799, y=99)
        page.send("touch", x=10, y=20, long=True)
        events = [rig.host.next() for _ in range(5)]
        assert [type(event) for event in events] == [DialTurned, DialPushed, DialPushed, StripTouched, StripTouched]
        assert (events[0].dial, events[0].steps) == (2, -3)
        assert [(event.dial, event.down) for event in events[1:3]] == [(1, True), (1, False)]
        assert [(event.x_px, event.y_px, event.touch) for event in events[3:]] == [
            (799, 99, TouchKind.TAP),
            (10, 20, TouchKind.HOLD),
        ]


def test_parts_that_the_deck_does_not_have_are_ignored(rig: PageRig) -> None:
    with rig.page() as page:
        page.send("press", key=15)
        page.send("turn", dial=0, steps=1)
        page.send("push", dial=0, down=True)
        page.send("touch", x=0, y=0)
        page.send("press", key=14)
        assert rig.host.next_key() == (14, True)
    assert rig.host.next_key() == (14, False)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "x",
        "{}",
        "[]",
        "null",
        '{"type":"press"}',
        '{"type":"press","key":"1"}',
        '{"type":"press","key":true}',
        '{"type":"press","key":-1}',
        '{"type":"press","key":1.5}',
        '{"type":"press","key":1e99}',
        '{"type":"key","key":1}',
        '{"type":"turn","dial":0,"steps":65}',
        '{"type":"push","dial":0,"down":1}',
        '{"type":"scenario","name":""}',
        '{"type":"touch","x":70000,"y":0}',
        b"\xff\xfe",
        b'{"type":"press","key":\xff}',
        "[" * 500,
    ],
)
def test_invalid_messages_are_refused_without_harm(rig: PageRig, message: str | bytes) -> None:
    with rig.page() as page:
        page.wire.send(message)
        page.send("press", key=0)
        assert rig.host.next_key() == (0, True)
    assert decode(message) is None


@given(st.text() | st.binary())
def test_no_message_raises(message: str | bytes) -> None:
    decode(message)


def test_unknown_fields_of_a_newer_page_are_ignored() -> None:
    assert decode('{"type":"press","key":3,"force":0.4}') == PressMessage(3)


def test_a_page_that_keeps_sending_invalid_messages_is_disconnected(rig: PageRig) -> None:
    with rig.page() as page:
        page.send("press", key=6)
        for _ in range(page_server.BAD_MESSAGES - 1):
            page.wire.send("nonsense")
        page.send("press", key=7)
        assert [rig.host.next_key(), rig.host.next_key()] == [(6, True), (7, True)]
        page.wire.send("nonsense")
        with pytest.raises(ConnectionClosed) as closed:
            page.receive("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert {rig.host.next_key(), rig.host.next_key()} == {(6, False), (7, False)}


def test_messages_behind_the_last_accepted_one_are_neither_read_nor_logged(
    rig: PageRig, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.page() as page:
        socket_of_page = page.wire.socket
        frame = bytes([0x81, 0x80 | 1, 0, 0, 0, 0]) + b"x"  # a text of one letter, masked with zeros
        socket_of_page.sendall(frame * (page_server.BAD_MESSAGES + 30))  # one call: all are there before the first is refused
        with pytest.raises(ConnectionClosed):
            page.receive("never")
    rig.server.stop()  # joins the thread of the page
    assert [each.getMessage() for each in caplog.records if each.levelname == "WARNING"] == [
        f"disconnected a page of the virtual deck: {page_server.BAD_MESSAGES} invalid messages"
    ]


def test_a_page_that_sends_a_message_too_long_is_disconnected(rig: PageRig) -> None:
    with rig.page() as page:
        page.wire.send("x" * 1025)
        with pytest.raises(ConnectionClosed) as closed:
            page.receive("never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
