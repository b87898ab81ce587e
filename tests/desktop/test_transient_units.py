"""Programs as transient units of a real user's systemd: outside of the service's sandbox, and gone with it."""

import json
import os
import sys
import sysconfig
from pathlib import Path

import pytest

from openbalance_hid.desktop.transient_unit import is_user_service
from openbalance_hid.service.units import render_user_unit
from tests.desktop.user_systemd import can_run, run_in

DRIVER = Path(__file__).with_name("unit_driver.py")
SCRIPT = """\
systemctl --user set-environment OPENROUTER_MANAGEMENT_KEY=sk-or-v1-a OPENROUTER_MANAGEMENT_KEY_WORK=sk-or-v1-b SHOWN=yes
systemctl --user set-environment OPENROUTER_MANAGEMENT_KEY_A=sk-or-v1-c OPENROUTER_MANAGEMENT_KEY_AB=sk-or-v1-d
systemctl --user set-environment OPENROUTER_API_KEY=sk-or-v1-e OTHER=sk-or-v1-f
systemctl --user start driver.service
for try in $(seq 300); do systemctl --user is-active --quiet driver.service || break; sleep 0.1; done
for try in $(seq 50); do pgrep -f "sleep 9876[1-4]" >/dev/null || break; sleep 0.1; done
echo "left: $(pgrep -c -f "sleep 9876[1-4]")"
echo "units: $(systemctl --user list-units --all --no-legend 'openbalance-hid-command-*' | wc -l)"
echo "failed: $(systemctl --user --failed --no-legend | grep -c openbalance-hid-command)"
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="macOS has no systemd")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What the driver reports, by name, and what is left after it was killed."""
    folder = tmp_path_factory.mktemp("systemd")
    units = folder / ".config" / "systemd" / "user"
    units.mkdir(parents=True)
    child = folder / "no-program"
    child.write_text("no program")
    child.chmod(0o755)
    log = folder / "log"
    unit = render_user_unit((sys.executable, "-m", "tests.desktop.unit_driver", str(log), str(child)))
    changes = {"Type=notify": "Type=exec", "NotifyAccess=main\n": "", "Restart=on-failure": "Restart=no"}
    text = unit.replace(f"{child} run", str(child))
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    text = "\n".join(line for line in text.split("\n") if not line.startswith("WatchdogSec"))
    root, site = DRIVER.parents[2], sysconfig.get_paths()["purelib"]
    text = text.replace("[Service]\n", f"[Service]\nWorkingDirectory={root}\nEnvironment=PYTHONPATH={root}:{site}\n")
    (units / "driver.service").write_text(text)
    printed = run_in(folder, SCRIPT)
    found = {each["name"]: each for each in map(json.loads, log.read_text().splitlines())}
    return {**found, "after": dict(line.split(": ") for line in printed.splitlines() if ": " in line)}


if can_run():

    def test_a_program_runs_outside_of_the_sandbox_of_the_service(results):
        assert results["self"]["sandbox"] == ["NoNewPrivs:\t1", "Seccomp:\t2"]
        assert results["sandbox"]["output"] == "NoNewPrivs:\t0\nSeccomp:\t0\n"

    def test_no_key_of_systemds_own_environment_reaches_a_program(results):
        lines = results["environment"]["output"].splitlines()
        assert "SHOWN=yes" in lines
        assert not [line for line in lines if "sk-or" in line or line.startswith(("OPENROUTER", "CREDENTIALS"))]

    def test_the_words_arrive_as_they_are_configured(results):
        assert results["words"]["output"] == "a b|$HOME|${HOME}|$$|%n|\\t||ü;'\"|"

    def test_every_end_has_its_kind(results):
        kinds = {name: (results[name]["kind"], results[name]["code"]) for name in ("exit", "signal", "missing", "script")}
        assert kinds == {
            "exit": ("exited", 3),
            "signal": ("signalled", 9),
            "missing": ("not found", 0),
            "script": ("not started", 0),
        }
        assert results["exit"]["output"] == "some\n"
        assert [results[name]["kind"] for name in ("slow", "stubborn", "flood")] == ["too slow", "too slow", "too long"]
        assert len(results["flood"]["output"]) == 4096

    def test_a_program_that_keeps_printing_is_read_and_stopped(results):
        assert (results["lines"]["lines"], results["lines"]["kind"]) == (["one", "two"], "stopped")

    def test_a_program_gets_its_input(results):
        assert (results["input"]["kind"], results["input"]["text"]) == ("exited", "content")

    def test_nothing_is_left_after_the_runs_nor_after_the_service_was_killed(results):
        assert results["descriptors"]["before"] == results["descriptors"]["after"]
        assert results["after"] == {"left": "0", "units": "0", "failed": "0"}


@pytest.mark.parametrize(
    ("env", "is_one"),
    [
        ({"MANAGERPID": "1", "INVOCATION_ID": "a", "SYSTEMD_EXEC_PID": "42"}, True),
        ({"MANAGERPID": "1", "INVOCATION_ID": "a", "SYSTEMD_EXEC_PID": "41"}, False),  # a shell of a terminal that is one
        ({"MANAGERPID": "1", "INVOCATION_ID": "a", "NOTIFY_SOCKET": "/run/x"}, True),  # before systemd 248
        ({"MANAGERPID": "1", "INVOCATION_ID": "a"}, False),
        ({"INVOCATION_ID": "a", "SYSTEMD_EXEC_PID": "42"}, False),  # a service of the system
        ({}, False),
    ],
)
def test_only_the_main_process_of_a_users_service_has_a_sandbox_to_leave(env, is_one):
    assert is_user_service(env, 42) is is_one
    assert not is_user_service(dict(os.environ) | {"SYSTEMD_EXEC_PID": "0"}, 42)
