"""`service`: what it writes and says, twice the same, and never as root. systemctl and launchctl are small stand-ins here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from openbalance_hid import __version__
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.service.install import service_environment
from openbalance_hid.service.launchd import LaunchdService
from openbalance_hid.service.systemd import SystemdService
from openbalance_hid.service.units import GIVE_UP_CODES, LABEL, UNIT, render_system_unit, render_user_unit
from tests.cli.command_line import here, machine

STAND_INS = Path(__file__).parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's machine with a systemd of its own; `home/systemd` has its state."""
    tools, state = tmp_path / "tools", tmp_path / "systemd"
    tools.mkdir()
    state.mkdir()
    tool = tools / "systemctl"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_INS / "stand_in_systemctl.py"} "$@"\n')
    tool.chmod(0o755)
    (tools / "journalctl").write_text('#!/bin/sh\necho "journal: $*"\n')
    (tools / "journalctl").chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("openbalance_hid.service.systemd.PACKAGED_DIRS", ())
    monkeypatch.setattr("openbalance_hid.cli.service._program", lambda: ("/opt/openbalance-hid",))
    return tmp_path


def unit(home: Path) -> Path:
    return home / "config/systemd/user" / UNIT


def test_installed_it_runs_and_starts_by_itself(home: Path) -> None:
    result = here(home, "service", "install")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"wrote {unit(home)}", "it starts with your login", "started"]
    assert (home / "systemd/loaded").read_text() == unit(home).read_text()
    status = here(home, "service", "status")
    assert status.exit_code == 0
    assert status.stdout.splitlines()[0] == "service   active (running), process 4711"


def test_with_a_desktop_session_nothing_else_starts_it(home: Path) -> None:
    (home / "systemd/active-graphical-session.target").touch()
    assert "it starts with the desktop session" in here(home, "service", "install").stdout
    assert [link.parent.name for link in unit(home).parent.glob(f"*.wants/{UNIT}")] == ["graphical-session.target.wants"]


def test_a_second_install_changes_and_restarts_nothing(home: Path) -> None:
    here(home, "service", "install")
    before = (home / "systemd/told").read_text()
    again = here(home, "service", "install")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "already running")
    told = (home / "systemd/told").read_text().removeprefix(before)
    assert "restart" not in told
    assert "daemon-reload" not in told


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


def test_places_other_than_the_usual_ones_are_the_services_too_and_a_key_is_not(home: Path) -> None:
    here(home, "service", "install", OPENROUTER_MANAGEMENT_KEY="sk-or-v1-0123456789abcdef")
    text = unit(home).read_text()
    assert f'Environment="OPENBALANCE_CONFIG={home / "config.toml"}"' in text
    assert "sk-or" not in text
    env = {"OPENBALANCE_CONFIG": "a.toml", "OPENBALANCE_STATE_DIR": "", "XDG_STATE_HOME": f"{home}/.local/state"}
    assert service_environment(env) == {"OPENBALANCE_CONFIG": str(Path("a.toml").absolute())}


def test_the_doctor_reports_missing_and_outdated_services_and_programs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> tuple[str, str]:
        checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
        (check,) = (check for check in checks if check["name"] == "service")
        return check["verdict"], check["found"]

    assert said() == ("warning", "not installed")
    here(home, "service", "install")
    assert said() == ("failure", f"{unit(home)} starts /opt/openbalance-hid, which does not exist")
    monkeypatch.setattr("openbalance_hid.cli.service._program", lambda: (sys.executable,))
    here(home, "service", "install")
    assert said() == ("ok", "active (running)")
    unit(home).write_text(unit(home).read_text().replace("WatchdogSec=180", "WatchdogSec=30"))
    assert said() == ("warning", f"active (running), with the unit of another version: {unit(home)}")


def test_uninstalled_nothing_of_it_is_left_and_twice_is_no_error(home: Path) -> None:
    here(home, "service", "install")
    result = here(home, "service", "uninstall")
    assert result.stdout.splitlines() == ["stopped", "disabled", f"removed {unit(home)}"]
    assert [path for path in unit(home).parent.rglob("*") if not path.is_dir()] == []
    again = here(home, "service", "uninstall")
    assert (again.exit_code, again.stdout) == (0, "the service is not installed\n")


def test_a_packages_unit_is_used_and_an_older_copy_no_longer_hides_it(home: Path, tmp_path: Path) -> None:
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
def test_a_service_that_does_not_start_says_why(home: Path, code: str, why: str, hint: str) -> None:
    (home / "systemd/cannot-start").write_text(code)
    result = here(home, "service", "install")
    assert result.exit_code == 69
    assert result.stderr == f"error: the service is installed but did not start: {why}\ntry: openbalance-hid {hint}\n"
    status = here(home, "service", "status")
    assert (status.exit_code, status.stderr.splitlines()[1]) == (69, "try: openbalance-hid service logs")


