"""A large history file is opened without reading it as a whole; a later check finds its damage."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from openbalance_hid.history import file
from openbalance_hid.history.checkup import damage
from openbalance_hid.history.keeper import open_history
from openbalance_hid.history.records import StoredDays
from openbalance_hid.history.store import HistoryStore
from tests.history.stand import ME, NOW, counted, spend
from tests.waiting import PATIENCE_S, until


def large(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a file that counts as large, and damage a page that a start does not read."""
    monkeypatch.setattr(file, "CHECKED_AT_START_BYTES", 0)
    store = HistoryStore(path, lambda: None)
    old = {date(1990, 1, 1) + timedelta(days=day): {"v/m": spend("1")} for day in range(3000)}
    store.write(ME, StoredDays("model", old))
    store.write(ME, counted(0))
    store.close()
    with path.open("r+b") as content:
        content.seek(20 * 4096 + 100)
        content.write(b"\xff" * 3000)


def test_a_large_file_is_not_read_as_a_whole_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.sqlite3"
    large(path, monkeypatch)
    store = HistoryStore(path, lambda: None)
    assert store.checks_later
    assert store.recall(ME, NOW).last == counted(0), "the last values are there although other pages are damaged"
    store.close()
    assert not list(tmp_path.glob("*.damaged-*"))


def test_damage_that_a_later_check_finds_sets_the_file_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.sqlite3"
    large(path, monkeypatch)
    history = open_history(path, lambda _: None)
    history.start()
    history.check()
    until(lambda: list(tmp_path.glob("*.damaged-*")))
    history.store(ME, counted(0))
    history.stop(PATIENCE_S)
    assert "is damaged" in caplog.text
    store = HistoryStore(path, lambda: None)
    assert store.samples(ME) == (counted(0),)
    store.close()


def test_a_sound_large_file_is_checked_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.sqlite3"
    monkeypatch.setattr(file, "CHECKED_AT_START_BYTES", 0)
    store = HistoryStore(path, lambda: None)
    store.write(ME, counted(0))
    assert damage(path) is None
    store.close()
    assert damage(path) is None
    assert damage(tmp_path / "absent.sqlite3") is None, "what cannot be read now is not damaged"
