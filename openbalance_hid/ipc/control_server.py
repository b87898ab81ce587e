"""The control socket: one JSON object a line in, one out. Mode 0600 in a directory of mode 0700.

    {"command": "status"}                     -> {"ok": {...}}
    {"command": "hold", "key": 3}             -> {"ok": null}
    {"command": "watch-status"}               -> {"ok": {...}} now and at each change, until either side closes
    a request that cannot be carried out      -> {"error": "…", "hint": "…", "exit_code": 2}

Not here: that one process alone listens (daemon_lock.py), the commands and their fields (commands.py, messages.py), and the
client.
"""

import contextlib
import errno
import json
import logging
import os
import select
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from openbalance_hid.client_listener import ClientListener
from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.errors import ConfigError, OpenBalanceError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.socket_path import socket_path_problem
from openbalance_hid.restarting_thread import RestartingThread
from openbalance_hid.secret import mask_keys

log = logging.getLogger(__name__)

SOCKET_MODE = 0o600
LINE_LIMIT = 64 * 1024  # bytes of one request; the longest real one is below 200
CLIENT_LIMIT = 32  # threads for clients; one more client takes the place of the one that has been idle for longest
BACKLOG = 128  # connections that wait to be accepted
IDLE_LIMIT_S = 10.0  # a client that sends nothing, or reads nothing, for this long is disconnected
EVICTION_LIMIT_S = 1.0  # how long a new client waits for the thread of the one that it replaces
START_TRIES = 5
STOP_LIMIT_S = 0.3
_BUSY_S = float("inf")

# Returns the result of a request; raises OpenBalanceError. A stream is an iterator of results, with None where it has no
# result but the connection can be checked.
ControlRequestHandler = Callable[[Mapping[str, Any]], Any]


