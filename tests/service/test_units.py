"""The units: systemd and launchd accept them, and programs and variables with unusual characters survive."""

import plistlib
import re
import shutil
import subprocess
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.deck.udev_rules import GROUP as UDEV_GROUP
from openbalance_hid.desktop.key_locations import CREDENTIAL as KEY_NAME
from openbalance_hid.errors import AlreadyRunningError, ConfigError, CredentialError, DeckRefusedError
from openbalance_hid.service.units import (
    CREDENTIAL,
    GIVE_UP_CODES,
    GROUP,
    LABEL,
    UNIT,
    is_current_unit,
    render_agent,
    render_system_unit,
    render_user_unit,
    unit_program,
)

PACKAGED = ("/usr/bin/openbalance-hid",)
SYSTEMD_UNITS = pytest.mark.parametrize(
    ("render", "scope"), [(render_user_unit, ["--user"]), (render_system_unit, [])], ids=["user", "system"]
)


def test_names_and_exit_codes_in_units_match_the_other_packages() -> None:
    assert (GROUP, CREDENTIAL) == (UDEV_GROUP, KEY_NAME)
    assert {AlreadyRunningError.exit_code, CredentialError.exit_code, DeckRefusedError.exit_code, ConfigError.exit_code} == set(
        GIVE_UP_CODES
    )


@SYSTEMD_UNITS
def test_systemd_verifies_the_units_without_a_warning(tmp_path: Path, render, scope: list[str]) -> None:  # type: ignore[no-untyped-def]
    ended = analyze(tmp_path, render(("/bin/true",)), "verify", "--man=no", *scope)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


@SYSTEMD_UNITS
def test_the_exposure_is_at_most_what_the_readme_states(tmp_path: Path, render, scope: list[str]) -> None:  # type: ignore[no-untyped-def]
    ended = analyze(tmp_path, render(("/bin/true",)), "security", "--offline=true", "--no-pager", *scope)
    (line,) = (line for line in ended.stdout.splitlines() if "Overall exposure level" in line)
    exposure = float(line.rpartition(": ")[2].split()[0])
    assert exposure <= (6.2 if scope else 1.5)


def analyze(folder: Path, text: str, verb: str, *options: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze: apt install systemd")
    unit = folder / UNIT
    unit.write_text(text)
    env = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run([program, *options, verb, str(unit)], env=env, capture_output=True, text=True, timeout=240)


def test_launchd_restarts_the_agent_after_a_failure_only() -> None:
    agent = plistlib.loads(render_agent(("/opt/a b/<openbalance-hid>",), "/tmp/log", {"OPENBALANCE_CONFIG": "/c & d"}).encode())
    assert agent["Label"] == LABEL
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["ProgramArguments"] == ["/opt/a b/<openbalance-hid>", "run", "--launchd"]
    assert agent["EnvironmentVariables"] == {"OPENBALANCE_CONFIG": "/c & d"}
    assert agent["ThrottleInterval"] >= 10


@given(st.lists(st.text(st.characters(exclude_categories=("C",), include_characters=" \"'\\%$;\t"), min_size=1), min_size=1))
def test_any_program_survives_the_quoting_of_systemd(words: list[str]) -> None:
    words[0] = f"/{words[0]}"
    (line,) = (line for line in render_user_unit(words).split("\n") if line.startswith("ExecStart="))
    first, *rest = [word.replace("%%", "%") for word in as_systemd_splits(line.removeprefix("ExecStart="))]
    rest = [word.replace("$$", "$") for word in rest]  # systemd expands no variable in the first word
    assert (rest if first == "/usr/bin/env" else [first, *rest]) == [*words, "run"]
    assert "\t" in words[0] or unit_program(render_user_unit(words)) == PurePath(words[0])


@pytest.mark.parametrize("folder", ["a b", "100%h", "$x $$y", 'the "deck"', "it's", "back\\slash", "semi;colon", "é ▼"])
def test_systemd_accepts_a_program_in_a_folder_of_any_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    program = tmp_path / folder / "openbalance-hid"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    ended = analyze(tmp_path, render_user_unit((str(program),)), "verify", "--man=no", "--user")
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    program.unlink()
    gone = analyze(tmp_path, render_user_unit((str(program),)), "verify", "--man=no", "--user")
    assert "/usr/bin/env" in render_user_unit((str(program),)) or "is not executable" in gone.stderr


def test_a_unit_is_current_whatever_program_it_starts() -> None:
    for program in ("/opt/a b/openbalance-hid", "/opt/100%$x/run"):
        text = render_user_unit((program,), {"OPENBALANCE_CONFIG": "/x"})
        assert unit_program(text) == PurePath(program)
        assert is_current_unit(text)
    assert unit_program("[Unit]\n") is None
    assert not is_current_unit("[Unit]\n")


def as_systemd_splits(text: str) -> list[str]:
    """Words by systemd.syntax(7): quotes, and backslash escapes within them."""
    found = re.findall(r'"((?:\\.|[^"\\])*)"|([^ ]+)', text)
    return [re.sub(r"\\(.)", lambda escape: {"t": "\t"}.get(escape[1], escape[1]), quoted) + bare for quoted, bare in found]


def test_a_variable_keeps_its_blanks_and_percent_signs() -> None:
    assert 'Environment="OPENBALANCE_CONFIG=/a b/100%%.toml"\n' in render_user_unit(
        PACKAGED, {"OPENBALANCE_CONFIG": "/a b/100%.toml"}
    )


def test_systemd_does_not_restart_after_a_final_exit_code() -> None:
    line = f"RestartPreventExitStatus={' '.join(map(str, GIVE_UP_CODES))}\n"
    assert line in render_user_unit(("/x",))
    assert line in render_system_unit(("/x",))
