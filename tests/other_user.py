"""Another real user of this machine: a process that switches to the user id 65534 before it does anything."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

OTHER_UID = 65534

_TRY = """
import json, os, socket, sys
other, attempts = json.loads(sys.argv[1])
os.setgroups([])
os.setregid(other, other)
os.setreuid(other, other)
os.umask(0)

def connect(path):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)

def listen(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("listening", flush=True)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(20)
            peer.recv(4096)
            peer.sendall(b'{"ok": {"accounts": {}}}\\n')

ways = {
    "read": lambda path: open(path, "rb").read(1),
    "list": os.listdir,
    "connect": connect,
    "write": lambda path: open(path, "ab").write(b"x"),
    "create": lambda path: open(path, "x"),
    "remove": os.unlink,
    "mkdir": lambda path: os.mkdir(path, 0o777),
    "link": lambda path, target: os.symlink(target, path),
    "listen": listen,
}
results = []
for way, *words in attempts:
    try:
        ways[way](*words)
        results.append("done")
    except OSError as error:
        results.append(type(error).__name__)
print(json.dumps(results))
"""


@functools.cache
def as_root() -> tuple[str, ...] | None:
    """Return the words that start a program as root; None where that needs a password."""
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return (sudo, "-n")
    return None


needs_other_user = pytest.mark.skipif(as_root() is None, reason="needs root, or sudo without a password")


def other_user_command(*attempts: tuple[str, ...]) -> list[str]:
    """Return a command that makes these attempts as another user and prints their results."""
    return [*(as_root() or ()), sys.executable, "-I", "-c", _TRY, json.dumps([OTHER_UID, attempts])]


def try_as_other_user(*attempts: tuple[str, ...]) -> list[str]:
    """Make these attempts as another user and return the results: "done", or the name of the error."""
    ended = subprocess.run(other_user_command(*attempts), capture_output=True, text=True, timeout=240, check=True)
    return list(json.loads(ended.stdout))


def give_to_other_user(path: Path) -> None:
    """Make another user the owner of a file."""
    subprocess.run([*(as_root() or ()), "chown", "-h", str(OTHER_UID), str(path)], check=True)


@pytest.fixture
def shared_directory() -> Iterator[Path]:
    """A directory that every user may enter and write to, as /tmp. Pytest's own directories are private."""
    made = Path(tempfile.mkdtemp(prefix="shared-", dir="/tmp")).resolve()
    made.chmod(0o1777)
    yield made
    subprocess.run([*(as_root() or ()), "rm", "-rf", str(made)], check=True)