class ControlServer:
    """Listens on `socket_file` and calls `handle` for each request. The caller holds the lock of the daemon."""

    def __init__(self, socket_file: Path, handle: ControlRequestHandler) -> None:
        self._file = socket_file
        self._handle = handle
        self._listener: ClientListener | None = None
        self._bound: os.stat_result | None = None  # the socket's file
        self._thread: RestartingThread | None = None
        self._cannot_listen = False
        self._places = threading.BoundedSemaphore(CLIENT_LIMIT)  # one for each thread of a client
        self._clients_lock = threading.Lock()
        self._clients: dict[socket.socket, float] = {}  # monotonic seconds of the last activity; _BUSY_S during a request
        self._stopping = threading.Event()

    def start(self) -> None:
        """Listen. ConfigError if that is not possible."""
        for left in reversed(range(START_TRIES)):
            try:
                self._listen()
            except ConfigError as error:
                if left == 0 or not isinstance(error.__cause__, FileNotFoundError):  # the directory was removed meanwhile
                    raise
            else:
                return

    def _listen(self) -> None:
        if problem := socket_path_problem(self._file, sys.platform):
            raise ConfigError(problem, hint("the control socket cannot be made"))
        private_dir(self._file.parent)
        try:
            _remove(self._file)  # of a daemon that was killed; the lock proves that none runs
        except OSError as error:
            raise ConfigError(
                f"cannot remove {self._file}: {_reason(error)}", hint("the control socket cannot be made")
            ) from error
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._file))
            self._bound = self._file.lstat()
            self._file.chmod(SOCKET_MODE)
            listener.listen(BACKLOG)
            clients = ClientListener(listener)
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"cannot listen at {self._file}: {_reason(error)}", hint("the control socket cannot be made")
            ) from error
        self._close_listener()
        self._listener = clients
        self._start_thread()

    def renew(self) -> None:
        """Listen again if the socket's file was removed or replaced, or the thread has ended. A failure is logged once."""
        if self._stopping.is_set():
            return
        try:
            if self._listener is None or not self._is_reachable():
                self.start()
                log.warning("%s had been removed or changed; the daemon listens there again", self._file)
            elif self._thread is not None:
                self._thread.revive()
        except ConfigError as error:
            if not self._cannot_listen:
                log.warning("no command reaches the daemon: %s", error)
            self._cannot_listen = True
        else:
            self._cannot_listen = False

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Stop listening, within `limit_s`. Idempotent."""
        self._stopping.set()
        if self._is_ours():  # not the file of another daemon
            with contextlib.suppress(OSError):  # the directory is closed or read-only now; the next daemon replaces the file
                self._file.unlink()
        self._close_listener(limit_s)

    def _is_ours(self) -> bool:
        try:
            return self._bound is not None and os.path.samestat(self._file.lstat(), self._bound)
        except OSError:
            return False

    def _is_reachable(self) -> bool:
        try:
            return self._is_ours() and stat.S_IMODE(self._file.lstat().st_mode) == SOCKET_MODE
        except OSError:
            return False

    def _start_thread(self) -> None:
        assert self._listener is not None  # noqa: S101 - after a successful start
        self._thread = RestartingThread("control", partial(self._accept_clients, self._listener))
        self._thread.start()

    def _close_listener(self, limit_s: float = STOP_LIMIT_S) -> None:
        if self._listener is not None:
            self._listener.stop()
        if self._thread is not None:
            self._thread.stop()
            self._thread.join(limit_s)
            self._thread = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept_clients(self, listener: ClientListener) -> None:
        failing = False
        while True:
            try:
                client = listener.accept()
            except OSError as error:
                if self._stopping.is_set() or error.errno in (errno.EBADF, errno.EINVAL):
                    return
                if not failing:
                    log.warning("the control socket cannot accept a client: %s", error)
                failing = True
                self._stopping.wait(1.0)  # out of file descriptors: wait until others are closed
                continue
            if client is None:
                return
            if failing:
                log.info("the control socket accepts clients again")
            failing = False
            if not self._admit(client):
                client.close()
                continue
            try:
                threading.Thread(target=self._serve, args=(client,), name="control client", daemon=True).start()
            except RuntimeError as error:  # the system's limit of threads
                log.warning("the control socket cannot accept a client: %s", error)
                self._remove(client)
                client.close()

    def _admit(self, client: socket.socket) -> bool:
        """Return whether the client has a place; when all are taken, disconnect the client that has been idle for longest."""
        if not self._places.acquire(blocking=False):
            self._disconnect_idle()
            if not self._places.acquire(timeout=EVICTION_LIMIT_S):
                return False
        with self._clients_lock:
            self._clients[client] = time.monotonic()
        return True

    def _disconnect_idle(self) -> None:
        with self._clients_lock:
            client = min(self._clients, key=lambda each: self._clients[each], default=None)
            if client is None or self._clients[client] == _BUSY_S:
                return
            del self._clients[client]
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)  # its thread wakes, and ends

    def _mark(self, client: socket.socket, at_s: float) -> None:
        with self._clients_lock:
            if client in self._clients:
                self._clients[client] = at_s

    def _remove(self, client: socket.socket) -> None:
        with self._clients_lock:
            self._clients.pop(client, None)
        self._places.release()

    def _serve(self, client: socket.socket) -> None:
        """Answer the requests of one client until it disconnects; runs on a thread of its own."""
        try:
            client.settimeout(IDLE_LIMIT_S)
            with client, client.makefile("rb") as lines:
                while line := lines.readline(LINE_LIMIT + 1):
                    if len(line) > LINE_LIMIT:
                        return
                    self._mark(client, _BUSY_S)
                    if not self._send_replies(client, line):
                        return
                    self._mark(client, time.monotonic())
        except OSError:
            return  # disconnected, or idle for too long
        finally:
            self._remove(client)

    def _send_replies(self, client: socket.socket, line: bytes) -> bool:
        """Send every reply to the request in `line`; return whether the client is still connected."""
        with contextlib.closing(self._replies(line)) as replies:
            for reply in replies:
                self._mark(client, time.monotonic())  # a client that does not read may be disconnected
                if reply is not None:
                    client.sendall(mask_keys(json.dumps(reply)).encode() + b"\n")  # one in the configuration, by mistake
                elif self._stopping.is_set() or _is_disconnected(client):
                    return False
                self._mark(client, _BUSY_S)
        return True

    def _replies(self, line: bytes) -> Generator[dict[str, Any] | None]:
        try:
            request = msgspec.json.decode(line)
            if not isinstance(request, dict):
                raise UsageError("a request is a JSON object")
            result = self._handle(request)
            if isinstance(result, Iterator):
                yield from (None if each is None else {"ok": each} for each in result)
            else:
                yield {"ok": result}
        except OpenBalanceError as error:
            yield {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            yield {"error": "the request is not JSON", "hint": "", "exit_code": UsageError.exit_code}
        except Exception:  # one turn of a thread
            log.exception("a request on the control socket failed")
            yield {"error": "the daemon failed on this request; its log has the traceback", "hint": "", "exit_code": 1}


def _remove(file: Path) -> None:
    """Remove the file, also an empty directory: container engines make one where a path that they mount does not exist."""
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    else:
        file.unlink(missing_ok=True)


def _is_disconnected(client: socket.socket) -> bool:
    poll = select.poll()
    poll.register(client, select.POLLIN)
    return bool(poll.poll(0)) and client.recv(1, socket.MSG_PEEK) == b""


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
