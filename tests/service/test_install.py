"""Which programs a service may start, and the one command for root on a machine without a seat."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.daemon_checks import ServiceFacts, assess_service
from openbalance_hid.service.install import is_temporary
from openbalance_hid.service.units import UNIT, render_system_unit
from tests.cli.command_line import here

TEMPORARY = [
    "/home/ada/.cache/uv/archive-v0/qZ0Jk3/bin/openbalance-hid",
    "/home/ada/.cache/uv/environments-v2/409d7d054e15cc1d/bin/openbalance-hid",
    "/home/ada/.cache/uv/builds-v0/.tmpQ1w2e3/bin/python",
    "/var/tmp/another-cache/archive-v0/qZ0Jk3/bin/openbalance-hid",
    "/home/ada/.cache/pipx/0123456789abcde/bin/openbalance-hid",
    "/home/ada/.local/pipx/.cache/0123456789abcde/bin/openbalance-hid",
    "/Users/ada/Library/Caches/pipx/0123456789abcde/bin/openbalance-hid",
]
PERMANENT = [
    "/usr/bin/openbalance-hid",
    "/home/ada/.local/bin/openbalance-hid",
    "/home/ada/.local/share/uv/tools/openbalance-hid/bin/openbalance-hid",
    "/home/ada/.local/share/pipx/venvs/openbalance-hid/bin/openbalance-hid",
    "/home/ada/pipx/my-venv/bin/openbalance-hid",
    "/home/ada/archive/openbalance-hid",
    "openbalance-hid",
]


@pytest.mark.parametrize("program", TEMPORARY)
def test_a_program_in_a_cache_of_uv_or_pipx_is_temporary(program: str) -> None:
    assert is_temporary(PurePosixPath(program))


@pytest.mark.parametrize("program", PERMANENT)
def test_an_installed_program_is_not_temporary(program: str) -> None:
    assert not is_temporary(PurePosixPath(program))


@pytest.mark.parametrize("options", [[], ["--headless"]], ids=["user", "headless"])
def test_install_refuses_a_program_in_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    program = tmp_path / "archive-v0/qZ0Jk3/bin/openbalance-hid"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setattr("sys.argv", [str(program)])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    result = here(tmp_path, "service", "install", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: {program} is in a cache, from which it may be removed\ntry: uv tool install openbalance-hid\n"
    )
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("installed", [True, False])
def test_the_doctor_warns_of_a_service_that_starts_a_program_in_a_cache(installed: bool) -> None:
    file = "/u" if installed else None
    (check,) = assess_service(ServiceFacts(installed, installed, installed, "active", file, temporary_program=TEMPORARY[0]))
    assert (check.verdict, check.hint) == (CheckStatus.WARNING, "uv tool install openbalance-hid")
    assert TEMPORARY[0] in check.found


def test_headless_prints_one_valid_shell_command_and_does_nothing(
    home: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = here(home, "service", "install", "--headless")
    assert result.exit_code == 0
    command = result.stdout.split("\n\n")[1]
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
    assert command.endswith(f"sudo systemctl enable {UNIT} && \\\n  sudo systemctl restart {UNIT}")
    assert all(line.lstrip().startswith(("sh -c '", "sudo ")) for line in command.splitlines()), "fish runs it, too"
    assert "udev print --headless" in command
    assert not (home / "config").exists()
    assert here(home, "service", "print", "--headless").stdout == render_system_unit((str(program),))


def key_step(home: Path, etc: Path) -> str:
    """Return the step of the printed command that writes the key, with another directory in place of /etc."""
    command = here(home, "service", "install", "--headless").stdout.split("\n\n")[1]
    (step,) = (part for part in command.split(" && \\\n  ") if "ask-password" in part)
    return step.replace("/etc/openbalance-hid", str(etc))


@pytest.mark.parametrize(
    ("prompt", "written"),
    [
        (f"echo {'sk-or-v1-' + 'n' * 64}", "sk-or-v1-" + "n" * 64 + "\n"),
        ("exit 1", None),
        ("true", None),
        ("echo", None),
        ("echo sk-or-v1-", None),
        ("echo my password", None),
        ("echo sk-or-v1-nnnnnnn", None),
        ("echo sk-or-v1-nnnnnnnn nnnnnnnn", None),
        ("echo sk-or-v1-0e6...1c96", None),
        ("printf 'sk-or-v1-nnnnnnnn\\nsk-or-v1-nnnnnnnn\\n'", None),
        ("kill -INT $$", None),
    ],
    ids=lambda each: str(each)[:24] or "none",
)
@pytest.mark.parametrize("uid", [0, 1000])
def test_headless_replaces_a_good_key_only_by_a_key(
    home: Path, program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prompt: str, written: str | None, uid: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    tools, etc = tmp_path / "stand-ins", tmp_path / "etc"
    tools.mkdir()
    etc.mkdir()
    for name, does in (("sudo", 'exec "$@"'), ("systemd-ask-password", prompt)):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    key = etc / "openrouter-management-key"
    key.write_text("sk-or-v1-good")
    step = key_step(home, etc)
    for shell in ("sh", "bash"):
        done = subprocess.run([shell, "-c", step], env={"PATH": f"{tools}:{os.environ['PATH']}"}, capture_output=True)
        assert (done.returncode == 0) == (written is not None)
        assert key.read_text() == (written or "sk-or-v1-good")
    assert written is None or key.stat().st_mode & 0o777 == 0o600


def test_headless_keeps_a_good_key_when_the_new_one_cannot_be_written(
    home: Path, program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tools, etc = tmp_path / "stand-ins", tmp_path / "etc"
    tools.mkdir()
    etc.mkdir()
    (tools / "systemd-ask-password").write_text(f"#!/bin/sh\necho sk-or-v1-{'n' * 64}\n")
    (tools / "systemd-ask-password").chmod(0o755)
    key = etc / "openrouter-management-key"
    key.write_text("sk-or-v1-good")
    step = key_step(home, etc)
    full = f"ulimit -f 0; {step}"  # every write to a file fails, as on a full disk
    done = subprocess.run(["sh", "-c", full], env={"PATH": f"{tools}:{os.environ['PATH']}"}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert key.read_text() == "sk-or-v1-good"
    assert list(etc.iterdir()) == [key]


def test_headless_refuses_a_program_in_the_home_of_a_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home / ".local/bin/openbalance-hid"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setattr("sys.argv", [str(program)])
    result = here(home, "service", "install", "--headless")
    assert result.exit_code == 2
    assert "try: sudo pipx install --global openbalance-hid" in result.stderr


@pytest.mark.parametrize("options", [[], ["--headless"]])
def test_no_unit_contains_another_api_address(
    home: Path, program: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("OPENBALANCE_API_URL", "http://127.0.0.1:8080/api/v1")
    monkeypatch.setenv("OPENBALANCE_STATE_DIR", str(home / "state"))
    printed = here(home, "service", "print", *options).stdout
    assert "API_URL" not in printed
    assert "8080" not in printed
    assert ("OPENBALANCE_STATE_DIR" in printed) or options
