"""The watch on real files in real directories: every change of the configuration file is noticed, no other."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openbalance_hid.config.file_watch import ConfigWatch
from tests.waiting import PATIENCE_S


class Recorder:
    """Counts the calls of the watch."""

    def __init__(self) -> None:
        self.changes = threading.Semaphore(0)

    def __call__(self) -> None:
        self.changes.release()

    def is_called(self) -> bool:
        return self.changes.acquire(timeout=PATIENCE_S)


StartWatch = Callable[[Path], Recorder]


@pytest.fixture
def start_watch() -> Iterator[StartWatch]:
    running = []

    def start(path: Path) -> Recorder:
        recorder = Recorder()
        watch = ConfigWatch(path, recorder)
        watch.start()
        running.append(watch)
        return recorder

    yield start
    for watch in running:
        watch.stop()
        watch.stop()


def write(file: Path, text: str) -> None:
    file.write_text(text)


def replace(file: Path, text: str) -> None:
    """As most editors save: a new file takes the old one's name."""
    draft = file.with_name(f".{file.name}.swp")
    draft.write_text(text)
    draft.rename(file)


def remove_and_write(file: Path, text: str) -> None:
    """As vim saves with backupcopy=no and a backup file."""
    file.rename(file.with_name(f"{file.name}~"))
    file.write_text(text)


@pytest.mark.parametrize("save", [write, replace, remove_and_write])
def test_every_way_of_saving_is_noticed_again_and_again(tmp_path: Path, start_watch: StartWatch, save):
    file = tmp_path / "config.toml"
    file.write_text("")
    recorder = start_watch(file)
    for text in ("a", "ab", "abc"):
        save(file, text)
        assert recorder.is_called()


def test_a_file_among_dotfiles_is_followed(tmp_path: Path, start_watch: StartWatch):
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "config").mkdir()
    real, link = tmp_path / "dotfiles" / "deck.toml", tmp_path / "config" / "config.toml"
    real.write_text("")
    link.symlink_to(Path("..") / "dotfiles" / "deck.toml")
    recorder = start_watch(link)
    replace(real, "a")
    assert recorder.is_called()
    other = tmp_path / "dotfiles" / "other.toml"
    other.write_text("other")
    (tmp_path / "config" / "new").symlink_to(other)
    (tmp_path / "config" / "new").rename(link)  # the link itself is another now
    assert recorder.is_called()
    write(other, "more")
    assert recorder.is_called()


def test_a_directory_among_dotfiles_is_followed(tmp_path: Path, start_watch: StartWatch):
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "config").symlink_to(tmp_path / "dotfiles")
    recorder = start_watch(tmp_path / "config" / "config.toml")
    replace(tmp_path / "dotfiles" / "config.toml", "a")
    assert recorder.is_called()


def test_a_file_in_directories_created_later_is_noticed(tmp_path: Path, start_watch: StartWatch):
    file = tmp_path / "home" / ".config" / "openbalance-hid" / "config.toml"
    recorder = start_watch(file)
    file.parent.mkdir(parents=True)
    file.write_text("a")
    assert recorder.is_called()
    file.unlink()
    assert recorder.is_called()


def test_a_directory_that_is_removed_and_created_again_is_followed(tmp_path: Path, start_watch: StartWatch):
    file = tmp_path / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text("")
    recorder = start_watch(file)
    for text in ("a", "ab"):
        shutil.rmtree(file.parent)
        file.parent.mkdir()
        file.write_text(text)
        assert recorder.is_called()
        write(file, f"{text} and more")
        assert recorder.is_called()


def test_a_directory_that_takes_the_place_of_another_is_followed(tmp_path: Path, start_watch: StartWatch):
    file = tmp_path / "config" / "config.toml"
    for name in ("config", "next"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").write_text(name)
    recorder = start_watch(file)
    file.parent.rename(tmp_path / "before")
    (tmp_path / "next").rename(file.parent)
    assert recorder.is_called()
    replace(file, "a")
    assert recorder.is_called()


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("config", "profiles/{}/deck"),  # the directory, as stow lays it out
        ("config/config.toml", "../profiles/{}/deck/config.toml"),  # the file, as home-manager does
        ("profiles/current", "{}"),  # a generation, above both
    ],
)
def test_a_link_that_changes_anywhere_on_the_path_is_followed(tmp_path: Path, start_watch: StartWatch, changed: str, to: str):
    for name in ("one", "two"):
        (tmp_path / "profiles" / name / "deck").mkdir(parents=True)
        (tmp_path / "profiles" / name / "deck" / "config.toml").write_text(name)
    if changed == "profiles/current":
        (tmp_path / "config").symlink_to("profiles/current/deck")
    link = tmp_path / changed
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(to.format("one"))
    recorder = start_watch(tmp_path / "config" / "config.toml")
    link.with_name("new").symlink_to(to.format("two"))
    link.with_name("new").rename(link)
    assert recorder.is_called()
    replace(tmp_path / "profiles" / "two" / "deck" / "config.toml", "more")
    assert recorder.is_called()


def test_a_directory_created_later_as_a_link_is_followed(tmp_path: Path, start_watch: StartWatch):
    (tmp_path / "dotfiles").mkdir()
    file = tmp_path / "config" / "openbalance-hid" / "config.toml"
    recorder = start_watch(file)
    file.parent.parent.mkdir()
    file.parent.symlink_to(Path("..") / "dotfiles")
    write(tmp_path / "dotfiles" / "config.toml", "a")
    assert recorder.is_called()
    replace(tmp_path / "dotfiles" / "config.toml", "ab")
    assert recorder.is_called()


def test_changes_of_other_names_cause_no_check(tmp_path: Path):
    """As every program does in `~/.config`: it writes, replaces, removes and reads its own files."""
    file, other = tmp_path / "openbalance-hid" / "config.toml", tmp_path / "other.conf"
    file.parent.mkdir()
    file.write_text("")
    recorder, elsewhere = Recorder(), Recorder()
    watch, others = ConfigWatch(file, recorder), ConfigWatch(other, elsewhere)
    watch.start()
    others.start()
    for save, text in ((write, "a"), (replace, "ab"), (remove_and_write, "abc")):
        save(other, text)
        (tmp_path / f"lock-{text}").mkdir()
        assert file.read_text() == "" and list(file.parent.iterdir()) == [file]
        assert elsewhere.is_called(), "by now the first watch would have checked as well"
    assert watch.checks == 1, "the one at the start"
    write(file, "a")
    assert recorder.is_called()
    assert watch.checks == 2
    watch.stop()
    others.stop()


def test_other_files_of_the_directory_are_ignored(tmp_path: Path, start_watch: StartWatch):
    file = tmp_path / "config.toml"
    file.write_text("")
    recorder = start_watch(file)
    (tmp_path / "other.toml").write_text("a")
    write(file, "a")
    assert recorder.is_called()
    assert not recorder.changes.acquire(blocking=False), "one change, one call"


def test_a_callback_that_raises_is_called_for_the_next_change(tmp_path: Path):
    file = tmp_path / "config.toml"
    called = threading.Semaphore(0)

    def fail() -> None:
        called.release()
        raise ZeroDivisionError

    watch = ConfigWatch(file, fail)
    watch.start()
    for text in ("a", "ab"):
        write(file, text)
        assert called.acquire(timeout=PATIENCE_S)
    watch.stop()
