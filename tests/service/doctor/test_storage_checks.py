"""The doctor's checks of the configuration, the directories and the history database, with real files."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from openbalance_hid.account.snapshot import Credits
from openbalance_hid.history.records import AccountIdentity, StoredSample
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.ipc.socket_path import shorter_path_command, socket_path_problem
from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.cli.command_line import machine
from tests.service.doctor.doctor_context import (
    NO_SERVER,
    as_an_ordinary_user,
    doctor_context,
    results,
    single_result,
    worst,
)


def can_mount() -> bool:
    """Return whether this process may mount in a namespace of its own."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="only root can mount a read-only file system")


def test_every_problem_of_the_configuration_is_a_check_of_its_own(tmp_path: Path):
    context = doctor_context(tmp_path)
    assert "the defaults are used" in single_result(context, "configuration").found
    context = doctor_context(tmp_path)
    context.paths.config_file.write_text('theme = "blue"\nrefresh_minutes = 0\n')
    checks = results(context, "configuration")
    assert [(check.verdict, check.exit_code, check.hint) for check in checks] == [
        (CheckStatus.FAILURE, 78, "openbalance-hid config check")
    ] * 2
    assert [word in check.found for word, check in zip(("theme", "refresh_minutes"), checks, strict=True)] == [True, True]


@pytest.mark.usefixtures("on_linux")
def test_a_key_that_the_connected_deck_does_not_have_is_a_warning(tmp_path: Path):
    context = doctor_context(tmp_path, VirtualBus([VirtualDeck(model_named("mini"), "S1")]))
    context.paths.config_file.write_text('[[decks]]\n[[decks.keys]]\nkey = 6\ntile = "balance"\n')
    good, beyond = results(context, "configuration")
    assert (good.verdict, beyond.verdict) == (CheckStatus.OK, CheckStatus.WARNING)
    assert "found key 6" in beyond.found


def test_directories_are_checked_and_not_created(tmp_path: Path):
    context = doctor_context(tmp_path)
    assert worst(results(context, "directories")) is CheckStatus.OK
    assert not context.paths.state_dir.exists()
    context.paths.private_dir(context.paths.state_dir)
    context.paths.runtime_dir.mkdir(mode=0o755)
    state, runtime = results(context, "directories")
    assert (state.verdict, state.about) == (CheckStatus.OK, "state")
    assert (runtime.verdict, runtime.hint) == (CheckStatus.FAILURE, f"chmod 700 {context.paths.runtime_dir}")


def test_a_state_directory_without_write_permission_is_a_failure(public_dir: Path):
    state = public_dir / "state"
    state.mkdir(mode=0o500)
    context = doctor_context(public_dir)
    with as_an_ordinary_user(state):
        problem, *_ = results(context, "directories")
    assert (problem.verdict, problem.about, problem.exit_code) == (CheckStatus.FAILURE, "state", 78)
    assert (problem.found, problem.hint) == (f"cannot write to {state}: permission denied", f"chmod 700 {state}")


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
NO_MORE_FILES = 'mount -t tmpfs -o nr_inodes=1,mode=700 tmpfs "$1" && shift && exec "$@"'
FULL = 'mount -t tmpfs -o size=64k,mode=700 tmpfs "$1" && { head -c 99999 /dev/zero > "$1/other" || shift; } && exec "$@"'


@needs_mounts
@pytest.mark.parametrize(
    ("file_system", "state_of_it", "hint"), [(READ_ONLY, "is read-only", "df"), (FULL, "has no free space", "df -h")]
)
def test_a_state_directory_on_a_read_only_or_full_file_system_is_a_failure(
    tmp_path: Path, file_system: str, state_of_it: str, hint: str
):
    state = doctor_context(tmp_path).paths.state_dir
    state.mkdir(mode=0o700)
    doctor = [sys.executable, "-m", "openbalance_hid", "doctor", "--json"]
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-c", file_system, "sh", state, *doctor],
        env=machine(tmp_path, OPENBALANCE_API_URL=NO_SERVER),
        capture_output=True,
        text=True,
        timeout=240,
    )
    problem, _ = (check for check in json.loads(ended.stdout)["checks"] if check["name"] == "directories")
    assert (problem["verdict"], problem["about"], problem["hint"]) == ("failure", "state", f"{hint} {state}")
    assert problem["found"] == f"cannot write to {state}: its file system {state_of_it}"


