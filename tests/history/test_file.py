"""A file that is damaged, locked, full or forbidden is a line in the log, and never an exception."""

import logging
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openbalance_hid.errors import ConfigError
from openbalance_hid.history.checkup import condition
from openbalance_hid.history.reader import open_reader
from openbalance_hid.history.records import StoredDays
from openbalance_hid.history.store import HistoryStore
from tests.history.stand import ME, NOW, SALT, counted, spend, store_at

NOBODY = 65534


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "history.sqlite3"


@pytest.fixture(autouse=True)
def listening(caplog):
    caplog.set_level(logging.INFO)


def levels(caplog) -> list[str]:
    return [record.levelname for record in caplog.records]


def fill(path: Path, samples: int = 50) -> None:
    store = store_at(path)
    for number in range(samples):
        store.write(ME, counted(samples - number))
    store.write(ME, StoredDays("model", {date(2026, 11, 20): {f"v/{name}": spend("1") for name in range(200)}}, read_at=NOW))
    store.close()


@contextmanager
def nearly_full(path: Path, more: int = 0) -> Iterator[None]:
    """No file of this process may grow beyond the size that the history has now: the kernel refuses as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write anywhere; nobody may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_nobody_else_may_read_the_file(path):
    fill(path)
    store = store_at(path)
    store.write(ME, counted(0))
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    assert len(list(path.parent.iterdir())) == 3, "the file, its log and the log's index"
    store.close()


# --- damage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path, content, caplog):
    path.write_bytes(content)
    store = store_at(path)
    store.write(ME, counted(5))
    assert not store.in_memory
    store.close()
    aside = path.with_name("history.sqlite3.damaged-20261122T120000Z")
    assert aside.read_bytes() == content
    assert levels(caplog) == ["WARNING"]
    assert "is damaged" in caplog.text
    assert aside.name in caplog.text
    again = store_at(path)
    assert again.samples(ME) == (counted(5),)
    again.close()


def put_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_a_directory(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def put_a_link_to_nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


def put_a_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("put", [put_a_pipe, put_a_directory, put_a_link_to_nowhere, put_a_link_to_a_device])
def test_what_is_no_file_is_not_waited_for_and_set_aside(path, put, caplog):
    put(path)
    if put is not put_a_link_to_nowhere:
        assert condition(path).trouble == "it is not a file"
        with pytest.raises(ConfigError, match="it is not a file"), open_reader(path, None):
            pass
    store = store_at(path)
    store.write(ME, counted(5))
    assert not store.in_memory
    store.close()
    assert condition(path).samples == 1
    assert "(it is not a file): set aside as history.sqlite3.damaged-" in caplog.text


def test_tables_that_are_not_ours_are_set_aside(path, caplog):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE samples (something TEXT)")
        db.commit()
    store = store_at(path)
    store.write(ME, counted(5))
    assert store.samples(ME) == (counted(5),)
    store.close()
    assert levels(caplog) == ["WARNING"]


def test_damage_that_shows_while_it_is_written_costs_the_past_and_not_the_present(path, caplog):
    fill(path, samples=300)
    store = store_at(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with closing(sqlite3.connect(path)) as other:  # and nothing of it is in anybody's cache
        other.execute("PRAGMA user_version")
    store.close()
    store = store_at(path)
    store.write(ME, counted(0))
    assert store.samples(ME) == (counted(0),)
    assert not store.in_memory
    store.close()
    assert levels(caplog) == ["WARNING"]


def test_a_row_that_nobody_here_has_written_is_damage(path, caplog):
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE samples SET total_usage_usd = 'NaN' WHERE id = 3")
        db.commit()
    store = store_at(path)
    assert store.recall(ME, NOW).last is None
    store.write(ME, counted(0))
    assert store.recall(ME, NOW).last == counted(0)
    store.close()
    assert levels(caplog) == ["WARNING"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(0, 4095), st.binary(min_size=1, max_size=64))
@example(0, 2077, b"0")  # in the name of a column
def test_whatever_a_bad_sector_leaves_the_next_sample_is_kept(tmp_path_factory, page, offset, noise):
    path = tmp_path_factory.mktemp("noise") / "history.sqlite3"
    fill(path, samples=5)
    with path.open("r+b") as file:
        file.seek(min(page * 4096, path.stat().st_size - 4096) + offset)
        file.write(noise)
    store = store_at(path)
    store.recall(ME, NOW)
    store.write(ME, StoredDays("model", {date(2026, 11, 21): {"v/m": spend("1")}}, read_at=NOW))
    store.write(ME, counted(0))
    assert store.recall(ME, NOW).last == counted(0)
    store.close()


# --- no writing at present -----------------------------------------------------------------------------------------------


def test_a_locked_file_is_not_waited_for_and_gets_everything_later(path, caplog):
    fill(path, samples=2)
    store = store_at(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.write(ME, counted(0.5))
        store.write(ME, counted(0.25))
        assert store.in_memory
        assert [each.at for each in store.samples(ME)] == [counted(age).at for age in (2, 1, 0.5, 0.25)]
        other.execute("COMMIT")
    store.write(ME, counted(0))
    assert not store.in_memory
    store.close()
    assert levels(caplog) == ["WARNING", "INFO"]
    assert "database is locked" in caplog.text
    again = store_at(path)
    assert [each.at for each in again.samples(ME)] == [counted(age).at for age in (2, 1, 0.5, 0.25, 0)]
    again.close()


@pytest.mark.parametrize("removed", ["file", "file and companions", "directory"])
def test_after_a_file_in_use_was_removed_the_next_sample_is_in_a_new_one(tmp_path, removed, caplog):
    path = tmp_path / "state" / "history.sqlite3"
    store = HistoryStore(path, lambda: path.parent.mkdir(exist_ok=True), lambda: NOW, lambda: SALT)
    store.write(ME, counted(2))
    if removed == "directory":
        shutil.rmtree(path.parent)
    for file in tmp_path.glob("state/*" if removed == "file and companions" else "state/history.sqlite3"):
        file.unlink()
    store.write(ME, counted(1))
    store.write(ME, counted(0))
    store.close()
    assert caplog.text.count("was removed or replaced while it was in use") == 1
    again = store_at(path)
    assert [each.at for each in again.samples(ME)] == [counted(age).at for age in (1, 0)]
    again.close()


def test_a_backup_in_the_place_of_a_file_in_use_gets_nothing_of_the_old_log(tmp_path, path):
    backup = tmp_path / "backup.sqlite3"
    fill(backup, samples=3)
    fill(path)
    store = store_at(path)
    for number in range(40):
        store.write(ME, counted(100 + number))  # in the log of the old file
    backup.replace(path)
    store.write(ME, counted(0))
    store.close()
    assert (condition(path).trouble, condition(path).set_aside) == (None, ())
    again = store_at(path)
    assert [each.at for each in again.samples(ME)] == [counted(age).at for age in (3, 2, 1, 0)]
    again.close()


def test_what_waited_is_written_at_the_end_too(path):
    fill(path, samples=2)
    store = store_at(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.write(ME, counted(0))
    store.close()
    again = store_at(path)
    assert len(again.samples(ME)) == 3
    again.close()


def test_readers_hold_nobody_up(path):
    fill(path)
    store = store_at(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM samples").fetchone()
        store.write(ME, counted(0))
        assert not store.in_memory
    store.close()


def test_a_full_disk_is_said_once_and_its_end_once(path, caplog):
    fill(path)
    store = store_at(path)
    many = {date(2026, 11, 21): {f"v/{number}": spend("1") for number in range(5000)}}
    with nearly_full(path):
        store.write(ME, StoredDays("model", many))
        store.write(ME, counted(0))
        assert store.in_memory
        assert store.recall(ME, NOW).last == counted(0)
        assert len(store.days(ME, "model")) == 2, "what was in the file and what came since"
    assert levels(caplog) == ["WARNING"]
    store.write(ME, counted(-1))
    assert not store.in_memory
    store.close()
    assert levels(caplog) == ["WARNING", "INFO"]
    again = store_at(path)
    assert len(again.samples(ME)) == 52
    assert len(again.days(ME, "model")[date(2026, 11, 21)]) == 5000
    again.close()


def test_a_directory_that_may_not_be_written_still_gives_its_past(caplog):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite3")
        fill(path)
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with unprivileged():
            store = store_at(path)
            store.write(ME, counted(0))
            assert store.in_memory
            assert len(store.samples(ME)) == 51
            store.close()
        Path(folder).chmod(0o755)
    assert levels(caplog) == ["WARNING"]


def test_no_place_for_a_file_at_all_is_memory(tmp_path, caplog):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "history.sqlite3", tmp_path / "missing" / "history.sqlite3"):
        store = HistoryStore(path, lambda: None, lambda: NOW, lambda: SALT)
        store.write(ME, counted(1))
        store.write(ME, counted(0))
        assert store.in_memory
        assert store.samples(ME) == (counted(1), counted(0))
        store.close()
    assert levels(caplog) == ["WARNING"] * 2


def test_a_directory_that_others_can_enter_is_not_used(path, caplog):
    def refuse() -> None:
        raise ConfigError("the directory /x is open to others: mode 0755", "chmod 700 /x")

    store = HistoryStore(path, refuse, lambda: NOW, lambda: SALT)
    store.write(ME, counted(0))
    assert store.in_memory
    store.close()
    assert not path.exists()
    assert "open to others: mode 0755" in caplog.text


def test_closing_twice_is_closing_once(path):
    store = store_at(path)
    store.close()
    store.close()
