"""The locks of the daemon: one process at a time, also after a lock's file or its directory was removed."""

import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from openbalance_hid.errors import AlreadyRunningError, ConfigError, NoDaemonError, UnreachableDaemonError
from openbalance_hid.ipc.control_client import request
from openbalance_hid.ipc.daemon_lock import DaemonLock
from openbalance_hid.ipc.lock_name import lock_name
from tests.other_user import needs_other_user, other_user_command

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="names of sockets without a file are Linux's")

HOLD = """
import sys
from pathlib import Path
sys.platform = sys.argv.pop(1)
from openbalance_hid.ipc.daemon_lock import DaemonLock
files = tuple(map(Path, sys.argv[1:]))
lock = DaemonLock(files, files[-1].with_name("control.sock"))
lock.take()
print("held", flush=True)
sys.stdin.read()
"""


class OtherDaemon:
    """Another process that holds locks until it is ended. `platform`: on another one than Linux, locks have files alone."""

    def __init__(self, *files: Path, platform: str = sys.platform) -> None:
        words = [sys.executable, "-c", HOLD, platform, *map(str, files)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.holds = self.process.stdout.readline() == "held\n"

    def __enter__(self) -> "OtherDaemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "state" / "daemon.lock", tmp_path / "run" / "control.lock"


@pytest.fixture
def lock(files):
    made = DaemonLock(files, files[1].with_name("control.sock"))
    made.take()
    yield made
    made.release()


def test_a_second_daemon_is_refused_with_the_process_that_runs(lock, files):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(files[1].with_name("control.sock")))
    with OtherDaemon(*files) as other:
        assert not other.holds
    with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}") as refusal:
        DaemonLock(files, files[1].with_name("control.sock")).take()
    assert refusal.value.hint == "openbalance-hid stop"


def test_without_a_socket_the_hint_stops_the_daemon_by_its_process(lock, files):
    with pytest.raises(AlreadyRunningError) as refusal:
        DaemonLock(files, files[1].with_name("control.sock")).take()
    assert refusal.value.hint == f"kill {os.getpid()}"


def test_a_killed_daemon_leaves_no_lock(files):
    with OtherDaemon(*files) as other:
        assert other.holds
    lock = DaemonLock(files, files[1].with_name("control.sock"))
    lock.take()
    lock.release()


@pytest.mark.parametrize("removed", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("with_directory", [False, True])
def test_a_removed_lock_is_taken_again(lock, files, removed, with_directory):
    for number in removed:
        shutil.rmtree(files[number].parent) if with_directory else files[number].unlink()
    lock.renew()
    with OtherDaemon(*files) as other:
        assert not other.holds
    for file in files:
        with OtherDaemon(file) as other:
            assert not other.holds


def test_one_lock_that_is_left_keeps_a_second_daemon_out(lock, files):
    files[1].unlink()
    with OtherDaemon(*files) as other:
        assert not other.holds
    assert not files[1].exists(), "a refused daemon takes no other lock"


@on_linux
@pytest.mark.parametrize("with_directories", [False, True])
def test_without_any_file_a_second_daemon_is_refused_with_the_process_that_runs(lock, files, with_directories):
    for file in files:
        shutil.rmtree(file.parent) if with_directories else file.unlink()
    for _ in range(3):
        with OtherDaemon(*files) as other:
            assert not other.holds
    for _ in range(150):  # more than may wait to be accepted
        for file in files:
            file.unlink(missing_ok=True)
        with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"):
            DaemonLock(files, files[1].with_name("control.sock")).take()
        lock.renew()


@on_linux
@pytest.mark.parametrize("removed", ["socket", "lock", "directory"])
def test_a_daemon_that_makes_no_socket_again_is_named_with_exit_code_75(lock, files, removed):
    socket_file = files[1].with_name("control.sock")
    if removed != "socket":
        shutil.rmtree(files[1].parent) if removed == "directory" else files[1].unlink()
    with pytest.raises(UnreachableDaemonError, match=f"process {os.getpid()}") as unreachable:
        request(socket_file, "status", timeout_s=0.2)
    assert unreachable.value.exit_code == AlreadyRunningError.exit_code
    lock.release()
    with pytest.raises(NoDaemonError, match="no daemon is running") as none:
        request(socket_file, "status")
    assert none.value.exit_code == NoDaemonError.exit_code


def put_a_directory_with_files(socket_file: Path) -> None:
    (socket_file / "file").mkdir(parents=True)


def put_a_loop_of_links(socket_file: Path) -> None:
    socket_file.symlink_to(socket_file.name)


def put_a_file_in_place_of_the_directory(socket_file: Path) -> None:
    shutil.rmtree(socket_file.parent)
    socket_file.parent.write_text("")


@on_linux
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (put_a_directory_with_files, "not a socket"),
        (put_a_loop_of_links, "too many levels of symbolic links"),
        (put_a_file_in_place_of_the_directory, "not a directory"),
    ],
)
def test_what_keeps_a_daemon_from_its_socket_is_named_with_its_process(lock, files, damage, reason):
    socket_file = files[1].with_name("control.sock")
    damage(socket_file)
    words = f"a daemon runs as process {os.getpid()}, and cannot use its socket at {socket_file}: {reason}"
    with pytest.raises(UnreachableDaemonError, match=words) as unreachable:
        request(socket_file, "status", timeout_s=0.2)
    assert unreachable.value.hint.startswith("ls -ld ")
    with pytest.raises((AlreadyRunningError, ConfigError)) as refused:
        DaemonLock(files, socket_file).take()
    assert refused.value.hint in (f"kill {os.getpid()}", f"ls -ld {socket_file.parent}")


