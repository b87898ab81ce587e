"""The user's programs as they are run: what they get, what is read of them, how they end, and which are not run."""

import json
import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.desktop import program_run
from openbalance_hid.desktop.program_run import ProgramRequest
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.file_safety import command_risk, program_risk
from openbalance_hid.tiles.program_output import MOST_BYTES, EndKind, ProgramEnd
from tests.waiting import until

ENV = {"PATH": os.environ["PATH"], "OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-secret", "CREDENTIALS_DIRECTORY": "/x", "A": "b"}
WAIT_S = 20


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that only this user may change. Skipped where the temporary directory itself may be written by others."""
    tmp_path.chmod(0o700)
    if (reason := program_risk(Path("/bin/sh"))) or any(
        parent.stat().st_mode & 0o022 and not parent.stat().st_mode & 0o1000 for parent in tmp_path.parents
    ):
        pytest.skip(f"the temporary directory may be changed by others: {reason}")
    return tmp_path


@pytest.fixture
def runner() -> Iterator[ProgramRunner]:
    made = ProgramRunner({**os.environ, **ENV, "NOTIFY_SOCKET": "/x"})
    yield made
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "programs"]


def script(place: Path, text: str, mode: int = 0o700) -> str:
    file = place / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(mode)
    return str(file)


class Started:
    """A run, what it has printed and how it has ended."""

    def __init__(self, runner: ProgramRunner, *words: str, limit_s: float | None = WAIT_S, prints: bool = True) -> None:
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[ProgramEnd] = queue.SimpleQueue()
        self._runner = runner
        runner.start(self, ProgramRequest(words, self.ends.put, limit_s, prints, self.lines.put))

    def stop(self) -> None:
        self._runner.stop(self)

    def end(self) -> ProgramEnd:
        return self.ends.get(timeout=WAIT_S)


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def dead_children() -> list[str]:
    """The children of this process that have ended and were not waited for; none where there is no /proc."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has ended meanwhile
            continue
        found += [file.parent.name] if state == "Z" and int(parent) == os.getpid() else []
    return found


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_program_gets_its_words_its_input_and_no_key(place, runner):
    program = script(
        place, f'cat > {place}/input; printf "%s|" "$@" > {place}/words; env > {place}/env; echo out; echo err >&2'
    )
    assert runner.call((program, "--a b", "$(id)", ";x"), json.dumps({"kind": "spike"}).encode()).is_good
    assert json.loads((place / "input").read_text()) == {"kind": "spike"}
    assert (place / "words").read_text() == "--a b|$(id)|;x|"
    env = (place / "env").read_text()
    assert "A=b" in env
    for hidden in ("sk-or", "CREDENTIALS", "NOTIFY_SOCKET"):
        assert hidden not in env


def test_what_a_program_prints_is_read_and_its_errors_are_not(place, runner):
    end = Started(runner, script(place, "echo one; echo two >&2; printf three")).end()
    assert (end.kind, end.code, end.output, end.detail) == (EndKind.EXITED, 0, b"one\nthree", "")


@pytest.mark.parametrize(
    ("text", "kind", "code", "detail"),
    [
        ("echo some; exit 3", EndKind.EXITED, 3, "ended with exit code 3"),
        ("echo some; kill -TERM $$", EndKind.SIGNALLED, 15, "was ended by signal 15"),
        ("echo some; exec sleep 60", EndKind.TOO_SLOW, 0, "did not end within 0.3 s"),
        ("echo some; trap '' TERM; while :; do sleep 0.1; done", EndKind.TOO_SLOW, 0, "did not end within 0.3 s"),
    ],
)
def test_a_program_that_fails_or_hangs_has_its_reason_and_what_it_printed(place, runner, text, kind, code, detail):
    end = Started(runner, script(place, text), limit_s=0.3).end()
    assert (end.kind, end.code, end.output) == (kind, code, b"some\n")
    assert end.detail.endswith(detail)