def test_a_service_that_was_stopped_is_started_again_by_installing_it(home: Path) -> None:
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


def test_without_a_users_systemd_it_is_said_in_two_lines(home: Path) -> None:
    (home / "systemd/no-bus").touch()
    for command in ("install", "uninstall", "status"):
        result = here(home, "service", command)
        assert (result.exit_code, result.stdout) == (69, "")
        assert result.stderr == (
            "error: your systemd does not answer: Failed to connect to bus: No medium found\ntry: openbalance-hid run\n"
        )
    assert not unit(home).exists()


def test_under_sudo_no_service_of_roots_is_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert here(home, "service", "install").exit_code == 2
    assert not unit(home).exists()


def test_the_log_is_the_journals(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert here(home, "service", "logs", "-n", "7").exit_code == 0
    assert capfd.readouterr().out == f"journal: --user --unit={UNIT} --lines=7 --no-pager\n"


def test_a_reader_of_the_log_who_has_seen_enough_is_no_error(home: Path) -> None:
    (home / "tools/journalctl").write_text("#!/bin/sh\nexec yes 'a line'\n")
    shell = ["sh", "-c", '"$0" -m openbalance_hid service logs | head -n 1', sys.executable]
    done = subprocess.run(shell, env=machine(home), capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("a line\n", "")


def test_headless_says_one_command_that_a_shell_understands_and_does_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = here(home, "service", "install", "--headless")
    assert result.exit_code == 0
    command = result.stdout.split("\n\n")[1]
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
    assert command.endswith(f"sudo systemctl enable --now {UNIT}")
    assert "udev print --headless" in command
    assert not (home / "config").exists()
    assert here(home, "service", "print", "--headless").stdout == render_system_unit(("/opt/openbalance-hid",))


def test_headless_refuses_a_program_that_the_services_user_could_not_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbalance_hid.cli.service._program", lambda: (str(home / ".local/bin/openbalance-hid"),))
    result = here(home, "service", "install", "--headless")
    assert result.exit_code == 2
    assert "try: sudo pipx install --global openbalance-hid" in result.stderr


# --- launchd -------------------------------------------------------------------------------------------------------------

LAUNCHCTL = """#!/bin/sh
# As launchctl(1): print, bootstrap, bootout, enable of one agent, kept as one file.
echo "$*" >> "$STAND_IN/told"
case "$1" in
  print) [ -e "$STAND_IN/agent" ] || { echo "Could not find service" >&2; exit 113; }
    printf '%s = {\\n\\tstate = running\\n\\tpid = 4711\\n\\tnested = {\\n\\t\\tpid = 1\\n\\t}\\n}\\n' "$2" ;;
  bootstrap) [ ! -e "$STAND_IN/agent" ] || { echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }
    cp "$3" "$STAND_IN/agent" ;;
  bootout) rm "$STAND_IN/agent" ;;
  enable) ;;
  *) exit 64 ;;
esac
"""


@pytest.fixture
def launchd(home: Path) -> LaunchdService:
    tool = home / "tools/launchctl"
    tool.write_text(LAUNCHCTL)
    tool.chmod(0o755)
    return LaunchdService(("/opt/openbalance-hid",), {}, home / "Library/LaunchAgents", home / "Library/Logs/log")


def test_an_agent_is_installed_once_replaced_when_it_changed_and_removed(home: Path, launchd: LaunchdService) -> None:
    file = home / f"Library/LaunchAgents/{LABEL}.plist"
    assert launchd.install() == [f"wrote {file}", "it starts with your login", "started"]
    assert launchd.install()[-1] == "already running"
    assert (launchd.state().active, launchd.state().pid) == (True, 4711)
    assert launchd.install(restart=True) == ["it starts with your login", "restarted"]
    file.write_text("older")
    assert launchd.install()[-1] == "restarted"
    assert (home / "systemd/agent").read_text() == file.read_text()
    assert launchd.uninstall() == ["stopped", f"removed {file}"]
    assert launchd.uninstall() == ["the service is not installed"]
    assert (launchd.state().file, launchd.state().active) == (None, False)


def test_final_codes_are_in_the_systemd_unit() -> None:
    line = f"RestartPreventExitStatus={' '.join(map(str, GIVE_UP_CODES))}\n"
    assert line in render_user_unit(("/x",))
    assert line in render_system_unit(("/x",))