@on_linux
@needs_other_user
def test_another_user_who_has_bound_the_name_of_a_lock_refuses_no_daemon(lock, files):
    lock.release()
    with ExitStack() as others:
        for file in files:
            words = other_user_command(("listen", lock_name(file)))
            other = others.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            assert other.stdout is not None
            assert other.stdout.readline() == "listening\n"
        lock.take()  # looks up who has each name: the other user's programs end after one client
        with OtherDaemon(*files) as other:
            assert not other.holds


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_while_the_control_socket_is_served_a_second_daemon_is_refused_without_locks(lock, files, platform):
    for file in files:
        file.unlink()
    with closing(socket.socket(socket.AF_UNIX)) as served:
        served.bind(str(files[1].with_name("control.sock")))
        served.listen()
        with OtherDaemon(*files, platform=platform) as other:
            assert not other.holds
    with OtherDaemon(*files, platform="darwin") as other:
        assert other.holds, "a socket that a killed daemon has left refuses no daemon"


def test_a_daemon_whose_locks_another_one_holds_now_ends(lock, files):
    for file in files:
        file.unlink()
    with OtherDaemon(*files, platform="darwin") as other:
        assert other.holds
        with pytest.raises(AlreadyRunningError, match=f"process {other.process.pid}"):
            lock.renew()


def test_a_state_directory_that_cannot_be_written_costs_only_its_lock(files, caplog):
    files[0].parent.write_text("a file in its place")
    lock = DaemonLock(files, files[1].with_name("control.sock"))
    lock.take()
    lock.renew()
    lock.renew()
    assert caplog.text.count("going on without this lock") == 1
    with OtherDaemon(*files) as other:
        assert not other.holds
    files[0].parent.unlink()
    lock.renew()
    with OtherDaemon(files[0]) as other:
        assert not other.holds, "the lock is taken as soon as that is possible"
    lock.release()


def test_a_runtime_directory_that_cannot_be_used_is_a_configuration_error(files):
    files[1].parent.write_text("a file in its place")
    with pytest.raises(ConfigError, match="cannot use the directory"):
        DaemonLock(files, files[1].with_name("control.sock")).take()


def test_a_directory_that_is_removed_again_and_again_stops_no_start(tmp_path: Path) -> None:
    folder, random_, done = tmp_path / "run", random.Random(14), threading.Event()

    def remove() -> None:
        while not done.wait(random_.random() * 0.001):
            shutil.rmtree(folder, ignore_errors=True)

    thread = threading.Thread(target=remove)
    thread.start()
    try:
        for _ in range(300):
            lock = DaemonLock((tmp_path / "state" / "daemon.lock", folder / "control.lock"), folder / "control.sock")
            lock.take()
            lock.renew()
            lock.release()
    finally:
        done.set()
        thread.join()
