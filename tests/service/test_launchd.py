"""The service under launchd. launchctl is a small fake here."""

from pathlib import Path

import pytest

from openbalance_hid.service.launchd import LaunchdService
from openbalance_hid.service.units import LABEL

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


def test_an_agent_is_installed_once_replaced_after_a_change_and_removed(home: Path, launchd: LaunchdService) -> None:
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
