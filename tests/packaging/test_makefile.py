"""What `make demo` installs: the program and nothing else, once."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def recipe(folder: Path) -> str:
    """Return the commands that `make demo` would run in a checkout in `folder`."""
    return subprocess.run(["make", "-n", "demo"], cwd=folder, capture_output=True, text=True, check=True, timeout=240).stdout


def checkout(folder: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_a_first_demo_installs_the_program_without_the_tools_of_contributors(tmp_path: Path):
    commands = recipe(checkout(tmp_path))
    assert "pip install --disable-pip-version-check --editable .\n" in commands
    assert "[dev]" not in commands
    assert "--quiet" not in commands


def test_a_second_demo_installs_nothing(tmp_path: Path):
    marker = checkout(tmp_path) / ".venv" / ".run"
    marker.parent.mkdir()
    marker.touch()
    assert "pip install" not in recipe(tmp_path)


def test_what_the_tests_need_includes_what_a_demo_needs(tmp_path: Path):
    checkout(tmp_path)
    ready = subprocess.run(
        ["make", "-n", ".venv/.ready"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=240
    )
    assert "touch .venv/.run .venv/.ready" in ready.stdout
