"""Real files in real directories: whoever writes one, however, is noticed; whoever writes another is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openbalance_hid.config.watch import ConfigWatch, directories

PATIENCE_S = 30.0


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


def test_a_loop_of_links_has_an_end(tmp_path: Path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert directories(tmp_path / "a") == {tmp_path, tmp_path.parent}
