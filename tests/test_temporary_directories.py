"""The directories of tests leave room for the path of a Unix socket, also where the system's are long, as on macOS."""

import os
import subprocess
import sys
from pathlib import Path

from openbalance_hid.ipc.socket_path import SHORTEST_LIMIT

LONG = "private/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T"  # the form of $TMPDIR on macOS, as mktemp(1) uses it
OTHER_WORKER = "popen-gw10/"  # a directory that pytest-xdist adds, where it runs


def test_a_socket_below_the_directory_of_a_test_has_room(tmp_path: Path) -> None:
    base = Path(str(tmp_path.parent).split("/popen-gw")[0]) / OTHER_WORKER
    assert len(os.fsencode(base / ("x" * 32) / "runtime/control.sock")) <= SHORTEST_LIMIT


def test_a_long_directory_of_the_system_is_not_used(tmp_path: Path) -> None:
    (tmp_path / LONG).mkdir(parents=True)
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")} | {"TMPDIR": str(tmp_path / LONG)}
    test = f"{__file__}::{test_a_socket_below_the_directory_of_a_test_has_room.__name__}"
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test], env=env, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
