"""`udev`: its output, and that the printed command installs the rules."""

import grp
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openbalance_hid.deck.udev_rules import GROUP, RulesKind, install_command, render_rules, rules_name
from tests.cli.command_line import here, machine, process

OPTIONS = {RulesKind.DESKTOP: [], RulesKind.HEADLESS: ["--headless"]}
KINDS = pytest.mark.parametrize("kind", RulesKind)
linux = pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux")


@pytest.fixture
def rules_dirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only directory where udev reads rules."""
    place = tmp_path / "udev"
    (place / "rules.d").mkdir(parents=True)
    monkeypatch.setattr("openbalance_hid.cli.udev.RULES_DIRS", (place,))
    monkeypatch.setattr(sys, "platform", "linux")
    return place / "rules.d"


@pytest.fixture
def in_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = grp.struct_group((GROUP, "x", os.getgid(), []))
    monkeypatch.setattr(grp, "getgrnam", lambda name: entry)


def command_in(output: str) -> str:
    (command,) = (line for line in output.splitlines() if "udevadm control" in line)
    return command


@KINDS
def test_print_writes_the_rules_to_stdout_and_nothing_else(tmp_path: Path, kind: RulesKind) -> None:
    done = process(machine(tmp_path), "udev", "print", *OPTIONS[kind])
    assert (done.returncode, done.stdout, done.stderr) == (0, render_rules(kind), "")


@linux
@KINDS
def test_the_command_names_this_program_by_an_absolute_path(tmp_path: Path, kind: RulesKind) -> None:
    done = process(machine(tmp_path), "udev", "install", *OPTIONS[kind])
    assert (done.returncode, done.stderr) == (0, "")
    if "already installed" not in done.stdout:  # a developer's machine may have them
        assert f"{sys.executable} -P -m openbalance_hid udev print" in command_in(done.stdout)


@KINDS
@pytest.mark.parametrize("euid", [0, 1000])
def test_without_rules_the_one_command_is_printed(
    tmp_path: Path, rules_dirs: Path, monkeypatch: pytest.MonkeyPatch, in_the_group: None, kind: RulesKind, euid: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    result = here(tmp_path, "udev", "install", *OPTIONS[kind])
    assert result.exit_code == 0
    assert result.output.startswith("The rules are not installed.\n")
    assert ("sudo" in command_in(result.output)) == (euid != 0)
    assert rules_name(kind) in command_in(result.output)
    assert "plug it in again" in result.output
    assert list(rules_dirs.iterdir()) == []  # root or not: nothing is written


@KINDS
def test_installed_rules_need_no_command(tmp_path: Path, rules_dirs: Path, in_the_group: None, kind: RulesKind) -> None:
    file = rules_dirs / rules_name(kind)
    file.write_text(render_rules(kind))
    result = here(tmp_path, "udev", "install", *OPTIONS[kind])
    assert result.exit_code == 0
    assert result.output.startswith(f"The rules are already installed: {file}\n")
    assert "udevadm" not in result.output


@KINDS
def test_rules_of_another_version_are_out_of_date(
    tmp_path: Path, rules_dirs: Path, in_the_group: None, kind: RulesKind
) -> None:
    file = rules_dirs / rules_name(kind)
    file.write_text("# older\n")
    result = here(tmp_path, "udev", "install", *OPTIONS[kind])
    assert result.exit_code == 0
    assert result.output.startswith(f"The rules are out of date: {file} differs")
    assert command_in(result.output)
    assert file.read_text() == "# older\n"


def test_a_user_outside_the_group_gets_the_command_that_adds_the_user(
    tmp_path: Path, rules_dirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_group(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(grp, "getgrnam", no_such_group)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (rules_dirs / rules_name(RulesKind.HEADLESS)).write_text(render_rules(RulesKind.HEADLESS))
    result = here(tmp_path, "udev", "install", "--headless")
    assert "is not in the group plugdev yet" in result.output
    assert command_in(result.output).startswith("sudo groupadd --system plugdev && sudo usermod --append --groups plugdev ")


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("freebsd14", "freebsd14")])
def test_on_other_systems_there_is_nothing_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, name: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    result = here(tmp_path, "udev", "install")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"error: udev is part of Linux; on {name} a deck can be opened without it\ntry: openbalance-hid devices\n"
    )


@KINDS
@pytest.mark.parametrize("is_root", [True, False])
def test_the_printed_command_installs_the_rules_in_a_shell(tmp_path: Path, kind: RulesKind, is_root: bool) -> None:
    tools, etc, calls = tmp_path / "tools", tmp_path / "etc", tmp_path / "calls"
    tools.mkdir()
    (etc / "rules.d").mkdir(parents=True)
    stand_in(tools / "sudo", 'exec "$@"')
    stand_in(tools / "udevadm", f'echo "$@" >> {shlex.quote(str(calls))}')
    program = (sys.executable, "-m", "openbalance_hid")
    command = install_command(kind, program, is_root).replace("/etc/udev", str(etc))
    env = machine(tmp_path, PATH=f"{tools}:{os.environ['PATH']}")
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (etc / "rules.d" / rules_name(kind)).read_text() == render_rules(kind)
    assert calls.read_text() == "control --reload\ntrigger --subsystem-match=hidraw\n"


def test_a_program_that_fails_leaves_the_rules_as_they_are(tmp_path: Path) -> None:
    tools, etc = tmp_path / "tools", tmp_path / "etc"
    tools.mkdir()
    (etc / "rules.d").mkdir(parents=True)
    (etc / "rules.d" / rules_name(RulesKind.DESKTOP)).write_text("good rules")
    stand_in(tools / "sudo", 'exec "$@"')
    command = install_command(RulesKind.DESKTOP, ("false",), False).replace("/etc/udev", str(etc))
    assert subprocess.run(["sh", "-c", command], env={"PATH": f"{tools}:{os.environ['PATH']}"}, timeout=240).returncode == 1
    assert (etc / "rules.d" / rules_name(RulesKind.DESKTOP)).read_text() == "good rules"


def stand_in(file: Path, does: str) -> None:
    file.write_text(f"#!/bin/sh\n{does}\n")
    file.chmod(0o755)
