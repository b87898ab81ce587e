"""Another user of this machine, a real one: a process that becomes "nobody" before it tries anything."""

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

NOBODY = 65534

_TRY = """
import json, os, socket, sys
nobody, attempts = json.loads(sys.argv[1])
os.setgroups([])
os.setregid(nobody, nobody)
os.setreuid(nobody, nobody)
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
    """What goes before a program that root is to start; None where nobody can become root without being asked."""
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return (sudo, "-n")
    return None


needs_stranger = pytest.mark.skipif(as_root() is None, reason="neither root nor a sudo that asks nothing: no other user to be")


def stranger(*attempts: tuple[str, ...]) -> list[str]:
    """The command of one who makes these attempts, and says on stdout what came of each."""
    return [*(as_root() or ()), sys.executable, "-I", "-c", _TRY, json.dumps([NOBODY, attempts])]


def tries(*attempts: tuple[str, ...]) -> list[str]:
    """What a stranger got for each: "done", or the name of the error."""
    told = subprocess.run(stranger(*attempts), capture_output=True, text=True, timeout=60, check=True)
    return list(json.loads(told.stdout))


def give_away(path: Path) -> None:
    """Makes a stranger the owner."""
    subprocess.run([*(as_root() or ()), "chown", "-h", str(NOBODY), str(path)], check=True)


@pytest.fixture
def street() -> Iterator[Path]:
    """A directory that everybody may enter and put things into, as /tmp; pytest's own are closed to strangers."""
    made = Path(tempfile.mkdtemp(prefix="street-", dir="/tmp")).resolve()
    made.chmod(0o1777)
    yield made
    subprocess.run([*(as_root() or ()), "rm", "-rf", str(made)], check=True)