@pytest.mark.parametrize(
    "text", ["sleep 61 & echo $! > child; wait", "sleep 62 & echo $! > child", "sleep 63 & echo $! > child; sleep 64"]
)
def test_everything_that_a_program_has_started_ends_with_it(place, runner, text):
    Started(runner, script(place, text.replace("child", f"{place}/child")), limit_s=0.3).end()
    child = int((place / "child").read_text())
    until(lambda: not _runs(child))


def test_a_program_whose_child_keeps_its_output_open_has_ended(place, runner):
    started_s = time.monotonic()
    end = Started(runner, script(place, "echo here; sleep 65 &")).end()
    assert (end.kind, end.output) == (EndKind.EXITED, b"here\n")
    assert time.monotonic() - started_s < WAIT_S


def test_output_without_end_is_cut_and_the_program_is_ended(place, runner):
    end = Started(runner, "/usr/bin/yes").end()
    assert (end.kind, end.output) == (EndKind.TOO_LONG, (b"y\n" * MOST_BYTES)[:MOST_BYTES])
    for _ in range(20):  # it may die of its closed pipe before it is ended
        assert Started(runner, script(place, "exec head -c 70000 /dev/zero")).end().kind is EndKind.TOO_LONG
    exact = script(place, f"head -c {MOST_BYTES} /dev/zero")
    assert Started(runner, exact).end() == ProgramEnd(EndKind.EXITED, 0, bytes(MOST_BYTES))
    longer = script(place, f"head -c {MOST_BYTES + 1} /dev/zero")
    for _ in range(20):  # it ends before or after its output is read
        assert Started(runner, longer).end().kind is EndKind.TOO_LONG


def test_megabytes_that_are_not_wanted_and_unread_input_are_no_trouble(place, runner):
    program = script(place, "head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2")
    assert runner.call((program,), b"x" * 1_000_000, limit_s=60).is_good


def test_each_line_of_a_program_that_keeps_printing_arrives(place, runner):
    program = script(place, "echo first; sleep 0.4; printf 'second\\nnot whole'; sleep 60")
    run = Started(runner, program, limit_s=None)
    assert [run.lines.get(timeout=WAIT_S) for _ in range(2)] == [b"first", b"second"]
    run.stop()
    assert run.end() == ProgramEnd(EndKind.STOPPED, 0, b"not whole")


def test_of_a_flood_of_lines_the_newest_arrive_and_few(place, runner):
    run = Started(runner, "/usr/bin/yes", limit_s=None)
    first_s = time.monotonic()
    for _ in range(5):
        assert run.lines.get(timeout=WAIT_S) == b"y"
    assert time.monotonic() - first_s > 0.9  # one each quarter of a second
    run.stop()
    assert run.end().kind is EndKind.STOPPED


def test_a_line_without_end_ends_a_program_that_keeps_printing(place, runner):
    run = Started(runner, script(place, "head -c 100000 /dev/zero; sleep 60"), limit_s=None)
    assert run.end().kind is EndKind.TOO_LONG


def test_a_stopped_run_has_an_end_and_a_second_stop_does_nothing(place, runner):
    run = Started(runner, script(place, f"echo $$ > {place}/pid; exec sleep 66"))
    until(lambda: (place / "pid").exists() and (place / "pid").read_text().strip())
    run.stop()
    run.stop()
    assert run.end().kind is EndKind.STOPPED
    assert not _runs(int((place / "pid").read_text()))
    run.stop()


def test_closing_ends_every_run_also_one_that_ignores_the_signal(place):
    runner = ProgramRunner(os.environ)
    program = script(place, f"trap '' TERM; echo $$ >> {place}/pids; while :; do sleep 0.1; done")
    runs = [Started(runner, program) for _ in range(3)]
    until(lambda: (place / "pids").exists() and len((place / "pids").read_text().split()) == 3)
    runner.close()
    runner.close()
    assert {run.end().kind for run in runs} == {EndKind.STOPPED}
    assert not [pid for pid in (place / "pids").read_text().split() if _runs(int(pid))]
    assert Started(runner, program).end().kind is EndKind.STOPPED


