"""The commands over a real socket: a controller on its loop, a control server, and clients, also bad ones."""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Repaint, SetBrightness
from openbalance_hid.errors import NoDaemonError, OpenBalanceError, UsageError
from openbalance_hid.ipc.commands import SUBSCRIBER_LIMIT, ChangeCounter, Commands
from openbalance_hid.ipc.control_client import request, subscribe
from openbalance_hid.ipc.control_server import CLIENT_LIMIT, ControlServer
from openbalance_hid.ipc.messages import COMMANDS
from openbalance_hid.ipc.status import without_counters
from openbalance_hid.runtime.event_loop import run_loop
from openbalance_hid.runtime.inbox import Stop
from tests.app.test_controller import Story
from tests.waiting import PATIENCE_S, threads_named, until, until_no_thread

CROWD = 600


class Running:
    """A daemon without decks, accounts or desktop around its controller."""

    def __init__(self, socket_file: Path) -> None:
        self.socket_file = socket_file
        self.changes = ChangeCounter()
        self.refreshed: list[str] = []
        self.previewed: list[tuple[str | None, str | None]] = []
        self.stopped = threading.Event()
        self.effects: list[object] = []
        self._story = Story().plugged()
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._server = ControlServer(
            socket_file,
            Commands(
                self._inbox.put, self._status, self._preview, self._refresh, self.stopped.set, self.changes, lambda: "read"
            ),
        )
        self._loop = threading.Thread(
            target=run_loop,
            args=(self._story.controller, self._inbox, self.effects.append, lambda: self._story.now, self.changes.notify),
        )

    def __enter__(self) -> "Running":
        self._loop.start()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.changes.end()
        self._server.stop()
        self._inbox.put(Stop())
        self._loop.join(PATIENCE_S)

    def _status(self, controller: Controller, now: Moment) -> dict[str, object]:
        return {"steps": controller.steps}

    def _preview(self, controller: Controller, now: Moment, model: str | None, theme: str | None) -> bytes:
        self.previewed.append((model, theme))
        return b"picture"

    def _refresh(self, account: str) -> bool:
        self.refreshed.append(account)
        return True


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("commands") / "run" / "control.sock") as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path / "run" / "control.sock") as made:
        yield made


def reply_to(socket_file: Path, line: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE_S)
        peer.connect(str(socket_file))
        peer.sendall(line + b"\n")
        with peer.makefile("rb") as lines:
            return json.loads(lines.readline())


def test_each_command_returns_its_result(running):
    send = lambda command, **arguments: request(running.socket_file, command, arguments)  # noqa: E731
    assert send("status")["steps"] >= 1
    assert list(send("accounts")) == ["default"]
    assert send("refresh", account="default") == {"default": True} == send("refresh", account=None)
    assert send("preview", model="mk2", theme="light") == "cGljdHVyZQ=="
    assert send("press", key=0) == {"serial": "SIM1", "key": 0, "tile": "balance"}
    assert send("hold", key=1)["tile"] == "top-models"
    assert send("identify") == [{"serial": "SIM1", "model": "mk2"}]
    assert send("reload") == "read"
    assert running.previewed[-1:] == [("mk2", "light")]


@pytest.mark.parametrize("command", ["refresh", "reload"])
def test_a_refresh_and_a_reload_by_hand_paint_every_deck_again(alone, command):
    request(alone.socket_file, command)
    until(lambda: Repaint("SIM1") in alone.effects)


def test_brightness_is_for_the_decks_that_the_end_of_a_serial_number_names(alone):
    send = lambda **arguments: request(alone.socket_file, "brightness", arguments)  # noqa: E731
    assert send(level=40, deck="im1") == [{"serial": "SIM1", "level": 40}]
    until(lambda: SetBrightness("SIM1", 40) in alone.effects)
    assert send(level="off") == send(level=0) == [{"serial": "SIM1", "level": "off"}]
    until(lambda: SetBrightness("SIM1", 0) in alone.effects)
    assert send(level="on") == [{"serial": "SIM1", "level": "on"}]
    for level, deck in ((101, None), (-1, None), ("dim", None), (True, None), (40, "B2")):
        with pytest.raises(OpenBalanceError):
            send(level=level, deck=deck)


def test_a_release_or_take_without_such_a_deck_is_an_error_with_a_hint(alone):
    for command, words in (("take", "no deck is released"), ("release", "no connected deck 'B2', only SIM1")):
        with pytest.raises(OpenBalanceError, match=words):
            request(alone.socket_file, command, {"deck": "B2"} if command == "release" else {})


def test_stop_calls_for_the_end(alone):
    assert request(alone.socket_file, "stop") is None
    assert alone.stopped.is_set()


