"""Whatever happens to the process that makes the requests costs one request at most, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from openbalance_hid.desktop import lingering_child
from openbalance_hid.desktop.child_process import ChildProcess
from openbalance_hid.errors import OfflineError, ServerError
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.runtime import http_process
from openbalance_hid.runtime.http_messages import Failure, HttpRequest, Opening, failure
from openbalance_hid.runtime.http_process import HttpProcess
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.runtime.http_children import AMPLE, THREAD, Children, account, children, client, process
from tests.torture.fault_proxy import Answer, FaultProxy
from tests.waiting import PATIENCE_S, until

__all__ = ["account", "children", "process"]
READ = "import sys; open(sys.argv[1], 'rb').read(1)"
PR_CAPBSET_DROP = 24  # linux/prctl.h
TRACERS = (19, 21, 38)  # CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_PERFMON: each lets its holder read any memory


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_is_killed_costs_one_request(
    account: SampleAccount, process: HttpProcess, children: Children, number: signal.Signals
) -> None:
    with FaultProxy(account.url) as proxy, client(account, process.session, proxy.url) as asking:

        def kill(_: Answer, __: socket.socket) -> None:
            killed = children.started[-1]
            os.kill(killed.pid, number)
            until(lambda: not killed.is_running)

        asking.credits()
        proxy.faults["/credits"] = kill
        with pytest.raises(OfflineError, match="the process that makes the requests has ended"):
            asking.credits()
        proxy.faults.clear()
        assert asking.credits().total_credits_usd > 0
        assert len(children.started) == 2


def test_a_child_that_is_killed_between_two_requests_costs_none(
    account: SampleAccount, process: HttpProcess, children: Children
) -> None:
    for _ in range(2):
        with client(account, process.session) as asking:
            asking.credits()
        os.kill(children.started[-1].pid, signal.SIGKILL)
        until(lambda: not children.running)
    with client(account, process.session) as asking:
        assert asking.credits().total_credits_usd > 0


def test_a_child_that_does_not_answer_is_given_up_and_ended(
    account: SampleAccount, process: HttpProcess, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_process, "GRACE_S", 0.0)
    monkeypatch.setattr(lingering_child, "END_LIMIT_S", 0.1)
    with client(account, process.session, limits=HttpLimits(1.5, 1.5, 1.5)) as asking:
        asking.credits()
        os.kill(children.started[0].pid, signal.SIGSTOP)
        until(lambda: state_of(children.started[0].pid) == "T")
        with pytest.raises(OfflineError, match="the process that makes the requests has ended"):
            asking.credits()
        assert asking.credits().total_credits_usd > 0
    until(lambda: not children.started[0].is_running)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_to_the_whole_group_do_not_end_the_child(
    account: SampleAccount, process: HttpProcess, children: Children, number: signal.Signals
) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with client(account, process.session) as asking:
        asking.credits()
        os.kill(children.started[0].pid, number)
        assert asking.credits().total_credits_usd > 0
    assert children.running == [children.started[0].pid]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == blocked


def test_the_child_ends_with_a_parent_that_is_killed(account: SampleAccount) -> None:
    program = f"""
from openbalance_hid.runtime.http_process import HttpProcess
from openbalance_hid.openrouter.client import Client
from openbalance_hid.secret import Secret
import time
process = HttpProcess()
client = Client(Secret({account.key!r}), {account.url!r}, new_session=process.session)
client.credits()
print(process._child._child._process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    until(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return state_of(pid) not in ("Z", "")  # without an init that waits for it, a dead process stays as a zombie


def state_of(pid: int) -> str:
    """Return the letter of ps(1) for the state of a process: T stopped, Z ended."""
    if sys.platform == "linux":  # which may have no ps
        stat = Path(f"/proc/{pid}/stat")
        return stat.read_text().rpartition(")")[2].split()[0] if stat.exists() else ""
    shown = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, timeout=PATIENCE_S)
    return shown.stdout.strip()[:1]


class CannotStart:
    def __init__(self, error: OSError) -> None:
        self.error = error

    def __call__(self, _: socket.socket) -> ChildProcess:
        raise self.error


@pytest.mark.parametrize(
    "spawn",
    [
        CannotStart(FileNotFoundError(errno.ENOENT, "no such file")),
        CannotStart(PermissionError(errno.EACCES, "closed")),
        Children("openbalance_hid.no_such_module"),
        Children("platform"),  # ends without an answer
    ],
)
def test_without_a_child_the_requests_are_made_here(
    account: SampleAccount, spawn: Children | CannotStart, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(HttpProcess(spawn)) as process:
        for _ in range(3):
            with client(account, process.session) as asking:
                assert asking.credits().total_credits_usd > 0
    assert [record.message for record in caplog.records] == [
        "the process for HTTP requests does not start: the daemon makes them itself, with more memory"
    ]
    if isinstance(spawn, Children):
        assert 1 <= len(spawn.started) <= 2
        spawn.started.clear()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EAGAIN, errno.ENOMEM])
