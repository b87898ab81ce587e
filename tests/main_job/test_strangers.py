"""Other users of the machine, real ones: what they can read of us, and what they put in our way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openbalance_hid.config.paths import private_dir
from openbalance_hid.errors import ConfigError
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.stage import ask, page_of, started, surroundings
from tests.other_user import NOBODY, needs_stranger, stranger, street, tries
from tests.waiting import PATIENCE_S

__all__ = ["street"]
pytestmark = needs_stranger
RUN = ("run", "--deck", "virtual:mini", "--no-browser", "--port", "0", "--log-level", "debug")


@contextmanager
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def test_other_users_read_and_change_nothing_of_a_running_daemon_whatever_the_umask(street: Path) -> None:
    (street / "sign").write_text("for all")
    (street / "sign").chmod(0o644)
    env = surroundings(street, HOME=str(street / "home"))
    with SampleAccount() as account, no_umask():
        env["OPENBALANCE_API_URL"] = account.url
        assert ask(env, "setup", "--stdin", "--store", "file", typed=f"{account.key}\n").returncode == 0
        with started(env, *RUN) as running:
            with page_of(running) as page:
                page.until_key(0, "$74.25")
            found = [
                street / "state",
                street / "run",
                *(each for top in ("state", "run") for each in (street / top).rglob("*")),
            ]
            assert {"default.key", "history.sqlite3", "control.sock", "control.lock", "keys"} <= {each.name for each in found}
            attempts = [("connect", str(street / "run" / "control.sock")), ("read", f"/proc/{running.process.pid}/environ")]
            for each in found:
                ways = ("list", "create") if each.is_dir() else ("read", "write", "remove")
                attempts += [(way, str(each / "planted" if way == "create" else each)) for way in ways]
            assert tries(("read", str(street / "sign"))) == ["done"], "what is open, a stranger can read"
            got = dict(zip(attempts, tries(*attempts), strict=True))
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
def test_a_place_that_a_stranger_has_prepared_is_refused_and_nothing_is_put_there(
    street: Path, command: str, trap: str
) -> None:
    (street / "ours" / "inside" / "deeper").mkdir(parents=True, mode=0o700)
    wanted, attempts = TRAPS[trap]
    placed = [(way, *(str(street / name) for name in names)) for way, *names in attempts]
    assert tries(*placed) == ["done"] * len(placed)
    env = surroundings(street)
    env["OPENBALANCE_STATE_DIR" if command == "setup" else "OPENBALANCE_RUNTIME_DIR"] = str(street / wanted)
    with SampleAccount() as account:
        env["OPENBALANCE_API_URL"] = account.url
        words = ("setup", "--stdin", "--store", "file") if command == "setup" else ("run",)
        said = ask(env, *words, typed=f"{account.key}\n")
    assert said.returncode in (77, 78), said.stderr
    assert str(street / "trap") in said.stderr
    assert [each for each in street.rglob("*") if not each.is_dir() and not each.is_symlink()] == []


def test_a_daemon_of_a_stranger_is_not_believed(street: Path) -> None:
    """Without a session the runtime directory is in /tmp, where somebody else may have been first."""
    place = street / "run" / "control.sock"
    assert tries(("mkdir", str(street / "run"))) == ["done"]
    with subprocess.Popen(stranger(("listen", str(place))), stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "listening\n"
        said = ask(surroundings(street), "guard")
        listener.wait(PATIENCE_S)
    assert (said.returncode, said.stderr.splitlines()[0]) == (69, f"error: what listens at {place} belongs to user {NOBODY}")


def test_a_directory_of_another_user_is_refused(street: Path) -> None:
    assert tries(("mkdir", str(street / "theirs"))) == ["done"]
    with pytest.raises(ConfigError, match=f"belongs to user {NOBODY}"):
        private_dir(street / "theirs")
    (street / "ours").mkdir(mode=0o700)
    assert private_dir(street / "ours" / "state").is_dir()
