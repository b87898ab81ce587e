"""The client of the control socket: one request and its result, or a stream of results. The server is in control_server.py.

A command that shows a status imports this module and not `status`, which makes one and imports the controller for it.
"""

import contextlib
import errno
import json
import os
import select
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openbalance_hid.errors import DaemonRefusedError, NoDaemonError, OpenBalanceError, UnreachableDaemonError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.socket_path import socket_path_problem

RETRY_S = 0.02
# No socket there, or another file in its place or in that of its directory, or a mode that was changed.
_WITHOUT_SOCKET = (errno.ENOENT, errno.ECONNREFUSED, errno.EACCES, errno.ENOTDIR, errno.ELOOP, errno.EPROTOTYPE)
WAKE_GAP_S = 0.1  # a daemon looks for its socket at most once a second
SOL_LOCAL, LOCAL_PEERCRED = 0, 1  # <sys/un.h> of macOS


def request(socket_file: Path, command: str, arguments: Mapping[str, object] | None = None, timeout_s: float = 10.0) -> Any:
    """Return the result of a command of the running daemon.

    Raises NoDaemonError when no daemon runs, and the daemon's own errors as OpenBalanceError.
    """
    with _connected(socket_file, timeout_s, command) as peer, peer.makefile("rb") as lines:
        _send(peer, command, arguments or {})
        line = lines.readline()
    if not line:
        raise NoDaemonError(f"the daemon at {socket_file} closed without an answer", hint("no daemon is running"))
    return _result(line, socket_file)


def subscribe(socket_file: Path, command: str, timeout_s: float = 10.0, output: int | None = None) -> Iterator[Any]:
    """Yield the result of a command now and at each change, until the daemon ends.

    `timeout_s` is for the first result. `output`: the descriptor of the output; BrokenPipeError when its reader has ended, also
    between two results. Raises the errors of `request`.
    """
    try:
        with _connected(socket_file, timeout_s, command) as peer:
            _send(peer, command, {})
            for line in _lines(peer, output):
                yield _result(line, socket_file)
                peer.settimeout(None)
    except _ReaderEndedError as error:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error


def endpoint_problems(account: Mapping[str, Any]) -> list[str]:
    """Return a line for each problem of an endpoint, from one account of `status --json`."""
    lines = []
    for name, endpoint in account.get("endpoints", {}).items():
        if endpoint["health"] not in ("ok", "preparing", account["health"]):
            lines.append(f"{name}: {endpoint['health'].replace('_', ' ')} ({endpoint['message'] or 'no message'})")
        elif endpoint["health"] == "ok" and endpoint["message"]:
            lines.append(f"{name}: incomplete: {endpoint['message']}")
        if count := endpoint["dropped_rows"]:
            lines.append(f"{name}: left out {count} {'row' if count == 1 else 'rows'} of the answer that cannot be read")
    return lines


class _ReaderEndedError(Exception):
    """No program reads the output any more. No OSError: those are about the connection with the daemon."""


def _lines(peer: socket.socket, output: int | None) -> Iterator[bytes]:
    received = b""
    while True:
        if output is not None:
            _wait_for_input(peer, output)
        piece = peer.recv(65_536)
        if not piece:
            return
        *lines, received = (received + piece).split(b"\n")
        yield from lines


def _wait_for_input(peer: socket.socket, output: int) -> None:
    """Wait until `peer` has something to read. _ReaderEndedError if no program reads `output` any more."""
    poll = select.poll()
    poll.register(peer, select.POLLIN)
    # POLLERR: a pipe without a reader; POLLHUP: a terminal or socket that was closed, and on macOS the pipe. Linux reports both
    # without a request, macOS nothing of a descriptor without one (xnu, sys_generic.c, poll_nocancel).
    poll.register(output, select.POLLHUP)
    timeout_s = peer.gettimeout()
    ready = dict(poll.poll(None if timeout_s is None else timeout_s * 1000))
    if ready.get(output, 0) & (select.POLLERR | select.POLLHUP):
        raise _ReaderEndedError


