"""Real files in real directories: whoever writes one, however, is noticed; whoever writes another is not."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openbalance_hid.config.file_watch import ConfigWatch
from tests.waiting import PATIENCE_S


class Noted:
    """Counts what the watch says."""

    def __init__(self) -> None:
        self.changes = threading.Semaphore(0)

    def __call__(self) -> None:
        self.changes.release()

    def comes(self) -> bool:
        return self.changes.acquire(timeout=PATIENCE_S)


Begin = Callable[[Path], Noted]


@pytest.fixture
def begin() -> Iterator[Begin]:
    running = []

    def start(path: Path) -> Noted:
        noted = Noted()
        watch = ConfigWatch(path, noted)
        watch.start()
        running.append(watch)
        return noted

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
def test_every_way_of_saving_is_noticed_again_and_again(tmp_path: Path, begin: Begin, save):
    file = tmp_path / "config.toml"
    file.write_text("")
    noted = begin(file)
    for text in ("a", "ab", "abc"):
        save(file, text)
        assert noted.comes()


def test_a_file_among_dotfiles_is_followed(tmp_path: Path, begin: Begin):
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "config").mkdir()
    real, link = tmp_path / "dotfiles" / "deck.toml", tmp_path / "config" / "config.toml"
    real.write_text("")
    link.symlink_to(Path("..") / "dotfiles" / "deck.toml")
    noted = begin(link)
    replace(real, "a")
    assert noted.comes()
    other = tmp_path / "dotfiles" / "other.toml"
    other.write_text("other")
    (tmp_path / "config" / "new").symlink_to(other)
    (tmp_path / "config" / "new").rename(link)  # the link itself is another now
    assert noted.comes()
    write(other, "more")
    assert noted.comes()


def test_a_directory_among_dotfiles_is_followed(tmp_path: Path, begin: Begin):
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "config").symlink_to(tmp_path / "dotfiles")
    noted = begin(tmp_path / "config" / "config.toml")
    replace(tmp_path / "dotfiles" / "config.toml", "a")
    assert noted.comes()


def test_a_file_whose_directories_come_later_is_noticed(tmp_path: Path, begin: Begin):
    file = tmp_path / "home" / ".config" / "openbalance-hid" / "config.toml"
    noted = begin(file)
    file.parent.mkdir(parents=True)
    file.write_text("a")
    assert noted.comes()
    file.unlink()
    assert noted.comes()


def test_a_directory_that_is_removed_and_made_anew_is_followed(tmp_path: Path, begin: Begin):
    file = tmp_path / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text("")
    noted = begin(file)
    for text in ("a", "ab"):
        shutil.rmtree(file.parent)
        file.parent.mkdir()
        file.write_text(text)
        assert noted.comes()
        write(file, f"{text} and more")
        assert noted.comes()


def test_a_directory_that_takes_the_place_of_another_is_followed(tmp_path: Path, begin: Begin):
    file = tmp_path / "config" / "config.toml"
    for name in ("config", "next"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").write_text(name)
    noted = begin(file)
    file.parent.rename(tmp_path / "before")
    (tmp_path / "next").rename(file.parent)
    assert noted.comes()
    replace(file, "a")
    assert noted.comes()


@pytest.mark.parametrize(
    ("turned", "to"),
    [
        ("config", "profiles/{}/deck"),  # the directory, as stow lays it out
        ("config/config.toml", "../profiles/{}/deck/config.toml"),  # the file, as home-manager does
        ("profiles/current", "{}"),  # a generation, above both
    ],
)
def test_a_link_that_is_turned_anywhere_on_the_way_is_followed(tmp_path: Path, begin: Begin, turned: str, to: str):
    for name in ("one", "two"):
        (tmp_path / "profiles" / name / "deck").mkdir(parents=True)
        (tmp_path / "profiles" / name / "deck" / "config.toml").write_text(name)
    if turned == "profiles/current":
        (tmp_path / "config").symlink_to("profiles/current/deck")
    link = tmp_path / turned
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(to.format("one"))
    noted = begin(tmp_path / "config" / "config.toml")
    link.with_name("new").symlink_to(to.format("two"))
    link.with_name("new").rename(link)
    assert noted.comes()
    replace(tmp_path / "profiles" / "two" / "deck" / "config.toml", "more")
    assert noted.comes()


def test_a_directory_that_comes_later_as_a_link_is_followed(tmp_path: Path, begin: Begin):
    (tmp_path / "dotfiles").mkdir()
    file = tmp_path / "config" / "openbalance-hid" / "config.toml"
    noted = begin(file)
    file.parent.parent.mkdir()
    file.parent.symlink_to(Path("..") / "dotfiles")
    write(tmp_path / "dotfiles" / "config.toml", "a")
    assert noted.comes()
    replace(tmp_path / "dotfiles" / "config.toml", "ab")
    assert noted.comes()


def test_what_happens_to_other_names_wakes_nobody(tmp_path: Path):
    """As every program does in `~/.config`: it writes, replaces, removes and reads what is its own."""
    file, other = tmp_path / "openbalance-hid" / "config.toml", tmp_path / "other.conf"
    file.parent.mkdir()
    file.write_text("")
    noted, elsewhere = Noted(), Noted()
    watch, others = ConfigWatch(file, noted), ConfigWatch(other, elsewhere)
    watch.start()
    others.start()
    for save, text in ((write, "a"), (replace, "ab"), (remove_and_write, "abc")):
        save(other, text)
        (tmp_path / f"lock-{text}").mkdir()
        assert file.read_text() == "" and list(file.parent.iterdir()) == [file]
        assert elsewhere.comes(), "by now this one would have looked as well"
    assert watch.looks == 1, "when it began"
    write(file, "a")
    assert noted.comes()
    assert watch.looks == 2
    watch.stop()
    others.stop()


def test_other_files_of_the_directory_are_not_it(tmp_path: Path, begin: Begin):
    file = tmp_path / "config.toml"
    file.write_text("")
    noted = begin(file)
    (tmp_path / "other.toml").write_text("a")
    write(file, "a")
    assert noted.comes()
    assert not noted.changes.acquire(blocking=False), "one change, told once"


def test_one_who_fails_to_read_hears_of_the_next_change(tmp_path: Path):
    file = tmp_path / "config.toml"
    heard = threading.Semaphore(0)

    def fail() -> None:
        heard.release()
        raise ZeroDivisionError

    watch = ConfigWatch(file, fail)
    watch.start()
    for text in ("a", "ab"):
        write(file, text)
        assert heard.acquire(timeout=PATIENCE_S)
    watch.stop()
