"""Run `openbalance-hid` in an environment of its own: as a process, or in this process where that is enough."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from openbalance_hid.cli import main

KEY = "sk-or-v1-0123456789abcdef1a2b"


def machine(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with every path below `home`, without a keyring service and without a display."""
    ours = {
        "OPENBALANCE_CONFIG": str(home / "config.toml"),
        "OPENBALANCE_STATE_DIR": str(home / "state"),
        "OPENBALANCE_RUNTIME_DIR": str(home / "run"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBALANCE_", "OPENROUTER_"))}
    return {**theirs, **ours, **more}


def process(env: Mapping[str, str], *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `openbalance-hid args` as a process."""
    return subprocess.run(
        [sys.executable, "-m", "openbalance_hid", *args],
        env=dict(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
    )


def python(env: Mapping[str, str], code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process, for what no command does."""
    return subprocess.run([sys.executable, "-c", code], env=dict(env), capture_output=True, text=True, timeout=240)


def here(home: Path, *args: str, stdin: str = "", **more: str) -> Result:
    """Run `openbalance-hid args` in this process, with its keyring."""
    env: dict[str, str | None] = {"OPENROUTER_MANAGEMENT_KEY": None, "OPENBALANCE_API_URL": None, "CREDENTIALS_DIRECTORY": None}
    env |= {name: value for name, value in machine(home, **more).items() if name.startswith(("OPENBALANCE_", "OPENROUTER_"))}
    return CliRunner(env=env).invoke(main, list(args), input=stdin)
