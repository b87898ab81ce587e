"""The control socket: private, bounded, and made again when it was removed."""

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from openbalance_hid.errors import ConfigError, NoDaemonError, OpenBalanceError, UsageError
from openbalance_hid.ipc.commands import ChangeCounter
from openbalance_hid.ipc.control_client import request, subscribe
from openbalance_hid.ipc.control_server import LINE_LIMIT, ControlServer
from tests.waiting import PATIENCE_S


def answer(received):
    if received["command"] == "fail":
        raise ZeroDivisionError
    if received["command"] == "refuse":
        raise UsageError("no such thing", "openbalance-hid status")
    if received["command"] == "watch":
        return iter([1, 2])
    if received["command"] == "watch and fail":
        return failing()
    return received


def failing():
    yield 1
    raise NoDaemonError("busy", "openbalance-hid status")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "run" / "control.sock"


@pytest.fixture
def server(place):
    made = ControlServer(place, answer)
    made.start()
    yield made
    made.stop()


def replies(place: Path, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE_S)
        peer.connect(str(place))
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        with peer.makefile("rb") as lines:
            return lines.read()


def test_a_request_is_answered(server, place):
    assert request(place, "hold", {"key": 3}) == {"command": "hold", "key": 3}


def test_a_key_that_the_configuration_has_by_mistake_is_in_no_answer(server, place):
    key = "sk-or-v1-" + "ab" * 32
    assert request(place, "status", {"text": f"cannot use the ca_file /x/{key}"})["text"] == "cannot use the ca_file /x/sk-or-…"


def test_socket_and_directory_are_private(server, place):
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_directory_open_to_others_is_refused(tmp_path):
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="open to others"):
        ControlServer(tmp_path / "run" / "control.sock", answer).start()


@pytest.mark.parametrize(("platform", "limit"), [("linux", 107), ("darwin", 103)])
def test_a_path_too_long_for_a_socket_is_a_configuration_error(monkeypatch, platform, limit):
    monkeypatch.setattr(sys, "platform", platform)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        longest = Path(folder, "x" * (limit - len(folder) - len("//control.sock")), "control.sock")
        assert len(str(longest)) == limit
        server = ControlServer(longest, answer)
        server.start()
        server.stop()
        too_long = longest.parent.with_name(f"{longest.parent.name}x") / "control.sock"
        reason = f"the path of the socket is {limit + 1} bytes long, more than the limit of {limit}: {too_long}"
        with pytest.raises(ConfigError) as refusal:
            ControlServer(too_long, answer).start()
        assert (refusal.value.message, refusal.value.hint) == (reason, "openbalance-hid doctor")
        assert not too_long.parent.exists()
        with pytest.raises(NoDaemonError, match="no daemon can run: the path of the socket is"):
            request(too_long, "status")


def test_the_socket_of_a_killed_daemon_is_replaced(place):
    place.parent.mkdir(mode=0o700)
    script = (
        "import os, sys; from pathlib import Path; from openbalance_hid.ipc.control_server import ControlServer\n"
        "ControlServer(Path(sys.argv[1]), print).start(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(place)], check=False, timeout=PATIENCE_S)
    assert place.exists()
    server = ControlServer(place, answer)
    server.start()
    assert request(place, "again") == {"command": "again"}
    server.stop()
    server.stop()
    assert not place.exists()


def remove_socket(place: Path) -> None:
    place.unlink()


def remove_directory(place: Path) -> None:
    shutil.rmtree(place.parent)


def put_another_socket(place: Path) -> None:
    place.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place))


def put_a_file(place: Path) -> None:
    place.unlink()
    place.write_text("")


def put_an_empty_directory(place: Path) -> None:
    place.unlink()
    place.mkdir()


def put_a_loop_of_links(place: Path) -> None:
    place.unlink()
    place.symlink_to(place.name)


@pytest.mark.parametrize(
    "damage",
    [remove_socket, remove_directory, put_another_socket, put_a_file, put_an_empty_directory, put_a_loop_of_links],
)
def test_a_socket_that_was_removed_or_replaced_is_made_again(server, place, damage):
    damage(place)
    with pytest.raises(NoDaemonError):
        request(place, "status")
    server.renew()
    server.renew()
    assert request(place, "again") == {"command": "again"}
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [thread.name for thread in threading.enumerate()].count("control") == 1


def test_a_socket_whose_mode_was_changed_is_made_again(server, place):
    place.chmod(0)
    server.renew()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert request(place, "again") == {"command": "again"}


def test_a_directory_with_files_in_the_place_of_the_socket_is_named_and_kept(place):
    (place / "file").mkdir(parents=True)
    place.parent.chmod(0o700)
    with pytest.raises(ConfigError, match=f"cannot remove {place}: directory not empty"):
        ControlServer(place, answer).start()
    assert (place / "file").exists()


def test_a_server_whose_directory_is_read_only_now_stops_in_order(tmp_path):
    """As another user, where root runs the tests: root may write everywhere."""
    script = """
import grp, os, pwd, sys; from pathlib import Path; from openbalance_hid.ipc.control_server import ControlServer
server = ControlServer(Path(sys.argv[1], "control.sock"), print)
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
server.start()
os.chmod(sys.argv[1], 0o500)
server.stop()
"""
    directory = Path(tempfile.mkdtemp(dir="/tmp", prefix="closed-"))
    if os.geteuid() == 0:
        os.chown(directory, 65534, 65534)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, str(directory)], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        directory.chmod(0o700)
        shutil.rmtree(directory)


