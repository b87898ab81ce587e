"""The HTTP process: `python -m openbalance_hid.runtime.http_child`, which `http_process` starts.

Its standard input is a socket. Each message there brings one end of a pair of sockets, for one session on a thread of its own.
It ends when the daemon closes the socket, or has ended.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from contextlib import closing
from pathlib import Path

from openbalance_hid.desktop.process_hardening import guard_memory
from openbalance_hid.openrouter.http import RequestsSession
from openbalance_hid.runtime import http_messages
from openbalance_hid.runtime.http_messages import BodyPiece, Ready, Response, failure, receive, send
from openbalance_hid.secret import Secret


def main() -> None:
    """Serve sessions until the daemon closes the socket."""
    guard_memory()  # before a key arrives
    logging.disable()  # libraries log what a server has sent
    control = socket.socket(fileno=sys.stdin.fileno())
    while True:
        marks, descriptors, *_ = socket.recv_fds(control, 1, 1)
        if not marks:
            os._exit(0)  # without waiting for threads: their answers are not needed any more
        for descriptor in descriptors:
            threading.Thread(target=serve_session, args=(socket.socket(fileno=descriptor),), daemon=True).start()


def serve_session(channel: socket.socket) -> None:
    """Run the requests of one session until its other end is closed."""
    with channel, channel.makefile("rb") as stream:
        try:
            opening = receive(stream, http_messages.OPENING)
            if opening is None:
                return
            try:
                secret = Secret(opening.key) if opening.key is not None else None
                ca_file = Path(opening.ca_file) if opening.ca_file is not None else None
                session = RequestsSession(secret, opening.base_url, opening.limits, ca_file)
            except Exception as error:  # noqa: BLE001  the daemon logs it
                send(channel, failure(error))
                return
            with closing(session):
                send(channel, Ready(http_messages.VERSION))
                while (request := receive(stream, http_messages.REQUEST)) is not None:
                    _run(session, request, channel)
        except OSError:
            pass  # the daemon has given up the request


def _run(session: RequestsSession, request: http_messages.HttpRequest, channel: socket.socket) -> None:
    take = (lambda piece: send(channel, BodyPiece(piece))) if request.in_pieces else None
    try:
        response = session.run(request.method, request.path, request.body, request.largest_bytes, take)
    except Exception as error:  # noqa: BLE001  the daemon logs it
        send(channel, failure(error))
    else:
        send(channel, Response(response))


if __name__ == "__main__":
    main()
