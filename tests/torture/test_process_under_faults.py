"""System faults of the whole daemon: many signals, no free descriptor, a full disk, read-only directories."""

import os
import resource
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from openbalance_hid.app.tile_views import RING_STEPS
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import COMMAND, DaemonProcess, environment, page_of, started
from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.torture.resource_usage import ResourceUsage, has_proc, needs_proc
from tests.waiting import PATIENCE_S, until

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")
KEY = "OPENROUTER_MANAGEMENT_KEY"
REFRESH_S = 10.0  # between two refreshes
on_linux = pytest.mark.skipif(not has_proc, reason=needs_proc)


@contextmanager
def running_at(folder: Path, *words: str) -> Iterator[tuple[DaemonProcess, SampleAccount]]:
    """Run a daemon with its own account, until the end of the block; yield them after the first answer."""
    with SampleAccount() as account:
        env = environment(folder, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with started(env, *(words or RUN)) as running:
            until(lambda: running.status()["accounts"]["default"]["health"] == "ok")
            yield running, account


def samples(folder: Path) -> list[str]:
    """Return the times of the samples in the file, which must be intact."""
    with sqlite3.connect(folder / "state" / "history.sqlite3") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = [row[0] for row in db.execute("SELECT at FROM samples ORDER BY at")]
    db.close()
    return found


# --- signals ------------------------------------------------------------------------------------------------------------------


@on_linux
@amounts("signals", 400, 20_000)
def test_a_storm_of_hangups_costs_no_threads_and_the_last_file_is_in_force(
    tmp_path: Path, signals: int, seed: int, figures: Figures
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("refresh_minutes = 15\n")
    with running_at(tmp_path) as (running, _):
        pid, before = running.process.pid, ResourceUsage.of(running.process.pid)
        most = before
        for number in range(signals):
            os.kill(pid, signal.SIGHUP)
            if number % 50 == 0:
                file.write_text(f"hold_seconds = {0.5 + number % 7 / 2}\n")
                now = ResourceUsage.of(pid)
                most = ResourceUsage(
                    max(most.threads, now.threads), max(most.handles, now.handles), max(most.private_mib, now.private_mib)
                )
            figures.tell(tried=1, survived=1)
        file.write_text('[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "runway"\n')
        os.kill(pid, signal.SIGHUP)
        until(lambda: running.status()["decks"][0]["keys"][0]["tile"] == "runway")
        until(lambda: ResourceUsage.of(pid).threads <= before.threads)
        figures.tell(before=before, most=most)
        assert most.threads <= before.threads + 4, "one that reads, one that waits; and the clients of the control socket"
        assert running.end() == 0
        assert "Traceback" not in running.log


@amounts("storms", 1, 40)
def test_a_storm_of_signals_ends_the_daemon_in_order_with_0(tmp_path: Path, storms: int, seed: int, figures: Figures) -> None:
    dice = Random(seed)
    (tmp_path / "config.toml").write_text("")
    for storm in range(storms):
        with running_at(tmp_path) as (running, _):
            sent = 0
            while running.process.poll() is None:
                running.process.send_signal(dice.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)))
                sent += 1
                time.sleep(dice.random() / 200)
            assert running.process.wait(PATIENCE_S) == 0, running.log
            assert "Traceback" not in running.log
            assert not (tmp_path / "run" / "control.sock").exists()
        assert len(samples(tmp_path)) >= storm + 1, "each one's sample was written before the end"
        figures.tell(tried=sent, survived=sent, storms=storm + 1)


# --- lack of resources ---


@on_linux
@amounts("holds", 0, 3)
def test_without_a_free_descriptor_the_daemon_goes_on_and_recovers_later(tmp_path: Path, holds: int, figures: Figures) -> None:
    with running_at(tmp_path) as (running, account), page_of(running) as page:
        page.until_key(1, "sonnet")  # after the first poll: the fonts of the tiles have been opened
        pid = running.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))  # not one more, whatever closes meanwhile
        late = socket.socket(socket.AF_UNIX)
        late.settimeout(PATIENCE_S)
        late.connect(str(tmp_path / "run" / "control.sock"))
        late.sendall(b'{"command": "status"}\n')
        knocking = socket.create_connection(("127.0.0.1", urlsplit(running.url).port))  # a connection to the page server
        running.until_logged("cannot accept a client")
        page.tap(1)
        for hold in range(holds):  # each poll needs a socket
            page.seen.clear()
            page.send(type="press", key=1)
            page.until(lambda page: sum(seen.get("key") == 1 for seen in page.seen) > RING_STEPS)
            page.send(type="release", key=1)
            time.sleep(REFRESH_S * (hold < holds - 1))
        polls = len(account.requests)
        assert running.process.poll() is None
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert late.recv(3) == b'{"o', "served as soon as there is room"
        late.close()
        knocking.close()
        with page_of(running) as another:
            another.until_key(0, "Balance")
        assert running.status()["accounts"]["default"]["balance_usd"] is not None, "the last good value stays"
        until(lambda: running.ask("refresh").returncode == 0 and len(account.requests) > polls)
        until(lambda: running.status()["accounts"]["default"]["health"] == "ok")
        page.tap(0)
        figures.tell(tried=1 + holds, survived=1 + holds)
        assert running.end() == 0
        assert running.log.count("cannot accept a client") == 1, "said once"
        # a font may not have been opened; then the picture was drawn later
        assert running.log.count("Traceback") == running.log.count("was not carried out") <= 1, running.log
        assert running.log.count("is carried out again") == running.log.count("was not carried out")


