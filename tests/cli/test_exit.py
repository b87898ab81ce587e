"""How a command ends: exit code and standard error. Real processes where signals, streams or a terminal matter."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from openbalance_hid.cli import main
from tests.cli.command_line import KEY, here, machine, process, python

GUARDED = "from openbalance_hid.cli.exit import guarded; import sys; "


@pytest.mark.parametrize(
    ("args", "stderr"),
    [
        (["confg"], "error: no such command: 'confg'; did you mean 'config'?\ntry: openbalance-hid --help\n"),
        (["zzz"], "error: no such command: 'zzz'\ntry: openbalance-hid --help\n"),
        (
            ["accounts", "forget", "../x"],
            "error: invalid value for 'NAME': '../x' is not an account name: use 1 to 32 of a to z, 0 to 9 and hyphen\n"
            "try: openbalance-hid accounts forget --help\n",
        ),
        (["accounts", "forget"], "error: missing argument 'NAME'\ntry: openbalance-hid accounts forget --help\n"),
        (
            ["export", "--format", "csv"],
            "error: missing option '--what'. Choose from now, days, samples, runs, spikes, actions\n"
            "try: openbalance-hid export --help\n",
        ),
        (
            ["bar", "--show", "icn"],
            "error: invalid value for '--show': 'icn' is not one of both, icon, balance, usage; did you mean 'icon'?\n"
            "try: openbalance-hid bar --help\n",
        ),
        (["press", "one"], "error: invalid value for 'KEY': 'one' is not a valid number\ntry: openbalance-hid press --help\n"),
        (
            ["config", "check", "/no where.toml"],
            "error: no such file: /no where.toml\ntry: OPENBALANCE_CONFIG='/no where.toml' openbalance-hid config init\n",
        ),
    ],
)
def test_a_mistyped_command_line_is_two_lines_and_exit_code_2(tmp_path: Path, args: list[str], stderr: str):
    result = here(tmp_path, *args)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", stderr)


def test_a_group_without_a_command_shows_help_and_is_a_usage_error(tmp_path: Path):
    result = here(tmp_path, "config")
    assert result.exit_code == 2
    assert "Usage: openbalance-hid config" in result.stderr
    assert result.stdout == ""


def test_an_expected_error_is_two_lines_with_its_own_exit_code(tmp_path: Path):
    done = process(machine(tmp_path), "setup", "--account", "work")
    assert done.returncode == 77
    assert done.stdout == ""
    assert done.stderr == "error: no keyring service is running\ntry: openbalance-hid setup --account work --store file\n"


def test_an_error_without_a_command_that_helps_is_one_line(tmp_path: Path):
    code = (
        GUARDED
        + "from openbalance_hid.errors import NoDaemonError\ndef f(): raise NoDaemonError('a\\x1b[2J b')\nsys.exit(guarded(f))"
    )
    done = python(machine(tmp_path), code)
    assert (done.returncode, done.stderr) == (69, "error: a\\x1b[2J b\n")


def test_a_bug_leaves_its_traceback_in_a_file_and_two_lines_on_the_terminal(tmp_path: Path):
    code = GUARDED + f"\ndef f(): return {{}}['Bearer {KEY}']\nsys.exit(guarded(f))"
    done = python(machine(tmp_path), code)
    crash = tmp_path / "state" / "last-crash.txt"
    assert done.returncode == 1
    assert done.stderr == (f"error: unexpected KeyError: 'Bearer sk-or-…'\nplease report this, with the traceback in {crash}\n")
    assert "Traceback" in crash.read_text()
    assert KEY not in crash.read_text()
    assert crash.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("failure", "resource", "command"),
    [
        ("OSError(errno.EMFILE, 'Too many open files', 'some/module.py')", "file descriptors", "ulimit -n 1024"),
        ('RuntimeError("can\'t start new thread")', "threads", "ulimit -u"),
        ("MemoryError()", "memory", "ulimit -v"),
        ("OSError(errno.ENOMEM, 'Cannot allocate memory')", "memory", "ulimit -v"),
        ("ImportError('libssl.so.3: failed to map segment from shared object')", "memory", "ulimit -v"),
    ],
)
def test_a_limit_of_the_system_is_no_bug_to_report(tmp_path: Path, failure: str, resource: str, command: str):
    done = python(machine(tmp_path), GUARDED + f"import errno\ndef f(): raise {failure}\nsys.exit(guarded(f))")
    assert done.returncode == 1
    assert done.stderr == f"error: the system has no more {resource} for this program\ntry: {command}\n"
    assert not (tmp_path / "state").exists()


def test_a_bug_is_reported_even_if_its_traceback_cannot_be_stored(tmp_path: Path):
    (tmp_path / "state").write_text("not a directory")
    done = python(machine(tmp_path), GUARDED + "sys.exit(guarded(lambda: 1 / 0))")
    assert done.returncode == 1
    assert "please report this, with the traceback (which could not be stored: " in done.stderr
    assert "Traceback" not in done.stderr


def test_with_a_log_the_traceback_is_in_the_log_without_the_key(tmp_path: Path):
    log = tmp_path / "log"
    code = (
        GUARDED
        + f"import logging; logging.basicConfig(filename={str(log)!r})\n"
        + f"def f(): raise ValueError({KEY!r})\nsys.exit(guarded(f))"
    )
    done = python(machine(tmp_path), code)
    assert done.stderr.splitlines()[1] == "please report this, with the traceback in the log"
    assert "Traceback" in log.read_text()
    assert KEY not in log.read_text()
    assert not (tmp_path / "state").exists()


def test_before_the_log_is_set_up_nothing_is_logged_to_the_terminal(tmp_path: Path):
    code = GUARDED + "import logging; guarded(lambda: logging.getLogger('openbalance_hid.x').error('hidden'))"
    assert python(machine(tmp_path), code).stderr == ""


def test_control_c_ends_quietly_with_130(tmp_path: Path):
    # The signal is ignored if a shell started the tests in the background.
    handler = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = GUARDED + handler + "import time\ndef f():\n print('up', flush=True)\n time.sleep(60)\nsys.exit(guarded(f))"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env=machine(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=240)
    assert (child.returncode, stderr) == (130, "")


ON_A_FREE_PORT = ["--port", "0", "--no-browser"]


@pytest.mark.parametrize(
    "args",
    [
        *(["--help"], ["--version"], ["bar", "--help"], ["bar"], ["config", "show"], ["preview", "-o", "-"], ["doctor"]),
        *(["run", "--deck", "virtual", *ON_A_FREE_PORT], ["demo", *ON_A_FREE_PORT]),
        ["simulate", "--usbip", "0", *ON_A_FREE_PORT],
    ],
    ids=" ".join,
)
def test_a_reader_that_ends_also_ends_every_command_quietly_with_141(tmp_path: Path, args: list[str]):
    """As SIGPIPE does to other programs."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        words = [sys.executable, "-m", "openbalance_hid", *args]
        done = subprocess.run(words, env=machine(tmp_path), stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=240)
    assert done.returncode == 141
    assert all(" info: " in line for line in done.stderr.splitlines())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_reported_in_one_line(tmp_path: Path):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, not a file
        done = subprocess.run(
            [sys.executable, "-m", "openbalance_hid", "config", "path"],
            env=machine(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
        )
    assert (done.returncode, done.stderr) == (1, "error: cannot write the output: no space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_command_with_closed_streams_ends_with_its_own_exit_code(tmp_path: Path, closed: str):
    shell = ["sh", "-c", f'"$0" -m openbalance_hid config check {closed}', sys.executable]
    (tmp_path / "config.toml").write_text("theme = 1")
    assert subprocess.run(shell, env=machine(tmp_path), capture_output=True, timeout=240).returncode == 78
    (tmp_path / "config.toml").write_text("")
    assert subprocess.run(shell, env=machine(tmp_path), capture_output=True, timeout=240).returncode == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_never_becomes_a_file_that_is_opened_later(tmp_path: Path, closed: str):
    """A file that gets the number of a stream would have printed text and log lines among its content."""
    code = f"""{GUARDED}import os, tempfile
def action():
    file = tempfile.TemporaryFile()
    print("text", flush=True)
    print("log", file=sys.stderr)
    sys.stdin.read(0)
    return 40 + (file.fileno() > 2) + 2 * (os.fstat(file.fileno()).st_size == 0)
sys.exit(guarded(action))"""
    shell = ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code]
    assert subprocess.run(shell, env=machine(tmp_path), capture_output=True, timeout=240).returncode == 43


@pytest.mark.parametrize("more", [["--stdin"], []], ids=["--stdin", "prompt"])
def test_setup_with_closed_standard_input_is_an_expected_error(tmp_path: Path, more: list[str]):
    shell = ["sh", "-c", '"$0" -m openbalance_hid setup --store file "$@" <&-', sys.executable, *more]
    done = subprocess.run(shell, env=machine(tmp_path), capture_output=True, text=True, timeout=240)
    assert (done.returncode, len(done.stderr.splitlines())) == (77 if more else 2, 2)
    assert "unexpected" not in done.stderr


@pytest.mark.usefixtures("on_linux")
@pytest.mark.parametrize("args", [["status"], ["doctor"], ["service", "install", "--headless"], ["service", "status"]], ids=str)
def test_a_user_without_a_home_gets_a_two_line_error(monkeypatch: pytest.MonkeyPatch, args: list[str]):
    def no_such_user(_: int) -> None:
        raise KeyError

    for name in ("HOME", "OPENBALANCE_CONFIG", *(name for name in os.environ if name.startswith("XDG_"))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_such_user)
    result = CliRunner().invoke(main, args)
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr == f"error: no home directory is known for user {os.getuid()}\ntry: export HOME=/where/it/is\n"


@pytest.mark.parametrize(
    ("variable", "args"),
    [
        *(("OPENBALANCE_CONFIG", args) for args in (["config", "path"], ["run"])),
        *(("OPENBALANCE_STATE_DIR", args) for args in (["doctor"], ["status"])),
        *(("OPENBALANCE_RUNTIME_DIR", args) for args in (["bar"], ["demo"])),
    ],
)
def test_a_relative_path_in_a_removed_directory_is_an_expected_error(tmp_path: Path, variable: str, args: list[str]):
    shell = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -m openbalance_hid "$@"', sys.executable, *args]
    env = {**machine(tmp_path), variable: "mine"}
    done = subprocess.run(shell, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    words = "the path 'mine' is relative to the current directory, which was removed"
    assert (done.returncode, done.stderr) == (78, f"error: {words}\ntry: cd\n")


def test_the_home_of_a_user_that_does_not_exist_is_not_that_of_this_user(tmp_path: Path):
    result = here(tmp_path, "config", "path", OPENBALANCE_CONFIG="~no-such-user/config.toml")
    words = "no user is named 'no-such-user': ~no-such-user/config.toml"
    assert (result.exit_code, result.stderr) == (78, f"error: {words}\n")


def test_the_prefix_of_every_key_is_not_masked_in_an_error(tmp_path: Path):
    done = process(machine(tmp_path), "setup", "--store", "file", "--stdin", stdin="hello\n")
    assert "does not begin with sk-or-v1-\n" in done.stderr


@pytest.mark.parametrize(
    ("env", "head"),
    [
        ({"TERM": "xterm"}, "\x1b[31merror:\x1b[0m no such"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "error: no such"),
        ({"TERM": "dumb"}, "error: no such"),
    ],
)
def test_colour_only_on_a_terminal_with_colours_and_without_no_color(tmp_path: Path, env: dict[str, str], head: str):
    ours, theirs = pty.openpty()
    try:
        clean = {name: value for name, value in machine(tmp_path).items() if name != "NO_COLOR"}
        subprocess.run([sys.executable, "-m", "openbalance_hid", "zzz"], env={**clean, **env}, stderr=theirs, timeout=240)
        assert os.read(ours, 4096).decode().startswith(head)
    finally:
        os.close(ours)
        os.close(theirs)


def test_output_that_the_encoding_lacks_is_escaped(tmp_path: Path):
    env = machine(tmp_path, PYTHONIOENCODING="latin-1")
    done = process(env, "setup", "--store", "file", "--stdin", "--no-check", stdin=KEY)
    assert done.returncode == 0
    assert "\\u20261a2b, not checked" in done.stdout
