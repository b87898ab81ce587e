"""The service under launchd. launchctl is a small fake that finishes later than it returns, as the real one."""

from __future__ import annotations

import json
import os
import plistlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid import __version__
from openbalance_hid.cli.setup_steps import missing_steps
from openbalance_hid.config.paths import Paths
from openbalance_hid.errors import ServiceError
from openbalance_hid.hints import SERVICE_INSTALL
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.service.launchd import ANSWER_LIMIT_S, RELEASE_LIMIT_S, LaunchdService
from openbalance_hid.service.units import HOMEBREW_LABEL, LABEL, render_agent
from tests.cli.command_line import here
from tests.service.standin_launchctl import LAUNCHCTL

FIRST_PID = 4711


class Daemon:
    """The process that launchd started answers some calls later; `other`: the process of another daemon."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.silent_calls = 3
        self.other: int | None = None
        self.pid: int | None = None

    def answering_pid(self) -> int | None:
        if self.other is not None:
            return self.other
        text = (self.state / "pid").read_text() if (self.state / "pid").exists() else ""
        pid = int(text) if text else None
        if pid != self.pid:
            self.pid, self.silent_calls = pid, 3
        self.silent_calls -= 1
        return pid if self.silent_calls < 0 else None


class Clock:
    """Virtual seconds, which pass in pauses alone."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def pause(self, duration_s: float) -> None:
        self.now_s += duration_s


@pytest.fixture
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in's directory."""
    tool, state = home / "tools/launchctl", home / "systemd"
    tool.write_text(LAUNCHCTL)
    tool.chmod(0o755)
    monkeypatch.setenv("LOG", str(home / "Library/Logs/log"))
    (state / "slowness").write_text("5")
    (state / "last-pid").write_text(str(FIRST_PID - 1))
    (state / "starts-at-load").touch()
    return state


@pytest.fixture
def daemon(state: Path) -> Daemon:
    return Daemon(state)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def launchd(home: Path, daemon: Daemon, clock: Clock) -> LaunchdService:
    agents, log = home / "Library/LaunchAgents", home / "Library/Logs/log"
    return LaunchdService(("/opt/openbalance-hid",), {}, agents, log, daemon.answering_pid, clock, clock.pause)


def commands(state: Path) -> list[str]:
    """Return the commands that changed something, since the last call."""
    calls = (state / "calls").read_text().splitlines()
    (state / "calls").write_text("")
    return [line.split(" gui/")[0] for line in calls if not line.startswith(("print", "enable"))]


@pytest.mark.parametrize("answer", ["answers-5", "answers-37"])
def test_an_agent_is_installed_once_replaced_after_a_change_and_removed(
    home: Path, state: Path, launchd: LaunchdService, answer: str
) -> None:
    (state / answer).touch()
    file = home / f"Library/LaunchAgents/{LABEL}.plist"
    assert launchd.install() == [f"wrote {file}", "it starts with your login", "started"]
    assert launchd.install() == [f"already installed: {file}", "it starts with your login", "already running"]
    assert (launchd.state().active, launchd.state().pid) == (True, FIRST_PID)
    file.write_text("older")
    assert launchd.install()[-1] == "restarted"
    assert (state / "agent").read_text() == file.read_text()
    assert launchd.state().pid == FIRST_PID + 1
    assert launchd.uninstall() == ["stopped", f"removed {file}"]
    assert not (state / "agent").exists()
    assert launchd.uninstall() == ["the service is not installed"]
    assert (launchd.state().file, launchd.state().active) == (None, False)


def test_after_an_upgrade_of_the_program_alone_the_agent_stays_loaded(state: Path, launchd: LaunchdService) -> None:
    launchd.install()
    commands(state)
    assert launchd.install(restart=True)[-1] == "restarted"
    assert commands(state) == ["kickstart -k"]
    assert launchd.state().pid == FIRST_PID + 1


def test_an_install_right_after_an_uninstall_elsewhere_waits_for_the_label(state: Path, launchd: LaunchdService) -> None:
    launchd.install()
    (state / "ending").write_text("12")
    launchd.own_dir.joinpath(f"{LABEL}.plist").write_text("older")
    assert launchd.install()[-1] == "restarted"
    assert launchd.state().active


def test_an_agent_that_the_load_did_not_start_is_started(state: Path, launchd: LaunchdService) -> None:
    (state / "starts-at-load").unlink()
    assert launchd.install()[-1] == "started"
    assert commands(state) == ["bootstrap", "kickstart"]