def _quota(pid: int, folder: Path) -> Callable[[], None]:
    """No file of the process may grow beyond a few bytes; what gives them room again."""
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (64, limits[1]))
    return lambda: (None, resource.prlimit(pid, resource.RLIMIT_FSIZE, limits))[0]


def _filled(pid: int, folder: Path) -> Callable[[], None]:
    """The file system is full to its last byte; what gives it room again."""
    filler = folder / "state" / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler.unlink


@contextmanager
def _small_disk(place: Path) -> Iterator[None]:
    place.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _may_mount() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = "mount -t tmpfs tmpfs /mnt"
    return subprocess.run(["unshare", "-m", "sh", "-c", probe], capture_output=True, check=False).returncode == 0


# a file system of one's own is root's to make; where that may not be, the quota alone shows it
WAYS = [pytest.param(_quota, id="quota"), *([pytest.param(_filled, id="small disk")] if _may_mount() else [])]


@on_linux
@pytest.mark.parametrize("fill", WAYS)
def test_a_full_disk_is_said_once_and_what_came_meanwhile_is_in_the_file_at_the_end(
    tmp_path: Path, fill: Callable[[int, Path], Callable[[], None]], figures: Figures
) -> None:
    with contextmanager_of(fill, tmp_path / "state"), running_at(tmp_path) as (running, _):
        until(lambda: len(samples(tmp_path)) == 1)
        free = fill(running.process.pid, tmp_path)
        assert running.ask("refresh").returncode == 0
        running.until_logged("what comes is kept in memory only")
        # the first poll may have gone on, and taken the refresh for its own
        until(lambda: running.ask("refresh").returncode == 0 and running.status()["counters"]["polls"] >= 2)
        assert running.status()["accounts"]["default"]["health"] == "ok"
        free()
        assert running.end() == 0
        assert len(samples(tmp_path)) >= 2
        assert running.log.count("kept in memory only") == 1
        assert "Traceback" not in running.log, running.log
        figures.tell(tried=1, survived=1, lost=0)


@contextmanager
def contextmanager_of(fill: object, place: Path) -> Iterator[None]:
    if fill is not _filled:
        yield
        return
    with _small_disk(place):
        yield


# --- read-only directories ---


def powerless(words: list[str]) -> list[str]:
    """Return the command for a user without root's capabilities, so that file modes count."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *words] if os.geteuid() == 0 else words


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Makes a directory or file that may not be written, until the end."""
    shut: list[Path] = []

    def close(name: str, mode: int) -> Path:
        place = tmp_path / name
        if not place.exists():
            place.mkdir()
        place.chmod(mode)
        shut.append(place)
        return place

    yield close
    for place in shut:
        place.chmod(stat.S_IRWXU)


@on_linux
def test_with_a_state_directory_that_may_not_be_written_it_runs_and_says_so_once(tmp_path: Path, closed) -> None:
    closed("state", 0o500)
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        process = subprocess.Popen(
            powerless([*COMMAND, *RUN]),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        running = DaemonProcess(process, env, page=True)
        try:
            until(lambda: running.ask("status").returncode == 0)
            until(lambda: running.status()["accounts"]["default"]["health"] == "ok")
            assert running.end() == 0
            assert running.log.count("permission denied; what comes is kept in memory only") == 1, running.log
            assert "Traceback" not in running.log
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()
    assert list((tmp_path / "state").iterdir()) == []


@on_linux
def test_without_a_runtime_directory_to_write_it_does_not_start_and_says_why(tmp_path: Path, closed) -> None:
    closed("run", 0o500)
    ended = subprocess.run(
        powerless([*COMMAND, *RUN]), env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode in (77, 78), ended.stderr
    assert "permission denied" in ended.stderr.lower()
    assert "Traceback" not in ended.stderr


@on_linux
def test_with_a_configuration_that_may_not_be_read_it_does_not_start_and_says_why(tmp_path: Path, closed) -> None:
    (tmp_path / "config.toml").write_text("")
    closed("config.toml", 0)
    ended = subprocess.run(
        powerless([*COMMAND, *RUN]), env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode in (77, 78), ended.stderr
    assert "permission denied" in ended.stderr.lower()
    assert "Traceback" not in ended.stderr
