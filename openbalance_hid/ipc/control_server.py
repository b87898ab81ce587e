"""The local socket: one JSON object a line in, one out. Mode 0600 in a directory of mode 0700.

    {"command": "status"}                     -> {"ok": {...}}
    {"command": "hold", "key": 3}             -> {"ok": null}
    {"command": "watch"}                      -> {"ok": {...}} now and at each change, until either side closes
    anything that cannot be done              -> {"error": "…", "hint": "…", "exit_code": 2}

Owning the socket's lock is being the daemon: a second one is refused. The lock is the kernel's (flock), so it ends with its
process, however that ends.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openbalance_hid.config.paths import private_dir
from openbalance_hid.errors import AlreadyRunningError, ConfigError, OpenBalanceError, UsageError

log = logging.getLogger(__name__)

LINE_LIMIT = 64 * 1024  # bytes of one request; the longest real one is below 200
CLIENT_LIMIT = 32  # one more takes the place of whoever has waited longest
BACKLOG = 128  # clients that wait to be taken: a whole crowd may come at once
IDLE_LIMIT_S = 10.0  # a client that says nothing, or reads nothing, for so long is let go
_BUSY_S = float("inf")

# A request in, what `ok` holds out, OpenBalanceError otherwise. An iterator is a stream of such, with None where there is
# nothing to say but the peer may be looked at.
Answer = Callable[[Mapping[str, Any]], Any]


class ControlServer:
    """Listens on `socket_file`, asks `answer` for each request. `start` before anything else that only one daemon may do."""

    def __init__(self, socket_file: Path, answer: Answer) -> None:
        self._file = socket_file
        self._answer = answer
        self._lock: int | None = None
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._clients_lock = threading.Lock()
        self._clients: dict[socket.socket, float] = {}  # monotonic seconds of its last word, _BUSY_S while that is answered
        self._stopping = threading.Event()

    def start(self) -> None:
        """Take the lock and listen. AlreadyRunningError names the process that holds it."""
        directory = private_dir(self._file.parent)
        try:
            self._lock = _take_lock(directory / "control.lock")
            self._file.unlink(missing_ok=True)  # of a daemon that was killed; the lock says that none is alive
        except OSError as error:
            self.stop()
            reason = (error.strerror or str(error)).lower()
            raise ConfigError(f"cannot write in {directory}: {reason}", "openbalance-hid doctor") from error
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(str(self._file))
        except OSError as error:  # a path over 107 bytes, most likely
            self.stop()
            reason = (error.strerror or str(error)).lower()
            raise ConfigError(f"cannot listen at {self._file}: {reason}", "openbalance-hid doctor") from error
        self._file.chmod(0o600)
        self._socket.listen(BACKLOG)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and give the lock back; may be called twice."""
        self._stopping.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
            self._socket.close()
            self._file.unlink(missing_ok=True)
            self._socket = None
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _serve(self) -> None:
        listener, troubled = self._socket, False
        while listener is not None and not self._stopping.is_set():
            try:
                client, _ = listener.accept()
            except OSError as error:
                if self._stopping.is_set() or error.errno in (errno.EBADF, errno.EINVAL):
                    return
                if not troubled:
                    log.warning("the control socket cannot take a client: %s", error)
                troubled = True
                self._stopping.wait(1.0)  # out of file descriptors: let others finish
                continue
            if troubled:
                log.info("the control socket takes clients again")
            troubled = False
            if not self._admit(client):
                client.close()
                continue
            try:
                threading.Thread(target=self._talk, args=(client,), name="control client", daemon=True).start()
            except RuntimeError as error:  # no room for one more
                log.warning("the control socket cannot take a client: %s", error)
                self._forget(client)
                client.close()

    def _admit(self, client: socket.socket) -> bool:
        """Whether there is room: else for the one who has said nothing for the longest time there is none any more."""
        with self._clients_lock:
            if len(self._clients) >= CLIENT_LIMIT:
                longest = min(self._clients, key=lambda each: self._clients[each])
                if self._clients[longest] == _BUSY_S:
                    return False
                del self._clients[longest]
                with contextlib.suppress(OSError):
                    longest.shutdown(socket.SHUT_RDWR)  # its thread wakes, and ends
            self._clients[client] = time.monotonic()
            return True

    def _mark(self, client: socket.socket, at_s: float) -> None:
        with self._clients_lock:
            if client in self._clients:
                self._clients[client] = at_s

    def _talk(self, client: socket.socket) -> None:
        try:
            client.settimeout(IDLE_LIMIT_S)
            with client, client.makefile("rb") as lines:
                while line := lines.readline(LINE_LIMIT + 1):
                    if len(line) > LINE_LIMIT:
                        return
                    self._mark(client, _BUSY_S)
                    for reply in self._replies(line):
                        self._mark(client, time.monotonic())
                        if reply is not None:
                            client.sendall(json.dumps(reply).encode() + b"\n")
                        elif self._stopping.is_set() or _has_left(client):
                            return
        except OSError:
            return  # gone, or silent for too long
        finally:
            self._forget(client)

    def _forget(self, client: socket.socket) -> None:
        with self._clients_lock:
            self._clients.pop(client, None)

    def _replies(self, line: bytes) -> Iterator[dict[str, Any] | None]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise UsageError("a request is a JSON object")
            answer = self._answer(request)
            if isinstance(answer, Iterator):
                yield from (None if each is None else {"ok": each} for each in answer)
            else:
                yield {"ok": answer}
        except OpenBalanceError as error:
            yield {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        except (ValueError, RecursionError):
            yield {"error": "the request is not JSON", "hint": "", "exit_code": UsageError.exit_code}
        except Exception:  # one turn of a thread
            log.exception("a request on the control socket failed")
            yield {"error": "the daemon failed on this request; its log says why", "hint": "", "exit_code": 1}


def _has_left(client: socket.socket) -> bool:
    look = select.poll()
    look.register(client, select.POLLIN)
    return bool(look.poll(0)) and client.recv(1, socket.MSG_PEEK) == b""


def _take_lock(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 32).decode(errors="replace").strip()
        os.close(lock)
        name = f" as process {holder}" if holder.isdigit() else ""
        raise AlreadyRunningError(f"another daemon is running{name}", "openbalance-hid stop") from error
    with contextlib.suppress(OSError):  # only who holds it is not to be read then
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    return lock
