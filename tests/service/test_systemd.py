"""The service under a user's systemd, by the commands of `service`. systemctl is a small fake here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openbalance_hid import __version__
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.service.install import service_environment
from openbalance_hid.service.systemd import SystemdService
from openbalance_hid.service.units import UNIT, render_user_unit
from tests.cli.command_line import here, machine


def unit(home: Path) -> Path:
    return home / "config/systemd/user" / UNIT


def test_an_installed_service_runs_and_starts_at_login(home: Path) -> None:
    result = here(home, "service", "install")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"wrote {unit(home)}", "it starts with your login", "started"]
    assert (home / "systemd/loaded").read_text() == unit(home).read_text()
    status = here(home, "service", "status")
    assert status.exit_code == 0
    assert status.stdout.splitlines()[0] == "service   active (running), process 4711"


def test_with_a_desktop_session_only_that_starts_the_service(home: Path) -> None:
    (home / "systemd/active-graphical-session.target").touch()
    assert "it starts with the desktop session" in here(home, "service", "install").stdout
    assert [link.parent.name for link in unit(home).parent.glob(f"*.wants/{UNIT}")] == ["graphical-session.target.wants"]


def test_a_second_install_changes_and_restarts_nothing(home: Path) -> None:
    here(home, "service", "install")
    before = (home / "systemd/calls").read_text()
    again = here(home, "service", "install")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "already running")
    calls = (home / "systemd/calls").read_text().removeprefix(before)
    assert "restart" not in calls
    assert "daemon-reload" not in calls


def test_a_unit_of_an_older_version_is_replaced_and_the_daemon_restarted(home: Path) -> None:
    here(home, "service", "install")
    unit(home).write_text("# older\n")
    result = here(home, "service", "install")
    assert result.stdout.splitlines()[-1] == "restarted"
    assert unit(home).read_text().startswith("# Made by")


@pytest.mark.parametrize(("version", "last"), [("0.0.1", "restarted"), (__version__, "already running")])
def test_after_an_upgrade_that_changed_no_unit_the_daemon_is_restarted(home: Path, version: str, last: str) -> None:
    here(home, "service", "install")
    (home / "run").mkdir(mode=0o700)
    daemon = ControlServer(home / "run/control.sock", lambda _: {"version": version})
    daemon.start()
    try:
        assert here(home, "service", "install").stdout.splitlines()[-1] == last
    finally:
        daemon.stop()


def test_the_service_receives_directories_from_the_environment_but_no_key(home: Path) -> None:
    here(home, "service", "install", OPENROUTER_MANAGEMENT_KEY="sk-or-v1-0123456789abcdef")
    text = unit(home).read_text()
    assert f'Environment="OPENBALANCE_CONFIG={home / "config.toml"}"' in text
    assert "sk-or" not in text
    env = {"OPENBALANCE_CONFIG": "a.toml", "OPENBALANCE_STATE_DIR": "", "XDG_STATE_HOME": f"{home}/.local/state"}
    assert service_environment(env) == {"OPENBALANCE_CONFIG": str(Path("a.toml").absolute())}


def test_the_doctor_reports_missing_and_outdated_services_and_programs(home: Path, program: Path) -> None:
    def service_check() -> tuple[str, str]:
        checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
        (check,) = (check for check in checks if check["name"] == "service")
        return check["verdict"], check["found"]

    assert service_check() == ("warning", "not installed")
    here(home, "service", "install")
    assert service_check() == ("ok", "active (running)")
    unit(home).write_text(unit(home).read_text().replace("WatchdogSec=180", "WatchdogSec=30"))
    assert service_check() == ("warning", f"active (running), with the unit of another version: {unit(home)}")
    program.unlink()
    assert service_check() == ("failure", f"{unit(home)} starts {program}, which does not exist")


def test_uninstall_leaves_nothing_and_is_idempotent(home: Path) -> None:
    here(home, "service", "install")
    result = here(home, "service", "uninstall")
    assert result.stdout.splitlines() == ["stopped", "disabled", f"removed {unit(home)}"]
    assert [path for path in unit(home).parent.rglob("*") if not path.is_dir()] == []
    again = here(home, "service", "uninstall")
    assert (again.exit_code, again.stdout) == (0, "the service is not installed\n")


def test_the_unit_of_a_package_is_used_and_an_older_copy_is_removed(home: Path, tmp_path: Path) -> None:
    packaged = tmp_path / "usr/lib/systemd/user"
    packaged.mkdir(parents=True)
    (packaged / UNIT).write_text(render_user_unit(("/usr/bin/openbalance-hid",)))
    unit(home).parent.mkdir(parents=True)
    unit(home).write_text("# from pipx\n")
    done = SystemdService(("/usr/bin/openbalance-hid",), {}, unit(home).parent, (packaged,)).install()
    assert done[0] == f"removed {unit(home)}: {packaged / UNIT} takes its place"
    assert not unit(home).exists()


@pytest.mark.parametrize(
    ("code", "why", "hint"),
    [
        ("75", "another daemon is running", "stop"),
        ("78", "the configuration or a directory cannot be used", "doctor"),
        ("1", f"Job for {UNIT} failed.", "service logs"),
    ],
)
def test_a_service_that_does_not_start_is_reported_with_its_reason(home: Path, code: str, why: str, hint: str) -> None:
    (home / "systemd/cannot-start").write_text(code)
    result = here(home, "service", "install")
    assert result.exit_code == 69
    assert result.stderr == f"error: the service is installed but did not start: {why}\ntry: openbalance-hid {hint}\n"
    status = here(home, "service", "status")
    assert (status.exit_code, status.stderr.splitlines()[1]) == (69, "try: openbalance-hid service logs")


def test_install_starts_a_stopped_service(home: Path) -> None:
    here(home, "service", "install")
    (home / f"systemd/active-{UNIT}").unlink()
    status = here(home, "service", "status")
    assert (status.exit_code, status.stderr.splitlines()[1]) == (69, "try: openbalance-hid service install")
    assert here(home, "service", "install").stdout.splitlines() == ["it starts with your login", "started"]


def test_the_unit_goes_where_the_manager_looks_even_if_the_shell_differs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANAGERS_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    here(home, "service", "install")
    assert f'Environment="XDG_CONFIG_HOME={home / "elsewhere"}"' in unit(home).read_text()
    assert not (home / "elsewhere").exists()
    assert here(home, "service", "uninstall").stdout.splitlines() == ["stopped", "disabled", f"removed {unit(home)}"]


def test_a_missing_user_systemd_is_reported_in_two_lines(home: Path) -> None:
    (home / "systemd/no-bus").touch()
    for command in ("install", "uninstall", "status"):
        result = here(home, "service", command)
        assert (result.exit_code, result.stdout) == (69, "")
        assert result.stderr == (
            "error: your systemd does not answer: Failed to connect to bus: No medium found\ntry: openbalance-hid run\n"
        )
    assert not unit(home).exists()


def test_install_refuses_sudo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert here(home, "service", "install").exit_code == 2
    assert not unit(home).exists()


def test_logs_shows_the_journal(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert here(home, "service", "logs", "-n", "7").exit_code == 0
    assert capfd.readouterr().out == f"journal: --user --unit={UNIT} --lines=7 --no-pager\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="another process, which takes macOS's way")
def test_logs_accepts_a_reader_that_ends_early(home: Path) -> None:
    (home / "tools/journalctl").write_text("#!/bin/sh\nexec yes 'a line'\n")
    shell = ["sh", "-c", '"$0" -m openbalance_hid service logs | head -n 1', sys.executable]
    done = subprocess.run(shell, env=machine(home), capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.stderr) == ("a line\n", "")
