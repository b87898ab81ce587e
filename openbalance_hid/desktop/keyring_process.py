"""Reads the keyring in a process of its own: what that takes, 11 MiB with a Secret Service, ends with it.

It is read once for each poll, and the daemon would keep its libraries for months. On macOS they are small, and it is not used.
"""

from __future__ import annotations

import json
import socket
import sys

from openbalance_hid.desktop import keyring_backend
from openbalance_hid.desktop.child_process import ChildProcess

MODULE = "openbalance_hid.desktop.keyring_child"
_END_LIMIT_S = 2.0


def read_entry_apart(account: str, may_prompt: bool) -> str | None:
    """Do what `keyring_backend.read_entry` does, in a child; in this process if none can be started. Raises KeyringError."""
    if sys.platform == "darwin":
        return keyring_backend.read_entry(account, may_prompt)
    ours, theirs = socket.socketpair()
    with ours:
        try:
            with theirs:
                child = ChildProcess(MODULE, theirs)
        except OSError:
            return keyring_backend.read_entry(account, may_prompt)
        reply = _reply(ours, account, may_prompt)
    child.end(_END_LIMIT_S)
    if reply is None:  # it has ended without a word: its files may be gone
        return keyring_backend.read_entry(account, may_prompt)
    if "error" in reply:
        raise keyring_backend.error_named(reply["error"] or "", reply["message"] or "", reply["hint"] or "")
    return reply["password"]


def _reply(channel: socket.socket, account: str, may_prompt: bool) -> dict[str, str | None] | None:
    try:
        channel.sendall(json.dumps({"account": account, "may_prompt": may_prompt}).encode() + b"\n")
        with channel.makefile("rb") as stream:
            found: dict[str, str | None] = json.loads(stream.read())
    except (OSError, ValueError):
        return None
    return found