def test_a_lack_of_resources_is_an_outage_and_ends_with_itself(
    account: SampleAccount, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    children, spawns = Children(), [CannotStart(OSError(number, os.strerror(number)))]
    with closing(HttpProcess(lambda channel: (spawns.pop() if spawns else children)(channel))) as process:
        with client(account, process.session) as asking:
            with pytest.raises(OfflineError, match=rf"cannot reach 127.0.0.1:\d+: {os.strerror(number).lower()}"):
                asking.credits()
            assert asking.credits().total_credits_usd > 0
        assert len(children.started) == 1
    assert caplog.records == []


def test_without_sockets_no_child_is_kept(
    account: SampleAccount, process: HttpProcess, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patches, client(account, process.session) as asking:
        patches.setattr(socket, "socketpair", fail)
        with pytest.raises(OfflineError, match="too many open files"):
            asking.credits()
    assert children.started == []


def test_a_program_that_was_removed_says_what_helps(account: SampleAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openbalance_hid.openrouter.http", None)  # what `import` of a missing file does
    with (
        closing(HttpProcess(CannotStart(FileNotFoundError(errno.ENOENT, "gone")))) as process,
        client(account, process.session) as asking,
        pytest.raises(OfflineError, match="start it again after an update"),
    ):
        asking.credits()


def test_a_child_of_another_version_is_not_used(
    account: SampleAccount, process: HttpProcess, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_process.http_messages, "VERSION", 99)  # here only: the child reads its own
    with client(account, process.session) as asking:
        assert asking.credits().total_credits_usd > 0
        assert children.started
    until(lambda: not children.running)


def test_the_end_of_the_daemon_ends_requests_that_hang(account: SampleAccount) -> None:
    children = Children()
    process = HttpProcess(children)
    ends: list[BaseException] = []
    reached = threading.Event()

    def hang(_: Answer, peer: socket.socket) -> None:
        reached.set()
        select.select([peer], [], [], PATIENCE_S)

    with FaultProxy(account.url) as proxy:
        proxy.faults["/credits"] = hang

        def ask() -> None:
            try:
                with client(account, process.session, proxy.url, HttpLimits()) as asking:
                    asking.credits()
            except OfflineError as error:
                ends.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert reached.wait(PATIENCE_S)
        process.close(PATIENCE_S)
        thread.join(PATIENCE_S)
    assert len(ends) == 1
    assert children.running == []
    with client(account, process.session) as asking, pytest.raises(OfflineError, match="the daemon is stopping"):
        asking.credits()
    process.close()


def test_an_answer_that_the_reader_refuses_ends_only_its_own_connection(
    account: SampleAccount, process: HttpProcess, children: Children
) -> None:
    def refuse(_: bytes) -> None:
        raise ServerError("unreadable")

    session = process.session(Secret(account.key), account.url, AMPLE, None)
    with closing(session), client(account, process.session) as other:
        other.credits()
        with pytest.raises(ServerError, match="unreadable"):
            session.run("GET", "/activity", None, 10_000_000, refuse)
        pieces: list[bytes] = []
        assert session.run("GET", "/activity", None, 10_000_000, pieces.append).body == b""
        assert b"".join(pieces).startswith(b"{")
        other.credits()
    assert len(children.started) == 1


def test_an_ending_thread_that_was_lost_is_started_again(
    account: SampleAccount, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, failures = threading.Thread.start, [RuntimeError("can't start new thread")]

    def fail_once(thread: threading.Thread) -> None:
        if thread.name == THREAD and failures:
            raise failures.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail_once)
    with closing(HttpProcess(children, linger_s=0.01)) as process:
        for _ in range(2):
            with client(account, process.session) as asking:
                asking.credits()
        until(lambda: not children.running)
    assert len(children.started) == 1
    assert failures == []


def test_a_child_without_its_thread_ends_with_the_daemon(
    account: SampleAccount, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with (
        closing(HttpProcess(children)) as process,
        monkeypatch.context() as patches,
        client(account, process.session) as asking,
    ):
        patches.setattr(threading.Thread, "start", fail)
        session = process.session(None, account.url, AMPLE, None)
        patches.undo()
        session.close()
        assert len(children.running) == 1
        del asking
    assert children.running == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_no_program_of_the_same_user_reads_the_process_for_requests(
    account: SampleAccount, process: HttpProcess, children: Children
) -> None:
    import ctypes

    prctl = ctypes.CDLL(None).prctl

    def no_tracer() -> None:
        for capability in TRACERS:
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    with client(account, process.session) as asking:
        asking.credits()
        proc = Path("/proc", str(children.started[0].pid))
        assert b"sk-or-v1" not in (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
        assert b"PATH=" in (proc / "environ").read_bytes()
        for name in ("environ", "maps"):
            look = [sys.executable, "-c", READ, str(proc / name)]
            assert subprocess.run(look, check=False, stderr=subprocess.DEVNULL).returncode == 0
            assert subprocess.run(look, check=False, stderr=subprocess.DEVNULL, preexec_fn=no_tracer).returncode != 0


def test_no_message_shows_a_key() -> None:
    opening = Opening(1, "sk-or-v1-0123456789abcdef", "http://127.0.0.1:1/api/v1", AMPLE, None)
    assert "0123456789" not in repr(opening)
    assert HttpRequest("GET", "/x", None, 1, False).path == "/x"


def test_a_mistake_in_the_child_arrives_with_its_traceback() -> None:
    try:
        raise KeyError("x")
    except KeyError as error:
        sent = failure(error)
    received = Failure(sent.name, sent.message, sent.hint).error()
    assert isinstance(received, RuntimeError)
    assert "KeyError: 'x'" in str(received)