def test_a_loaded_agent_whose_process_ended_is_started_again(state: Path, launchd: LaunchdService) -> None:
    launchd.install()
    (state / "pid").unlink()
    (state / "exit").write_text("0")
    assert launchd.install()[-1] == "started"


def test_an_agent_that_never_ends_is_an_error_and_stays_installed(state: Path, launchd: LaunchdService, clock: Clock) -> None:
    launchd.install()
    (state / "slowness").write_text("never")
    with pytest.raises(ServiceError, match="did not stop") as error:
        launchd.uninstall()
    assert error.value.hint == "openbalance-hid service status"
    assert RELEASE_LIMIT_S <= clock.now_s < RELEASE_LIMIT_S + 5.0
    assert launchd.state().file is not None


def test_a_file_that_launchd_refuses_for_good_is_an_error_with_a_time_limit(
    state: Path, launchd: LaunchdService, clock: Clock
) -> None:
    (state / "refuses").touch()
    with pytest.raises(ServiceError, match=r"did not load .* 5: Input/output error") as error:
        launchd.install()
    assert error.value.hint.startswith("plutil -lint ")
    assert clock.now_s >= RELEASE_LIMIT_S


def test_without_a_session_with_a_display_the_error_explains_where_to_log_in(state: Path, launchd: LaunchdService) -> None:
    (state / "no-display").touch()
    with pytest.raises(ServiceError, match="log in on the Mac's own screen first"):
        launchd.install()
    assert "logged in on the Mac's own screen" in launchd.state().summary


def test_a_daemon_that_ends_at_once_is_reported_with_the_last_line_of_its_log(
    home: Path, state: Path, launchd: LaunchdService, clock: Clock
) -> None:
    (home / "Library/Logs").mkdir(parents=True)
    (home / "Library/Logs/log").write_text("error: of another day\n")
    (state / "fails").write_text("0")
    (state / "words").write_text("error: config.toml:3: unknown key 'brigthness'\ntry: openbalance-hid config check\n")
    with pytest.raises(ServiceError, match=r"did not start: error: config.toml:3: unknown key 'brigthness'") as error:
        launchd.install()
    assert error.value.hint == "openbalance-hid service logs"
    assert clock.now_s < ANSWER_LIMIT_S


def test_a_daemon_that_never_answers_is_not_reported_as_started(daemon: Daemon, launchd: LaunchdService, clock: Clock) -> None:
    daemon.pid, daemon.silent_calls = FIRST_PID, 10_000
    with pytest.raises(ServiceError, match="did not start: it does not answer after 20 s"):
        launchd.install()
    assert clock.now_s >= ANSWER_LIMIT_S


