"""Reads the keyring in a process of its own: what that takes, 11 MiB with a Secret Service, ends with it.

The keyring is read once for each poll, and the daemon would keep its libraries for months. On macOS they are small, and it is
read in the daemon.
"""

from __future__ import annotations

import json
import socket
import sys
import threading

from openbalance_hid.desktop import keyring_backend
from openbalance_hid.desktop.child_process import ChildProcess
from openbalance_hid.desktop.lingering_child import LINGER_S, LingeringChild, Spawn

MODULE = "openbalance_hid.desktop.keyring_child"


class KeyringProcess:
    """Reads entries in a child, one after another. Thread-safe."""

    def __init__(self, spawn: Spawn = lambda channel: ChildProcess(MODULE, channel), linger_s: float = LINGER_S) -> None:
        """See `LingeringChild`."""
        self._children = LingeringChild(spawn, "process of the keyring", linger_s)
        self._reading = threading.Lock()

    def read_entry(self, account: str, may_prompt: bool) -> str | None:
        """Do what `keyring_backend.read_entry` does, in a child; in this process if there is none. Raises KeyringError."""
        reply = self._reply(account, may_prompt) if sys.platform != "darwin" else None
        if reply is None and self._children.is_closed:
            raise keyring_backend.KeyringError("the daemon is stopping")
        if reply is None:
            return keyring_backend.read_entry(account, may_prompt)
        if "error" in reply:
            raise keyring_backend.error_named(reply["error"] or "", reply["message"] or "", reply["hint"] or "")
        return reply["password"]

    def close(self) -> None:
        """End the child, and a dialog that it has open. Idempotent."""
        self._children.close()

    def _reply(self, account: str, may_prompt: bool) -> dict[str, str | None] | None:
        """Return the reply; None if no child can be started, or it ends without one."""
        try:
            child = self._children.take()
        except OSError:
            return None
        reply: dict[str, str | None] | None = None
        try:
            with self._reading:
                reply = _ask(child.control, account, may_prompt)
        except (OSError, ValueError):  # no line, or half of one
            pass
        finally:
            self._children.give_back(child, is_broken=reply is None)
        return reply


def _ask(control: socket.socket, account: str, may_prompt: bool) -> dict[str, str | None]:
    control.sendall(json.dumps({"account": account, "may_prompt": may_prompt}).encode() + b"\n")
    with control.makefile("rb") as stream:  # one reply for each request: nothing else is read with it
        reply: dict[str, str | None] = json.loads(stream.readline())
    return reply
