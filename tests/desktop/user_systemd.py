"""A real systemd of a user, for one script, in a mount namespace and control groups of its own. It needs root.

A machine that systemd has not booted will do: systemd looks for /run/systemd/system, and gets control groups of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_SYSTEMD = next((path for path in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd") if Path(path).exists()), None)
_GROUPS = [
    path for path in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified") if Path(path, "cgroup.procs").exists()
]  # hybrid control groups, where a new one needs nothing from those above it
PROGRAMS = ("unshare", "mount", "dbus-daemon", "systemctl", "systemd-run")
LIMIT_S = 60

_SET_UP = """\
set -e
mount -t tmpfs tmpfs /run/systemd
mkdir /run/systemd/system
for group in $GROUPS; do mkdir -p $group/$NAME/init; echo $$ > $group/$NAME/init/cgroup.procs; done
dbus-daemon --session --address=$DBUS_SESSION_BUS_ADDRESS --nofork --nopidfile & bus=$!
"$SYSTEMD" --user --log-target=console --log-level=warning >&2 & manager=$!
trap 'kill $manager; wait $manager; kill $bus; wait $bus' EXIT
for try in $(seq 100); do systemctl --user show --property=Version >/dev/null 2>&1 && break; sleep 0.1; done
"""


def can_run() -> bool:
    """Return whether this machine can run it."""
    return (
        sys.platform == "linux"
        and os.geteuid() == 0
        and _SYSTEMD is not None
        and bool(_GROUPS)
        and all(os.access(path, os.W_OK) for path in (*_GROUPS, "/run/systemd") if Path(path).exists())
        and Path("/run/systemd").is_dir()
        and all(map(shutil.which, PROGRAMS))
    )


def run_in(folder: Path, script: str, **env: str) -> str:
    """Return what a shell script prints that runs with a user's systemd of its own. `folder`: for its runtime files."""
    name = f"openbalance-test-{os.getpid()}"
    folder.chmod(0o700)
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "OPENROUTER_"))},
        "XDG_RUNTIME_DIR": str(folder),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus",
        "HOME": str(folder),
        "NAME": name,
        "SYSTEMD": str(_SYSTEMD),
        **env,
    }
    text = _SET_UP.replace("$GROUPS", " ".join(_GROUPS)) + script
    try:
        ended = subprocess.run(
            ["unshare", "--mount", "bash", "-c", text],
            env=variables,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    finally:
        for group in _GROUPS:
            _remove(Path(group, name))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def _remove(group: Path) -> None:
    """Remove a control group with those in it. They are empty: their processes have ended."""
    for path in sorted(group.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
    if group.exists():
        group.rmdir()
