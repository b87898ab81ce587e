"""Reads entries of the keyring: `python -m openbalance_hid.desktop.keyring_child`, which `keyring_process` starts.

Its standard input is a socket, with a line of JSON for each request and each reply. It ends when the daemon closes it, or has
ended, also while a dialog for the keyring's password is open.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from queue import SimpleQueue

from openbalance_hid.desktop.keyring_backend import error_of, read_entry
from openbalance_hid.desktop.process_hardening import guard_memory


def main() -> None:
    """Serve requests, one after another, until the daemon closes the socket."""
    guard_memory()
    logging.disable()  # libraries may log what they read
    control = socket.socket(fileno=sys.stdin.fileno())
    requests: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_serve, args=(control, requests), daemon=True).start()
    with control.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            requests.put(line)
    os._exit(0)


def _serve(control: socket.socket, requests: SimpleQueue[str]) -> None:
    try:
        while True:
            control.sendall(json.dumps(_reply(**json.loads(requests.get()))).encode() + b"\n")
    finally:
        os._exit(1)  # without a reply, which the daemon would wait for


def _reply(account: str, may_prompt: bool) -> dict[str, str | None]:
    try:
        return {"password": read_entry(account, may_prompt)}
    except BaseException as problem:  # noqa: BLE001 - a panic in Rust is no Exception
        error = error_of(account, problem)
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint}


if __name__ == "__main__":
    main()
