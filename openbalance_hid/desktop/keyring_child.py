"""Reads one entry of the keyring and ends: `python -m openbalance_hid.desktop.keyring_child`, which `keyring_process` starts.

Its standard input is a socket: the request comes on it as a line of JSON, and the reply leaves on it.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading

from openbalance_hid.desktop.keyring_backend import error_of, read_entry
from openbalance_hid.desktop.process_hardening import guard_memory


def main() -> None:
    """Serve one request. A dialog for the keyring's password may be open for minutes; it ends with the daemon."""
    guard_memory()
    logging.disable()  # libraries may log what they read
    with socket.socket(fileno=sys.stdin.fileno()) as channel, channel.makefile("r", encoding="utf-8") as lines:
        request = json.loads(lines.readline())
        threading.Thread(target=_end_with_parent, args=(channel,), daemon=True).start()
        reply: dict[str, str | None]
        try:
            reply = {"password": read_entry(request["account"], request["may_prompt"])}
        except BaseException as problem:  # noqa: BLE001 - a panic in Rust is no Exception
            error = error_of(request["account"], problem)
            reply = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
        channel.sendall(json.dumps(reply).encode())
        channel.shutdown(socket.SHUT_WR)
        os._exit(0)


def _end_with_parent(channel: socket.socket) -> None:
    channel.recv(1)  # the parent sends nothing more: it has closed its end
    os._exit(0)


if __name__ == "__main__":
    main()