def test_a_socket_that_cannot_be_made_again_is_logged_once_and_made_later(server, place, caplog):
    remove_directory(place)
    place.parent.write_text("a file in its place")
    server.renew()
    server.renew()
    assert caplog.text.count("no command reaches the daemon") == 1
    place.parent.unlink()
    server.renew()
    assert request(place, "again") == {"command": "again"}


def test_a_directory_that_is_removed_during_the_start_is_made_again(place, monkeypatch):
    bind, removals = socket.socket.bind, iter([True])

    def remove_and_bind(listener: socket.socket, name: str) -> None:
        if next(removals, False):
            remove_directory(place)
        bind(listener, name)

    monkeypatch.setattr(socket.socket, "bind", remove_and_bind)
    server = ControlServer(place, answer)
    server.start()
    assert request(place, "reachable") == {"command": "reachable"}
    server.stop()


def test_a_client_that_is_connected_stays_so_when_the_socket_is_made_again(server, place):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE_S)
        peer.connect(str(place))
        peer.sendall(b'{"command": "a"}\n')
        assert peer.recv(100)
        place.unlink()
        server.renew()
        peer.sendall(b'{"command": "b"}\n')
        assert json.loads(peer.recv(100)) == {"ok": {"command": "b"}}


def test_a_server_that_stops_leaves_the_socket_of_another_daemon(server, place):
    place.unlink()
    other = ControlServer(place, answer)
    other.start()
    server.stop()
    assert request(place, "still here") == {"command": "still here"}
    other.stop()


def test_without_a_daemon_the_hint_is_the_command_that_starts_one(place):
    with pytest.raises(NoDaemonError) as caught:
        request(place, "status")
    assert caught.value.exit_code == 69
    assert caught.value.hint == "openbalance-hid run"


def test_the_daemons_own_errors_come_back_with_hint_and_code(server, place):
    with pytest.raises(OpenBalanceError, match="no such thing") as caught:
        request(place, "refuse")
    assert (caught.value.hint, caught.value.exit_code) == ("openbalance-hid status", 2)


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b"\xff\xfe\n", b'{"command": "fail"}\n', b"[" * 5000 + b"\n"])
def test_nonsense_gets_an_error_and_leaves_the_server_running(server, place, line):
    assert "error" in json.loads(replies(place, line))
    assert request(place, "after") == {"command": "after"}


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"nonsense",
            b"5",
            b"null",
            b'"ok"',
            b"[]",
            b"[" * 5000,
            b"\xff",
            b"{}",
            b'{"error": 5}',
            b'{"error": "no", "hint": []}',
        ),
        *(b'{"error": "no", "exit_code": "x"}', b'{"error": "no", "exit_code": 0}', b'{"error": "no", "exit_code": 1e99}'),
    ],
)
def test_nonsense_from_another_program_at_the_socket_is_reported(place, line):
    place.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place))
        other.listen()

        def reply() -> None:
            with other.accept()[0] as client:
                client.recv(LINE_LIMIT)
                client.sendall(line + b"\n")

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(NoDaemonError, match="is not this daemon"):
            request(place, "status")
        thread.join()


def test_an_endless_line_is_cut_off(server, place):
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):  # cut off while still sending
        assert replies(place, b"x" * (LINE_LIMIT + 10)) == b""
    assert request(place, "after") == {"command": "after"}


def test_a_stream_sends_each_result_once_and_then_the_next_request_runs(server, place):
    lines = replies(place, b'{"command": "watch"}\n{"command": "after"}\n').splitlines()
    assert [json.loads(line) for line in lines] == [{"ok": 1}, {"ok": 2}, {"ok": {"command": "after"}}]


def test_a_stream_that_fails_ends_in_its_error(server, place):
    results = subscribe(place, "watch and fail")
    assert next(results) == 1
    with pytest.raises(OpenBalanceError, match="busy"):
        next(results)


def test_the_thread_of_a_disconnected_subscriber_ends(place):
    checks = threading.Semaphore(0)

    def endless(_):
        yield 1
        while True:
            checks.acquire()
            yield None

    server = ControlServer(place, endless)
    server.start()
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(place))
            peer.sendall(b"{}\n")
            assert peer.recv(100) == b'{"ok": 1}\n'
            (client,) = [thread for thread in threading.enumerate() if thread.name == "control client"]
            checks.release()  # a check while the peer is connected
        checks.release()
        client.join(30)
        assert not client.is_alive()
    finally:
        server.stop()


def test_a_change_wakes_waiting_threads_and_is_seen_by_later_ones():
    changes = ChangeCounter()
    results = []
    waiting = threading.Thread(target=lambda: results.append(changes.wait(0, 30)))
    waiting.start()
    changes.notify()
    waiting.join(30)
    assert results == [True]
    assert changes.wait(0, 0), "the change happened before this call"
    assert not changes.wait(changes.number, 0)
    changes.end()
    assert not changes.wait(changes.number, 30), "the end wakes all threads, and is no change"
    assert changes.is_ended