def test_a_program_that_ignores_the_signal_is_killed_within_a_short_time_to_close(place, monkeypatch):
    monkeypatch.setattr(program_run, "KILL_AFTER_S", 3600.0)
    runner = ProgramRunner(os.environ)
    run = Started(runner, script(place, f"trap '' TERM; echo $$ > {place}/pid; while :; do sleep 0.1; done"), limit_s=3600)
    until(lambda: (place / "pid").exists() and (place / "pid").read_text().strip())
    runner.close(0.1)
    assert run.end().kind is EndKind.STOPPED
    assert not _runs(int((place / "pid").read_text()))


def test_without_a_descriptor_for_the_end_of_a_child_it_is_noticed_too(place, runner, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    assert Started(runner, script(place, "echo a; exec >/dev/null; sleep 0.2; exit 4")).end().code == 4
    assert Started(runner, script(place, "sleep 60"), limit_s=0.2).end().kind is EndKind.TOO_SLOW


def test_a_runner_that_ran_nothing_has_neither_thread_nor_descriptors():
    before = open_descriptors()
    runner = ProgramRunner(os.environ)
    runner.stop("nothing")
    assert open_descriptors() == before
    runner.close()


def test_many_runs_at_once_leave_no_descriptor_child_or_thread(place, runner):
    program = script(place, "echo $1; exit $1")
    Started(runner, program, "1").end()
    before = open_descriptors()
    for _ in range(2):
        runs = [Started(runner, program, str(number), prints=number % 2 == 0) for number in range(32)]
        assert sorted(run.end().code for run in runs) == list(range(32))
    until(lambda: open_descriptors() <= before, "a descriptor is left")  # fewer: an earlier test's have been collected
    until(lambda: dead_children() == [], "a child is left")


def test_a_program_that_is_missing_or_no_program_is_named(place, runner):
    assert runner.call(("/nowhere/x",), b"") == ProgramEnd(EndKind.NOT_FOUND, detail="/nowhere/x does not exist")
    assert runner.call((script(place, "", 0o600),), b"").detail == f"{place}/program is not an executable file"
    assert runner.call((str(place),), b"").kind is EndKind.NOT_STARTED
    program = script(place, "")
    Path(program).write_text("no program")
    end = runner.call((program,), b"")
    assert (end.kind, end.detail) == (EndKind.NOT_STARTED, f"{program} cannot be started: exec format error")
    Path(program).write_text("#!/nowhere/sh\n")
    end = runner.call((program,), b"")
    words = "the interpreter that it names does not exist"
    assert (end.kind, end.detail) == (EndKind.NOT_STARTED, f"{program} cannot be started: {words}")


@pytest.mark.parametrize("mode", [0o722, 0o702, 0o720, 0o777])
def test_a_program_that_others_may_write_is_not_run(place, runner, mode):
    end = runner.call((script(place, f"touch {place}/ran", mode),), b"")
    assert end.kind is EndKind.REFUSED
    assert "may be written by other users; to change that: chmod go-w" in end.detail
    assert not (place / "ran").exists()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_program_in_a_directory_that_others_may_write_is_not_run(place, runner, mode):
    inner = place / "bin"
    inner.mkdir()
    program = script(inner, f"touch {place}/ran")
    inner.chmod(mode)
    assert f"{inner} may be written by other users" in runner.call((program,), b"").detail
    assert not (place / "ran").exists()


def test_the_script_of_an_interpreter_is_checked_like_a_program(place, runner):
    open_ = script(place, f"touch {place}/ran", 0o666)
    for words in (("/bin/sh", open_), ("/bin/sh", "-e", open_)):
        end = runner.call(words, b"")
        assert (end.kind, "may be written by other users" in end.detail) == (EndKind.REFUSED, True)
    Path(open_).chmod(0o777)
    for words in (
        ("/usr/bin/nice", "-n", "5", open_),
        ("/usr/bin/env", "A=b", "sh", open_),
        ("/usr/bin/env", "/bin/sh", open_),
    ):
        assert "may be written by other users" in str(command_risk(words)), words
    assert command_risk(("/usr/bin/env", "-i", "A=/x", "/bin/sh")) is None
    assert command_risk(("/usr/bin/nice", "/etc/hosts", "/bin/sh")) is None  # a file that is read, not run
    assert command_risk(("/usr/bin/env", "no-such-program")) is None  # it is searched for in the directories of the system
    assert command_risk(("/bin/sh", "-c", "echo /tmp")) is None
    assert command_risk(("/bin/cat", open_)) is None  # a file that is read, not run
    assert not (place / "ran").exists()


def test_the_interpreter_that_a_script_names_is_checked(place, runner):
    open_ = place / "open"
    open_.mkdir()
    (open_ / "shell").write_bytes(Path("/bin/sh").read_bytes())
    (open_ / "shell").chmod(0o755)
    program = place / "script"
    program.write_text(f"#! {open_}/shell -e\ntouch {place}/ran\n")
    program.chmod(0o700)
    open_.chmod(0o777)
    assert f"{open_} may be written by other users" in runner.call((str(program),), b"").detail
    assert not (place / "ran").exists()
    open_.chmod(0o755)
    assert runner.call((str(program),), b"").is_good
    for first in (b"#!\n", b"#!/nowhere/x\n", b"#!relative\n", b"#!\xff\n", b"", b"#!" + b"/x" * 500):
        program.write_bytes(first)
        assert command_risk((str(program),)) is None


def test_a_program_of_another_user_is_not_run(place, runner):
    if os.geteuid():
        pytest.skip("needs root, to give a file to another user")
    program = script(place, f"touch {place}/ran", 0o755)
    os.chown(program, 65534, 65534)
    assert runner.call((program,), b"").detail == f"{program} belongs to user 65534"


def test_a_link_is_checked_at_both_ends(place, runner):
    real, open_ = place / "real", place / "open"
    real.mkdir(mode=0o700)
    open_.mkdir()
    target = script(real, "exit 0")
    link = place / "link"
    link.symlink_to(target)
    assert runner.call((str(link),), b"").is_good
    (open_ / "link").symlink_to(target)
    open_.chmod(0o777)
    assert "may be written by other users" in runner.call((str(open_ / "link"),), b"").detail
    link.unlink()
    (open_ / "alert").write_text("#!/bin/sh\n")
    (open_ / "alert").chmod(0o755)
    link.symlink_to(open_ / "alert")
    assert "may be written by other users" in runner.call((str(link),), b"").detail


def test_a_link_that_leads_through_another_users_place_is_refused(place, runner):
    real, open_ = place / "real", place / "open"
    real.mkdir(mode=0o700)
    open_.mkdir()
    target = script(real, f"touch {place}/ran")
    (open_ / "b").symlink_to(target)
    (open_ / "folder").symlink_to(real)
    (place / "a").symlink_to(open_ / "b")
    (place / "relative").symlink_to("real/../open/folder/program")
    for mode, is_safe in (
        (0o777, False),
        (0o1777, True),
        (0o755, True),
    ):  # with the sticky bit, no other user can replace a link of ours
        open_.chmod(mode)
        for words in ((str(place / "a"),), (str(place / "relative"),), ("/bin/sh", str(place / "a"))):
            end = runner.call(words, b"")
            assert (end.is_good, f"{open_} may be written by other users" in end.detail) == (is_safe, not is_safe), words


def test_a_link_of_another_user_in_a_shared_directory_is_refused(place, runner):
    if os.geteuid():
        pytest.skip("needs root, to give a link to another user")
    shared = place / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "link").symlink_to(script(place, f"touch {place}/ran"))
    os.chown(shared / "link", 65534, 65534, follow_symlinks=False)
    assert runner.call((str(shared / "link"),), b"").detail == f"{shared}/link belongs to user 65534"
    assert not (place / "ran").exists()


def test_a_loop_of_links_is_refused_in_words(place, runner):
    (place / "a").symlink_to(place / "b")
    (place / "b").symlink_to(place / "a")
    assert runner.call((str(place / "a"),), b"").kind is not EndKind.EXITED
