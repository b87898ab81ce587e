"""The watch on real files in real directories: every change of the configuration file is noticed, no other."""

from __future__ import annotations

import os
import select
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from openbalance_hid.config.file_watch import FileWatch
from openbalance_hid.config.inotify import Inotify
from tests.config import standin_kqueue
from tests.waiting import PATIENCE_S, until


class Recorder:
    """A running watch, and the count of its calls."""

    def __init__(self, path: Path) -> None:
        self.changes = threading.Semaphore(0)
        self.checks = 0
        self.watch = FileWatch(path, self.changes.release, self._check)
        self._end_read, self._end_write = os.pipe()
        self._thread = threading.Thread(target=self._run)

    def is_called(self) -> bool:
        return self.changes.acquire(timeout=PATIENCE_S)

    def start(self) -> None:
        self.watch.start()
        self._thread.start()

    def stop(self) -> None:
        os.close(self._end_write)
        self._thread.join(PATIENCE_S)
        os.close(self._end_read)
        self.watch.stop()
        self.watch.stop()

    def _check(self) -> None:
        self.checks += 1
        self.watch.check()

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self.watch.descriptor, self._end_read], [], [])
            if self._end_read in ready:
                return
            self.watch.on_event()


StartWatch = Callable[[Path], Recorder]


def use_kqueue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbalance_hid.config.kqueue._system", standin_kqueue)
    monkeypatch.setattr("sys.platform", "darwin")


@pytest.fixture(params=["events of this system", "kqueue"])
def start_watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartWatch]:
    if request.param == "kqueue" and sys.platform == "linux":
        use_kqueue(monkeypatch)
    running = []

    def start(path: Path) -> Recorder:
        recorder = Recorder(path)
        recorder.start()
        running.append(recorder)
        return recorder

    yield start
    for recorder in running:
        recorder.stop()


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


def test_changes_of_other_names_cause_no_check(tmp_path: Path, start_watch: StartWatch):
    """As every program does in `~/.config`: it writes, replaces, removes and reads its own files."""
    file, other = tmp_path / "openbalance-hid" / "config.toml", tmp_path / "other.conf"
    file.parent.mkdir()
    file.write_text("")
    recorder, elsewhere = start_watch(file), start_watch(other)
    for save, text in ((write, "a"), (replace, "ab"), (remove_and_write, "abc")):
        save(other, text)
        (tmp_path / f"lock-{text}").mkdir()
        assert file.read_text() == "" and list(file.parent.iterdir()) == [file]
        assert elsewhere.is_called(), "by now the first watch would have checked as well"
    assert recorder.checks == 0
    write(file, "a")
    assert recorder.is_called()


def test_other_files_of_the_directory_are_ignored(tmp_path: Path, start_watch: StartWatch):
    file = tmp_path / "config.toml"
    file.write_text("")
    recorder = start_watch(file)
    (tmp_path / "other.toml").write_text("a")
    write(file, "a")
    assert recorder.is_called()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_at_the_limit_of_inotify_instances_checks_notice_every_change(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A desktop's programs may have used up the 128 instances of a user."""
    file, changes = tmp_path / "config.toml", []
    with ExitStack() as taken:

        def starts_without_events() -> bool:
            watch.stop()
            with suppress(OSError):
                for _ in range(100_000):
                    taken.callback(Inotify().close)
            watch.start()
            return watch.descriptor is None

        watch = FileWatch(file, lambda: changes.append(1), lambda: None)
        until(starts_without_events)  # not if another process has just released an instance
    assert watch.method == "noticed within a minute: too many open files"
    for number, save in enumerate((write, replace, remove_and_write), 1):
        watch.check()
        save(file, "x" * number)
        watch.check()
        watch.check()
        assert len(changes) == number
    watch.stop()
    assert caplog.text.count("no file events") == 1


def test_a_check_notices_permissions_and_a_text_of_the_same_length_and_time(tmp_path: Path):
    file, changes = tmp_path / "config.toml", []
    file.write_text("a")
    watch = FileWatch(file, lambda: changes.append(1), lambda: None)
    before = file.stat()
    file.chmod(0o000)
    watch.check()
    assert len(changes) == 1
    file.chmod(0o600)
    watch.check()
    assert len(changes) == 2
    file.write_text("b")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    watch.check()
    watch.check()
    assert len(changes) == 3


def test_a_check_notices_why_there_is_no_file(tmp_path: Path):
    file, changes = tmp_path / "c" / "config.toml", []
    file.parent.mkdir()
    watch = FileWatch(file, lambda: changes.append(1), lambda: None)
    steps = (
        lambda: file.symlink_to("gone"),
        lambda: (file.unlink(), file.symlink_to("config.toml")),  # a loop
        file.unlink,
        lambda: (file.parent.rmdir(), file.parent.symlink_to("unmounted")),
        lambda: (file.parent.unlink(), file.parent.write_text("")),  # not a directory
    )
    for number, step in enumerate(steps, 1):
        step()
        watch.check()
        watch.check()
        assert len(changes) == number


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs", "9p", "cifs"])
def test_on_a_network_file_system_changes_are_noticed_within_a_minute(tmp_path: Path, kind: str):
    for folder in ("a home", "a home/local"):
        (tmp_path / folder).mkdir()
    mounts = tmp_path / "mountinfo"
    home = str(tmp_path / "a home").replace(" ", "\\040")
    lines = [("/", "ext4"), (home, kind), (f"{home}/local", "ext4")]
    mounts.write_text("".join(f"36 35 0:40 / {point} rw - {each} server rw\n" for point, each in lines))
    for folder, method in (
        ("a home", f"noticed within a minute: {kind} reports no changes that another machine makes"),
        ("a home/local", "noticed at once"),
        (".", "noticed at once"),
    ):
        watch = FileWatch(tmp_path / folder / "config.toml", print, print, mounts)
        watch.start()
        assert watch.method == method
        watch.stop()


def test_a_file_that_came_and_went_between_two_events_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if sys.platform == "linux":
        use_kqueue(monkeypatch)
    changes: list[int] = []
    watch = FileWatch(tmp_path / "config.toml", lambda: changes.append(1), lambda: watch.check())
    watch.start()
    (tmp_path / "config.toml").write_text("a")
    watch.check()  # at a turn of the main loop, before the event is read
    (tmp_path / "config.toml").unlink()
    watch.on_event()
    watch.stop()
    assert changes == [1, 1]