@contextlib.contextmanager
def _connected(socket_file: Path, timeout_s: float, command: str) -> Iterator[socket.socket]:
    if problem := socket_path_problem(socket_file, sys.platform):
        raise NoDaemonError(f"no daemon can run: {problem}", hint("the control socket cannot be made"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(timeout_s)
        try:
            _connect(peer, socket_file, timeout_s)
            _check_peer(peer, socket_file)
            yield peer
        except FileNotFoundError as error:
            raise NoDaemonError("no daemon is running", hint("no daemon is running")) from error
        except PermissionError as error:
            raise DaemonRefusedError(
                f"not permitted to connect to the daemon at {socket_file}", _as_root(socket_file)
            ) from error
        except (TimeoutError, BlockingIOError) as error:  # or its backlog is full
            raise _silent(_peer_process(peer) or _daemon_without_socket(socket_file) or 0, command) from error
        except OSError as error:
            raise NoDaemonError(f"no daemon answers at {socket_file}", hint("no daemon is running")) from error


def _silent(process: int, command: str) -> UnreachableDaemonError:
    """Return the error for a daemon that does not answer. `process`: 0 if it is not known."""
    if process and _is_suspended(process):  # Ctrl-Z in its terminal
        return UnreachableDaemonError(
            f"the daemon is suspended, as process {process}", hint("the daemon is suspended", pid=process)
        )
    name = f"the daemon, process {process}," if process else "the daemon"
    end = hint("the daemon does not end", pid=process) if process and command == "stop" else ""
    place = "status" if command in ("status", "watch") else "refresh"
    return UnreachableDaemonError(f"{name} does not answer", end or hint("the daemon does not answer", place))


def _is_suspended(process: int) -> bool:
    """Return whether a signal has stopped the process; false where that cannot be read (proc(5), stat)."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] == "T"


def _as_root(socket_file: Path) -> str:
    return hint("the daemon of another user is running", path=socket_file.parent)


def _send(peer: socket.socket, command: str, arguments: Mapping[str, object]) -> None:
    peer.sendall(json.dumps({**arguments, "command": command}).encode() + b"\n")


def _result(line: bytes, socket_file: Path) -> Any:
    try:
        reply = json.loads(line)
        if isinstance(reply, dict) and "ok" in reply:
            return reply["ok"]
        problem = _refusal(reply)
    except (ValueError, RecursionError) as error:
        raise NoDaemonError(
            f"the process that listens at {socket_file} is not this daemon", hint("no daemon is running")
        ) from error
    raise problem


def _refusal(reply: Any) -> OpenBalanceError:
    """Return the error in the reply to a refused request; ValueError for anything else. A bar loads no msgspec."""
    match reply:
        case {"error": str(words), **rest}:
            command, code = rest.get("hint", ""), rest.get("exit_code", 1)
            if isinstance(command, str) and type(code) is int and 1 <= code <= 255:
                problem = OpenBalanceError(words, command)
                problem.exit_code = code
                return problem
    raise ValueError("no reply of this program")


def _connect(peer: socket.socket, socket_file: Path, timeout_s: float) -> None:
    """Connect; try again while the backlog of the server is full, or while the daemon makes a socket that was removed again."""
    start_s = time.monotonic()
    while True:
        waited_s = time.monotonic() - start_s
        try:
            peer.connect(str(socket_file))
        except BlockingIOError:  # a socket with a timeout fails at once while the backlog is full
            if waited_s > timeout_s:
                raise
            time.sleep(RETRY_S)
        except OSError as error:
            process = _daemon_without_socket(socket_file) if error.errno in _WITHOUT_SOCKET else None
            if not process:
                raise
            if waited_s > timeout_s:
                raise _unreachable(process, socket_file, error) from None
            os.kill(process, signal.SIGCONT)
            time.sleep(WAKE_GAP_S)
        else:
            return


def _unreachable(process: int, socket_file: Path, error: OSError) -> UnreachableDaemonError:
    daemon = f"a daemon runs as process {process}, and"
    if error.errno == errno.ENOENT:
        return UnreachableDaemonError(
            f"{daemon} its socket was removed: it makes it again within a minute", hint("the daemon's socket was removed")
        )
    is_beside = error.errno in (errno.EACCES, errno.ENOTDIR)  # the directory is in the way, not the file
    reason = "not a socket" if error.errno == errno.ECONNREFUSED else (error.strerror or str(error)).lower()
    return UnreachableDaemonError(
        f"{daemon} cannot use its socket at {socket_file}: {reason}",
        hint("the daemon cannot use its socket", path=socket_file.parent if is_beside else socket_file),
    )


def _daemon_without_socket(socket_file: Path) -> int | None:
    """Return the process that holds the lock beside the socket; None or 0: no process does, or it is not known."""
    from openbalance_hid.ipc.lock_name import holder_of_lock_name

    return holder_of_lock_name(socket_file.with_name("control.lock"))


def _check_peer(peer: socket.socket, socket_file: Path) -> None:
    """Raise NoDaemonError when the server runs as another user, who could send anything.

    Root may use the daemon of any user, in a directory that only root can make: /run/openbalance-hid.
    """
    (_, uid), parent = _peer(peer), socket_file.parent.parent.stat()
    made_by_root = parent.st_uid == 0 and not parent.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if uid not in (0, os.geteuid()) and not (os.geteuid() == 0 and made_by_root):
        raise NoDaemonError(
            f"the process that listens at {socket_file} belongs to user {uid}",
            hint("another program listens at the control socket", path=socket_file),
        )


def _peer_process(peer: socket.socket) -> int:
    """Return the process at the other end; 0 if it is not known."""
    try:
        return _peer(peer)[0]
    except OSError:
        return 0


def _peer(peer: socket.socket) -> tuple[int, int]:
    """Return process and user at the other end, from the kernel. Process 0: it is not known."""
    if hasattr(socket, "SO_PEERCRED"):
        process, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    else:  # struct xucred: version, user, …
        process, (_, uid) = 0, struct.unpack_from("2I", peer.getsockopt(SOL_LOCAL, LOCAL_PEERCRED, 76))
    return int(process), int(uid)