WRONG = {
    "a key that is true": b'{"command": "press", "key": true}',
    "a key that is false, for a hold": b'{"command": "hold", "key": false}',
    "a key with a fraction": b'{"command": "press", "key": 1.0}',
    "a key in quotes": b'{"command": "press", "key": "1"}',
    "no key": b'{"command": "press"}',
    "a null key": b'{"command": "hold", "key": null}',
    "a key of many digits": b'{"command": "press", "key": ' + b"9" * 6000 + b"}",
    "a key below 0": b'{"command": "press", "key": -1}',
    "an account that is a list": b'{"command": "refresh", "account": []}',
    "an account that is an object": b'{"command": "refresh", "account": {"default": 1}}',
    "an account that is a number": b'{"command": "refresh", "account": 1}',
    "a mistyped field": b'{"command": "refresh", "acount": "default"}',
    "a model that is a number": b'{"command": "preview", "model": 5}',
    "a model that is a list": b'{"command": "preview", "model": ["mk2"]}',
    "a theme that does not exist": b'{"command": "preview", "theme": "pink"}',
    "a theme that is an object": b'{"command": "preview", "theme": {}}',
    "a page that is null": b'{"command": "page", "name": null}',
    "a page that is a number": b'{"command": "page", "name": 3}',
    "a page that does not exist": b'{"command": "page", "name": "mroe"}',
    "a field for status": b'{"command": "status", "key": 1}',
    "a command that does not exist": b'{"command": "presss"}',
    "a command that is a number": b'{"command": 5}',
    "a command that is a list": b'{"command": ["status"]}',
    "a command that is null": b'{"command": null}',
    "no command": b"{}",
    "an array": b"[1]",
    "a lone surrogate": b'{"command": "page", "name": "\\ud800"}',
    "not a number of JSON": b'{"command": "press", "key": NaN}',
    "depth": b'{"command": ' + b"[" * 20000,
    "no UTF-8": b'{"command": "page", "name": "\xff"}',
    "a half object": b'{"command": "status"',
}


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_request_gets_an_error_of_one_line_and_no_traceback(running, line, caplog):
    steps, refreshed, effects = request(running.socket_file, "status")["steps"], len(running.refreshed), len(running.effects)
    reply = reply_to(running.socket_file, line)
    assert set(reply) == {"error", "hint", "exit_code"}
    assert reply["exit_code"] == UsageError.exit_code
    assert "\n" not in str(reply["error"])
    assert len(str(reply["error"])) < 250
    assert caplog.records == []
    assert request(running.socket_file, "status")["steps"] == steps, "a refused request is no event"
    assert (len(running.refreshed), len(running.effects)) == (refreshed, effects)


def test_errors_name_the_field_and_the_unknown_command(running):
    error = lambda line: reply_to(running.socket_file, line)["error"]  # noqa: E731
    assert error(WRONG["a key that is true"]) == "not a valid request: Expected `int`, got `bool` - at `$.key`"
    assert error(WRONG["a command that does not exist"]) == "the daemon has no command 'presss'"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["key", "name", "account", "model", "theme", "more"])


@given(
    command=st.sampled_from(sorted(COMMANDS - {"stop", "watch", "watch-status"})) | JSON,
    fields=st.dictionaries(FIELDS, JSON, max_size=3),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_leaves_a_traceback(running, caplog, command, fields):
    reply = reply_to(running.socket_file, json.dumps({**fields, "command": command}).encode())
    assert "ok" in reply or reply["exit_code"] == UsageError.exit_code
    assert caplog.records == []


def test_a_subscriber_gets_the_accounts_at_once_and_at_each_change(alone):
    results = subscribe(alone.socket_file, "watch")
    assert list(next(results)) == ["default"]


def test_a_watched_status_changes_only_with_more_than_its_counters():
    deck = {"serial": "A", "images_sent": 1, "images_skipped": 2, "reports_sent": 3, "brightness": 70}
    status = {"uptime_s": 1.0, "counters": {"steps": 1}, "decks": [deck], "accounts": {}}
    later = {**status, "uptime_s": 2.0, "counters": {"steps": 2}, "decks": [{**deck, "images_sent": 9, "reports_sent": 9}]}
    assert without_counters(status) == without_counters(later)
    assert without_counters(status) != without_counters({**status, "decks": [{**deck, "brightness": 10}]})
    assert without_counters(status) != without_counters({**status, "accounts": {"default": {}}})


def test_600_subscribers_get_no_more_threads_than_there_are_places(alone):
    """The limit is of threads and not of connections alone: a client that was replaced must not leave its thread behind."""
    until_no_thread("control client")  # of tests before this one
    most, end = [0], threading.Event()

    def count() -> None:
        while not end.wait(0.001):
            most[0] = max(most[0], len(threads_named("control client")))

    counting = threading.Thread(target=count)
    counting.start()
    peers = []
    try:
        for _ in range(CROWD):
            peers.append(peer := socket.socket(socket.AF_UNIX))
            peer.connect(str(alone.socket_file))  # without a timeout it waits while the backlog is full
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # replaced by a later one already
                peer.sendall(b'{"command": "watch"}\n')
            if len(peers) == SUBSCRIBER_LIMIT:
                until(lambda: all(_is_readable(each) for each in peers))
        assert request(alone.socket_file, "status", timeout_s=PATIENCE_S)["steps"] >= 1, "a request finds a place"
    finally:
        end.set()
        counting.join(PATIENCE_S)
        for peer in peers:
            peer.close()
    assert SUBSCRIBER_LIMIT <= most[0] <= CLIENT_LIMIT


def test_a_subscriber_too_many_is_refused_until_another_one_leaves(alone):
    streams = [subscribe(alone.socket_file, "watch") for _ in range(SUBSCRIBER_LIMIT)]
    for stream in streams:
        next(stream)
    with pytest.raises(OpenBalanceError, match=f"{SUBSCRIBER_LIMIT} programs watch already") as refusal:
        next(subscribe(alone.socket_file, "watch"))
    assert (refusal.value.exit_code, refusal.value.hint) == (NoDaemonError.exit_code, "openbalance-hid bar")
    streams.pop().close()
    until(lambda: _subscribes(alone))  # the daemon looks for disconnected ones once a second


def _subscribes(running: Running) -> bool:
    try:
        return list(next(subscribe(running.socket_file, "watch"))) == ["default"]
    except OpenBalanceError:
        return False


def _is_readable(peer: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        return bool(peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    return False