@needs_mounts
def test_a_directory_that_cannot_be_made_on_a_full_file_system_is_a_failure(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    env = machine(tmp_path, OPENBALANCE_API_URL=NO_SERVER, OPENBALANCE_RUNTIME_DIR=str(home / "run"))
    ended = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            NO_MORE_FILES,
            "sh",
            home,
            sys.executable,
            "-m",
            "openbalance_hid",
            "doctor",
            "--json",
        ],
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
    )
    _, problem = (check for check in json.loads(ended.stdout)["checks"] if check["name"] == "directories")
    assert (problem["verdict"], problem["about"], problem["hint"]) == ("failure", "runtime", f"df -h {home}")
    assert problem["found"] == f"cannot write to {home}: its file system can hold no more files"


@needs_mounts
def test_a_directory_that_cannot_be_made_on_a_read_only_file_system_has_one_hint(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    env = machine(tmp_path, OPENBALANCE_API_URL=NO_SERVER, OPENBALANCE_RUNTIME_DIR=str(home / "run"))
    on_read_only = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", home, sys.executable, "-m", "openbalance_hid"]
    ran, checked = (
        subprocess.run([*on_read_only, *words], env=env, capture_output=True, text=True, timeout=240, check=False)
        for words in (["run", "--deck", "virtual", "--no-browser", "--port", "0"], ["doctor", "--json"])
    )
    words = f"error: cannot use the directory {home / 'run'}: read-only file system\ntry: df {home}\n"
    assert (ran.returncode, ran.stderr) == (78, words)
    _, problem = (check for check in json.loads(checked.stdout)["checks"] if check["name"] == "directories")
    assert problem["found"] == f"cannot create {home / 'run'}: its file system is read-only"
    assert (problem["verdict"], problem["hint"]) == ("failure", f"df {home}")


def test_a_runtime_directory_that_is_a_link_or_has_a_long_path_is_a_failure(tmp_path: Path):
    context = doctor_context(tmp_path)
    context.paths.runtime_dir.symlink_to(tmp_path / "nowhere")
    assert [check.verdict for check in results(context, "directories")] == [CheckStatus.OK, CheckStatus.FAILURE]
    long = doctor_context(tmp_path, OPENBALANCE_RUNTIME_DIR=str(tmp_path / ("x" * 100)))
    *_, socket = results(long, "directories")
    assert (socket.verdict, socket.exit_code) == (CheckStatus.FAILURE, 78)
    assert "the path of the socket is" in socket.found
    assert socket.hint == "unset OPENBALANCE_RUNTIME_DIR"


@pytest.mark.parametrize("target", ["nowhere", "link", "file"])
def test_a_runtime_directory_below_what_is_no_directory_is_a_failure(tmp_path: Path, target: str):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(target)
    context = doctor_context(tmp_path, OPENBALANCE_RUNTIME_DIR=str(tmp_path / "link" / "openbalance-hid"))
    _, runtime, *_ = results(context, "directories")  # one more where the path of the socket is too long
    assert (runtime.verdict, runtime.hint) == (CheckStatus.FAILURE, f"ls -ld {tmp_path / 'link'}")
    assert runtime.found.endswith(f"{tmp_path / 'link'} is not a directory")


def test_without_the_variable_a_shorter_path_of_the_socket_is_suggested():
    assert shorter_path_command({}) == 'export OPENBALANCE_RUNTIME_DIR="$(mktemp -d /tmp/openbalance-XXXXXX)"'
    assert [socket_path_problem(Path("/" + "x" * 103), system) != "" for system in ("darwin", "linux")] == [True, False]


def write_history(file: Path) -> None:
    store = HistoryStore(file, lambda: file.parent.mkdir(parents=True, exist_ok=True))
    store.write(
        AccountIdentity("default", "f"), StoredSample(datetime(2026, 11, 22, tzinfo=UTC), Credits(Decimal(9), Decimal(1)))
    )
    store.close()


def test_an_intact_history_is_counted_even_during_a_write(tmp_path: Path):
    context = doctor_context(tmp_path)
    file = context.paths.history_file
    assert single_result(context, "history").found == "none yet"
    write_history(file)
    assert (single_result(context, "history").verdict, single_result(context, "history").found.startswith("1 samples, ")) == (
        CheckStatus.OK,
        True,
    )
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert single_result(context, "history").verdict is CheckStatus.OK


def test_a_damaged_or_newer_history_is_a_failure_and_is_not_changed(tmp_path: Path):
    context = doctor_context(tmp_path)
    file = context.paths.history_file
    write_history(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    assert "it is of version 99" in single_result(context, "history").found
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    before = file.read_bytes()
    damaged = single_result(context, "history")
    assert (damaged.verdict, damaged.exit_code) == (CheckStatus.FAILURE, 78)
    assert file.read_bytes() == before
    file.unlink()
    file.with_name(f"{file.name}.damaged-20261122T120000Z").touch()
    _, aside = results(context, "history")
    assert (aside.verdict, "damaged-20261122T120000Z" in aside.found) == (CheckStatus.WARNING, True)
