"""Other real users of the machine: what they can read, and what they can put in place of our files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.errors import ConfigError
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import ask, environment, page_of, started
from tests.other_user import OTHER_UID, needs_other_user, other_user_command, shared_directory, try_as_other_user

__all__ = ["shared_directory"]
pytestmark = needs_other_user
RUN = ("run", "--deck", "virtual:mini", "--no-browser", "--port", "0", "--log-level", "debug")


@contextmanager
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def test_other_users_read_and_change_nothing_of_a_running_daemon_whatever_the_umask(shared_directory: Path) -> None:
    (shared_directory / "sign").write_text("for all")
    (shared_directory / "sign").chmod(0o644)
    env = environment(shared_directory, HOME=str(shared_directory / "home"))
    with SampleAccount() as account, no_umask():
        env["OPENBALANCE_API_URL"] = account.url
        assert ask(env, "setup", "--stdin", "--store", "file", typed=f"{account.key}\n").returncode == 0
        with started(env, *RUN) as running:
            with page_of(running) as page:
                page.until_key(0, "$74.25")
            found = [
                shared_directory / "state",
                shared_directory / "run",
                *(each for top in ("state", "run") for each in (shared_directory / top).rglob("*")),
            ]
            assert {"default.key", "history.sqlite3", "control.sock", "control.lock", "keys"} <= {each.name for each in found}
            attempts = [
                ("connect", str(shared_directory / "run" / "control.sock")),
                ("read", f"/proc/{running.process.pid}/environ"),
            ]
            for each in found:
                ways = ("list", "create") if each.is_dir() else ("read", "write", "remove")
                attempts += [(way, str(each / "planted" if way == "create" else each)) for way in ways]
            assert try_as_other_user(("read", str(shared_directory / "sign"))) == ["done"], (
                "another user can read a public file"
            )
            got = dict(zip(attempts, try_as_other_user(*attempts), strict=True))
            assert {words: how for words, how in got.items() if how not in ("PermissionError", "FileNotFoundError")} == {}
            assert running.status()["accounts"]["default"]["health"] == "ok"


TRAPS: dict[str, tuple[str, list[tuple[str, ...]]]] = {
    "a directory": ("trap", [("mkdir", "trap")]),
    "a link to theirs": ("trap", [("mkdir", "theirs"), ("link", "trap", "theirs")]),
    "a link to ours": ("trap", [("link", "trap", "ours")]),
    "a directory around it": ("trap/inside", [("mkdir", "trap")]),
    "a link to ours around it": ("trap/inside", [("link", "trap", "ours")]),
    "a link to ours far around it": ("trap/inside/deeper", [("link", "trap", "ours")]),
}


@pytest.mark.parametrize(
    ("command", "trap"),
    [*(("run", trap) for trap in TRAPS), ("setup", "a link to theirs"), ("setup", "a link to ours around it")],
)
def test_a_path_that_another_user_has_prepared_is_refused_and_nothing_is_written(
    shared_directory: Path, command: str, trap: str
) -> None:
    (shared_directory / "ours" / "inside" / "deeper").mkdir(parents=True, mode=0o700)
    wanted, attempts = TRAPS[trap]
    placed = [(way, *(str(shared_directory / name) for name in names)) for way, *names in attempts]
    assert try_as_other_user(*placed) == ["done"] * len(placed)
    env = environment(shared_directory)
    env["OPENBALANCE_STATE_DIR" if command == "setup" else "OPENBALANCE_RUNTIME_DIR"] = str(shared_directory / wanted)
    with SampleAccount() as account:
        env["OPENBALANCE_API_URL"] = account.url
        words = ("setup", "--stdin", "--store", "file") if command == "setup" else ("run",)
        ended = ask(env, *words, typed=f"{account.key}\n")
    assert ended.returncode in (77, 78), ended.stderr
    assert str(shared_directory / "trap") in ended.stderr
    assert [each for each in shared_directory.rglob("*") if not each.is_dir() and not each.is_symlink()] == []


def test_a_daemon_of_another_user_is_not_trusted(shared_directory: Path) -> None:
    place = shared_directory / "run" / "control.sock"
    assert try_as_other_user(("mkdir", str(shared_directory / "run"))) == ["done"]
    with subprocess.Popen(other_user_command(("listen", str(place))), stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "listening\n"
        ended = ask(environment(shared_directory), "guard", "--min-balance", "5")
        listener.kill()  # it ends by itself only after a client
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (
        69,
        f"error: the process that listens at {place} belongs to user {OTHER_UID}",
    )


def test_a_directory_of_another_user_is_refused(shared_directory: Path) -> None:
    assert try_as_other_user(("mkdir", str(shared_directory / "theirs"))) == ["done"]
    with pytest.raises(ConfigError, match=f"belongs to user {OTHER_UID}"):
        private_dir(shared_directory / "theirs")
    (shared_directory / "ours").mkdir(mode=0o700)
    assert private_dir(shared_directory / "ours" / "state").is_dir()