def test_the_answer_of_another_daemon_is_not_taken_for_the_service(daemon: Daemon, launchd: LaunchdService) -> None:
    daemon.other = 99
    with pytest.raises(ServiceError, match="another daemon is running as process 99") as error:
        launchd.install()
    assert error.value.hint == "openbalance-hid stop"


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
@pytest.mark.usefixtures("state")
def test_whatever_the_umask_launchd_accepts_the_file(home: Path, launchd: LaunchdService, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert launchd.install()[-1] == "started"
    finally:
        os.umask(before)
    assert (home / f"Library/LaunchAgents/{LABEL}.plist").stat().st_mode & 0o777 == 0o644


def test_a_file_that_others_may_write_to_is_repaired(home: Path, state: Path, launchd: LaunchdService) -> None:
    launchd.install()
    (home / f"Library/LaunchAgents/{LABEL}.plist").chmod(0o666)  # as from a copy of the home
    for name in ("agent", "pid"):
        (state / name).unlink()  # and the user has logged in anew
    assert launchd.install()[-1] == "started"


def test_over_ssh_without_a_session_on_the_screen_the_error_comes_at_once(
    state: Path, launchd: LaunchdService, clock: Clock
) -> None:
    (state / "no-gui").touch()
    with pytest.raises(ServiceError, match="log in on the Mac's own screen first"):
        launchd.install()
    assert clock.now_s == 0.0


@pytest.mark.parametrize("word", ["disabled", "true"])
def test_a_label_that_is_switched_off_does_not_start_by_itself(state: Path, launchd: LaunchdService, word: str) -> None:
    launchd.install()
    assert launchd.state().enabled
    (state / "disabled").write_text(word)
    assert (launchd.state().active, launchd.state().enabled) == (True, False)
    for name in ("agent", "pid"):
        (state / name).unlink()
    found = launchd.state()
    assert (found.enabled, found.stopped, "Login Items" in found.summary) == (False, False, True)
    assert launchd.install()[-1] == "started"
    assert launchd.state().enabled


def test_a_file_that_is_not_loaded_is_stopped_and_not_missing(state: Path, launchd: LaunchdService) -> None:
    launchd.install()
    for name in ("agent", "pid"):
        (state / name).unlink()
    found = launchd.state()
    assert (found.enabled, found.active, found.stopped, found.summary) == (True, False, True, "not loaded")


def test_a_program_that_launchd_cannot_start_is_reported_at_once(state: Path, launchd: LaunchdService, clock: Clock) -> None:
    (state / "fails").write_text("78: EX_CONFIG")
    (state / "words").touch()
    with pytest.raises(ServiceError, match="launchd cannot start the program or write the log"):
        launchd.install()
    assert clock.now_s < ANSWER_LIMIT_S
    assert "launchd cannot start the program" in launchd.state().summary
    assert not launchd.state().stopped


def test_a_process_that_a_signal_ended_has_not_merely_stopped(state: Path, launchd: LaunchdService) -> None:
    launchd.install()
    (state / "pid").unlink()
    (state / "signal").write_text("Killed: 9")
    assert launchd.state().summary == "not running, ended by the signal Killed: 9"
    assert not launchd.state().stopped


@pytest.mark.parametrize("damage", ["the directory is a file", "the log is a directory"])
def test_a_log_that_cannot_be_written_is_named_before_anything_is_installed(
    home: Path, state: Path, launchd: LaunchdService, damage: str
) -> None:
    logs = home / "Library/Logs"
    if damage == "the log is a directory":
        (logs / "log").mkdir(parents=True)
    else:
        logs.parent.mkdir()
        logs.touch()
    with pytest.raises(ServiceError, match=f"cannot write {logs / 'log'}") as error:
        launchd.install()
    assert error.value.hint.startswith("ls -ld ")
    assert not (state / "agent").exists()
    assert launchd.state().file is None


@pytest.fixture
def runtime_dir() -> Iterator[str]:
    """A directory with a real control socket, which answers as the process that launchd starts first."""

    def status(_request: Any) -> dict[str, Any]:
        return {"pid": FIRST_PID, "version": __version__}

    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        server = ControlServer(Path(directory, "control.sock"), status)
        server.start()
        yield directory
        server.stop()


@pytest.mark.usefixtures("state")
def test_the_command_line_installs_and_removes_the_agent(home: Path, runtime_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    installed = here(home, "service", "install", OPENBALANCE_RUNTIME_DIR=runtime_dir)
    assert (installed.stderr, installed.stdout.splitlines()[-1]) == ("", "started")
    assert here(home, "service", "status").exit_code == 0
    assert here(home, "service", "uninstall").stdout.splitlines()[0] == "stopped"


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("folder", ["Documents", "Library/Mobile Documents/com~apple~CloudDocs", ""])
def test_an_install_notes_folders_that_an_agent_may_not_read(
    home: Path, runtime_dir: str, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    target, link = home / folder / "dotfiles/config.toml", home / "linked.toml"
    target.parent.mkdir(parents=True)
    link.symlink_to(target)  # as among dotfiles
    done = here(home, "service", "install", OPENBALANCE_RUNTIME_DIR=runtime_dir, OPENBALANCE_CONFIG=str(link))
    assert done.stdout.splitlines()[-1] == "started"
    notes = [line for line in done.stdout.splitlines() if line.startswith("note: ")]
    assert [note.split(" only")[0] for note in notes] == (
        [f"note: macOS lets a service read {home / folder.removesuffix('/com~apple~CloudDocs')}"] if folder else []
    )


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("gone", ["program", "python"])
def test_the_doctor_names_the_program_or_the_python_of_the_agent_that_is_gone(
    home: Path, program: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    python = home / "Cellar/python@3.13/3.13.1/bin/python3.13"  # removed by `brew upgrade` and its cleanup
    python.parent.mkdir(parents=True)
    python.touch()
    program.write_text(f"#!{python}\n")
    monkeypatch.setattr(sys, "platform", "darwin")
    agent = home / f"Library/LaunchAgents/{LABEL}.plist"
    agent.parent.mkdir(parents=True)
    agent.write_text(render_agent((str(program),), "/log"))

    def found() -> str:
        checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
        (check,) = (check for check in checks if check["name"] == "service")
        return str(check["found"])

    assert "which does not exist" not in found()
    missing = program if gone == "program" else python
    missing.unlink()
    assert found() == f"{agent} starts {missing}, which does not exist"


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("quote", ["", '"', "'"], ids=["none", "pip", "uv"])
def test_the_doctor_names_a_python_whose_path_is_too_long_or_has_a_blank(
    home: Path, program: Path, monkeypatch: pytest.MonkeyPatch, quote: str
) -> None:
    python = home / f"Library/{'Application Support' if quote else 'Support'}/pipx/venvs/openbalance-hid/bin/python"
    program.write_text(f"#!/bin/sh\n'''exec' {quote}{python}{quote} \"$0\" \"$@\"\n' '''\n")
    monkeypatch.setattr(sys, "platform", "darwin")
    agent = home / f"Library/LaunchAgents/{LABEL}.plist"
    agent.parent.mkdir(parents=True)
    agent.write_text(render_agent((str(program),), "/log"))
    assert service_check(home)["found"] == f"{agent} starts {python}, which does not exist"
    python.parent.mkdir(parents=True)
    python.touch()
    assert "does not exist" not in service_check(home)["found"]


def test_the_doctor_reports_an_agent_of_another_version(
    home: Path, state: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    agent = home / f"Library/LaunchAgents/{LABEL}.plist"
    agent.parent.mkdir(parents=True)
    text = render_agent((str(program),), str(home / "log"), {"XDG_CONFIG_HOME": "/x"})
    agent.write_text(text)
    (state / "agent").write_text(text)
    (state / "pid").write_text("1")
    assert service_check(home)["verdict"] == "ok"
    for old, new in (("<integer>30<", "<integer>10<"), ("--launchd", "--verbose"), ("<plist", "<")):
        agent.write_text(text.replace(old, new))
        found = service_check(home)
        assert "with the unit of another version" in found["found"], old
        assert found["hint"] == "openbalance-hid service install"


@pytest.fixture
def brew_program(home: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The agent that `brew services start` writes from the formula's service block, loaded and running."""
    monkeypatch.setattr(sys, "platform", "darwin")
    agent = home / f"Library/LaunchAgents/{HOMEBREW_LABEL}.plist"
    agent.parent.mkdir(parents=True)
    words = {
        "Label": HOMEBREW_LABEL,
        "ProgramArguments": [str(program), "run", "--launchd"],
        "StandardOutPath": "/var/log/x.log",
    }
    agent.write_bytes(plistlib.dumps(words))
    (home / "systemd/agent").write_bytes(agent.read_bytes())
    (home / "systemd/pid").write_text(str(FIRST_PID))
    return program


def service_check(home: Path) -> dict[str, Any]:
    checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
    (check,) = (check for check in checks if check["name"] == "service")
    return dict(check)


@pytest.mark.usefixtures("state")
def test_the_service_of_homebrew_is_the_service_of_status_doctor_and_install(home: Path, brew_program: Path) -> None:
    assert here(home, "service", "status").stdout.startswith(f"service   running, process {FIRST_PID}\n")
    assert (service_check(home)["verdict"], service_check(home)["found"]) == ("ok", "running, by `brew services`")
    refused = here(home, "service", "install")
    assert refused.exit_code == 2
    assert refused.stderr == "error: Homebrew has installed the service\ntry: brew services restart openbalance-hid\n"
    (home / "systemd/in-user-domain").touch()  # `brew services start` through ssh
    assert here(home, "service", "status").stdout.startswith(f"service   running, process {FIRST_PID}\n")
    brew_program.unlink()
    assert service_check(home)["found"].endswith(f"starts {brew_program}, which does not exist")
    assert service_check(home)["hint"] == "brew reinstall openbalance-hid"


@pytest.mark.usefixtures("state")
def test_a_second_agent_beside_that_of_homebrew_is_reported(home: Path, brew_program: Path) -> None:
    (home / f"Library/LaunchAgents/{LABEL}.plist").write_text(render_agent((str(brew_program),), "/log"))
    assert "by this program and by Homebrew" in service_check(home)["found"]
    assert service_check(home)["hint"] == "openbalance-hid service uninstall"


@pytest.mark.usefixtures("state", "brew_program")
def test_setup_offers_no_second_service_beside_that_of_homebrew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBALANCE_RUNTIME_DIR", str(home / "run"))
    (home / "systemd/pid").unlink()  # stopped
    places = Paths(home / "config.toml", home / "state", home / "run")
    assert SERVICE_INSTALL not in [step.command for step in missing_steps(places)]
    (home / f"Library/LaunchAgents/{HOMEBREW_LABEL}.plist").unlink()
    assert SERVICE_INSTALL in [step.command for step in missing_steps(places)]
