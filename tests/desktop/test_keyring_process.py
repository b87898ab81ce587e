"""The keyring, read in a process of its own: the same results and errors as in this one, and it ends with what waits for it."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from openbalance_hid.desktop import keyring_process
from openbalance_hid.desktop.child_process import ChildProcess
from openbalance_hid.desktop.keyring_backend import (
    KeyringError,
    NullKeyringError,
    ReadEntry,
    get_password,
    read_entry,
)
from openbalance_hid.desktop.keyring_process import KeyringProcess
from tests.desktop.keyrings import installed
from tests.desktop.misbehaving_keyring import Backend
from tests.waiting import PATIENCE_S, until, until_no_thread

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="on macOS the Keychain is read in the daemon")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def misbehaving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Use the keyring of this folder, here and in the child. Yield the file that a read which waits writes."""
    waits = tmp_path / "waits"
    with installed(Backend()):
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{Backend.__module__}.Backend")
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("KEYRING_WAITS", str(waits))
        yield waits


@pytest.fixture
def process(misbehaving: Path) -> Iterator[KeyringProcess]:
    with closing(KeyringProcess()) as made:
        yield made


def outcome(account: str, read: ReadEntry) -> object:
    try:
        return get_password(account, PATIENCE_S, True, read)
    except KeyringError as error:
        return type(error), error.message, error.hint, error.retry, error.exit_code


@pytest.mark.parametrize("account", ["good", "none", "locked", "closed", "bug", "missing", "ä' $(x)\n"])
def test_each_read_has_the_same_result_as_in_this_process(process: KeyringProcess, account: str) -> None:
    here = outcome(account, read_entry)
    assert outcome(account, process.read_entry) == here
    assert "0123456789" not in str(here)


def test_a_keyring_that_is_switched_off_is_reported(process: KeyringProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(NullKeyringError, match="the keyring is switched off") as error:
        get_password("work", PATIENCE_S, True, process.read_entry)
    assert error.value.hint.endswith("setup --account work --store file")


def test_the_libraries_of_the_keyring_are_not_in_the_daemon() -> None:
    program = """
import sys
from openbalance_hid.runtime import main
from openbalance_hid.desktop.keyring_backend import get_password
from openbalance_hid.desktop.keyring_process import KeyringProcess
process = KeyringProcess()
print(get_password("good", 60.0, True, process.read_entry))
print(sorted({"keyring", "secretstorage", "cryptography"} & sys.modules.keys()))
process.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stdout, done.stderr) == ("openbalance-hid:good:ä\n\n[]\n", "")


def test_a_dialog_stays_open_after_the_time_limit_and_no_other_read_starts(process: KeyringProcess, misbehaving: Path) -> None:
    with pytest.raises(KeyringError, match=r"did not answer within 0\.3 s"):
        get_password("waits", 0.3, True, process.read_entry)
    until(misbehaving.exists)  # a slow machine may have needed longer to start it
    with pytest.raises(KeyringError, match="did not answer"):
        get_password("good", 0.05, True, process.read_entry)
    Path(f"{misbehaving}.answered").touch()
    until_no_thread("keyring")
    assert get_password("waits", PATIENCE_S, True, process.read_entry) == "openbalance-hid:waits:ä\n"


def test_a_read_ends_with_the_daemon(misbehaving: Path) -> None:
    program = "from openbalance_hid.desktop.keyring_process import KeyringProcess as P; P().read_entry('waits', True)"
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        until(lambda: misbehaving.exists() and misbehaving.read_text())
        parent.kill()
    child = int(misbehaving.read_text())
    until(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_read_that_crashes_is_made_here(process: KeyringProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    apart: list[str] = []
    monkeypatch.setattr(keyring_process.keyring_backend, "read_entry", lambda account, _: apart.append(account) or "here")
    with monkeypatch.context() as patches:
        patches.setenv("KEYRING_CRASHES", "1")
        assert process.read_entry("crash", True) == "here"
    assert process.read_entry("good", True) == "openbalance-hid:good:ä\n"
    assert apart == ["crash"]


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOENT])
def test_without_a_child_the_keyring_is_read_here(number: int) -> None:
    def fail(_: socket.socket) -> ChildProcess:
        raise OSError(number, os.strerror(number))

    assert KeyringProcess(fail).read_entry("good", True) == "openbalance-hid:good:ä\n"


def test_many_reads_at_once_share_one_child() -> None:
    started: list[ChildProcess] = []

    def spawn(channel: socket.socket) -> ChildProcess:
        started.append(ChildProcess(keyring_process.MODULE, channel))
        return started[-1]

    names = [f"account {number}" for number in range(200)]
    with closing(KeyringProcess(spawn)) as process, ThreadPoolExecutor(20) as threads:
        read = list(threads.map(lambda name: process.read_entry(name, True), names))
        assert read == [f"openbalance-hid:{name}:ä\n" for name in names]
        assert len(started) == 1


def test_the_end_of_the_daemon_closes_the_dialog_and_opens_no_other(misbehaving: Path) -> None:
    process = KeyringProcess()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(process.read_entry, "waits", True)
        until(lambda: misbehaving.exists() and misbehaving.read_text())
        process.close()
        with pytest.raises(KeyringError, match="the daemon is stopping"):
            waiting.result(PATIENCE_S)
    assert not is_running(int(misbehaving.read_text()))
    with pytest.raises(KeyringError, match="the daemon is stopping"):
        process.read_entry("good", True)


def test_the_child_ends_when_nothing_is_read_for_a_while() -> None:
    with closing(KeyringProcess(linger_s=0.01)) as process:
        for _ in range(2):
            assert process.read_entry("none", True) is None
            until_no_thread("process of the keyring")
