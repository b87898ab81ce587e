"""Search for a key, or half of it, in everything that a process has written."""

from __future__ import annotations

import base64
import json
import os
import pty
import random
import resource
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.main_job.daemon_process import COMMAND, ask
from tests.private_bus import serving
from tests.waiting import PATIENCE_S

Way = TypeVar("Way")
_SPY = """#!/bin/sh
{ printf '%s\\n' "$0" "$@"; env; cat /proc/$PPID/cmdline; ls -l /proc/$$/fd; } >> "$SPY_LOG.$$" 2>&1
exit ${SPY_CODE:-0}
"""


class KeySearch:
    """`seen`: what was written, by place. `few`: how many of the ways to leak the key are tried; 0: all."""

    def __init__(self, key: str, folder: Path, few: int = 0, seed: int = 0) -> None:
        self.key = key
        self.folder = folder
        self._few = few
        self._dice = random.Random(seed)
        self.seen: dict[str, bytes] = {}

    def some(self, ways: Sequence[Way]) -> Sequence[Way]:
        return self._dice.sample(ways, min(self._few, len(ways))) if self._few else ways

    def note(self, where: str, *texts: bytes | str) -> None:
        whole = b"\n".join(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text for text in texts)
        self.seen[where] = self.seen.get(where, b"") + b"\n" + whole

    def ask(self, env: Mapping[str, str], *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command and note its output."""
        done = ask(env, *words, typed=typed)
        self.note(" ".join(words).replace(self.key, "KEY"), done.stdout, done.stderr)
        return done

    def note_files(self, *own_stores: Path) -> None:
        """Note the names and contents of all files below the folder, except the stores of the key."""
        for file in self.folder.rglob("*"):
            self.note("names of files", str(file.relative_to(self.folder)))
            if file.is_file() and file not in own_stores:
                self.note(f"file {file.relative_to(self.folder)}", file.read_bytes())

    def traces(self) -> dict[bytes, str]:
        """Return the texts that would reveal the key, and their names."""
        secret = self.key.removeprefix("sk-or-v1-")
        half = len(secret) // 2
        found = {self.key: "whole", secret[:half]: "first half", secret[half:]: "second half", self.key[::-1]: "backwards"}
        for start in range(3):  # base64 of a text with the key in it
            found[base64.b64encode(b"x" * start + self.key.encode()).decode()[4:-4]] = "base64"
        return {text.encode(): name for text, name in found.items()} | {self.key.encode().hex().encode(): "hexadecimal"}

    def found(self) -> list[str]:
        """Return the places where the key, or half of it, was written."""
        return [
            f"{name} in {where}" for where, text in self.seen.items() for trace, name in self.traces().items() if trace in text
        ]


def typed_on_a_terminal(env: Mapping[str, str], *words: str, text: str) -> tuple[bytes, int]:
    """Run a command on a real terminal, type `text` at its prompt, and return what is shown and the exit code.

    Every other question gets "n".
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen([*COMMAND, *words], env=dict(env), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown, typed, declined, end_s = b"", False, 0, time.monotonic() + PATIENCE_S
        with suppress(OSError):  # EIO: the other end has closed
            while time.monotonic() < end_s and select.select([ours], [], [], PATIENCE_S)[0]:
                piece = os.read(ours, 65_536)
                if not piece:
                    break
                shown += piece
                if b"not shown" in shown and not typed:
                    typed = os.write(ours, text.encode() + b"\n") > 0
                if shown.count(b"/n]: ") + shown.count(b"/N]: ") > declined:
                    declined += 1
                    os.write(ours, b"n\n")
        code = process.wait(PATIENCE_S)
    os.close(ours)
    return shown, code


def raw_reply(socket_file: Path, **request: object) -> bytes:
    """Send a request to the control socket and return the raw line of the reply."""
    with socket.socket(socket.AF_UNIX) as peer, peer.makefile("rb") as lines:
        peer.settimeout(PATIENCE_S)
        peer.connect(str(socket_file))
        peer.sendall(json.dumps(request).encode() + b"\n")
        return lines.readline()


@contextmanager
def core_dumps(folder: Path) -> Iterator[None]:
    """Allow core dumps in the block, and check that no process left one below the folder or the working directory."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    assert [*folder.rglob("core*"), *Path.cwd().glob("core*")] == []


def spies(folder: Path, *programs: str) -> None:
    """Make programs that record their arguments, environment, parent and open files."""
    folder.mkdir()
    for program in programs:
        (folder / program).write_text(_SPY)
        (folder / program).chmod(0o755)


@contextmanager
def desktop(address: str) -> Iterator[list[str]]:
    """Yield every message to notifications and portal on a bus; the portal refuses to open pages."""
    import jeepney

    received: list[str] = []

    def serve(connection: Any) -> Callable[[Any], None]:
        def answer(call: Any) -> None:
            received.append(repr((call.header, call.body)))
            member = call.header.fields.get(jeepney.HeaderFields.member)
            if member == "Notify":
                connection.send(jeepney.new_method_return(call, "u", (1,)))
            elif member == "OpenURI":
                connection.send(jeepney.new_error(call, "org.freedesktop.portal.Error.NotAllowed", "s", ("no",)))
            elif call.header.message_type is jeepney.MessageType.method_call:
                connection.send(jeepney.new_error(call, "org.freedesktop.DBus.Error.UnknownMethod", "s", ("no",)))

        return answer

    with serving(address, ("org.freedesktop.Notifications", "org.freedesktop.portal.Desktop"), serve):
        yield received


@contextmanager
def monitored(address: str) -> Iterator[list[str]]:
    """Yield every message on a bus, as any program of the same user can receive them."""
    import jeepney

    received: list[str] = []

    def serve(connection: Any) -> Callable[[Any], None]:
        bus = jeepney.DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring")
        connection.send_and_get_reply(jeepney.new_method_call(bus, "BecomeMonitor", "asu", ([], 0)))
        return lambda message: received.append(repr((message.header, message.body)))

    with serving(address, (), serve):
        yield received
