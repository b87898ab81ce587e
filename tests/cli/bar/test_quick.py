"""The usual calls of `bar` print without click what the command prints, and leave every other call to the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest

from openbalance_hid.cli.bar.formats import FORMATS
from openbalance_hid.cli.bar.line import DISPLAYS, PERIODS
from openbalance_hid.cli.bar.quick import options_of, print_quickly
from openbalance_hid.cli.command_group import main
from openbalance_hid.ipc.control_server import ControlServer
from tests.cli.bar.test_line import account_status

CALLS = [["--format", kind] for kind in FORMATS]
CALLS += [["--show", show, f"--period={period}"] for show, period in product(DISPLAYS, PERIODS)]
CALLS += [[], ["--account", "work"], ["--account=work", "--show=usage"]]
LEFT_TO_THE_COMMAND = (
    *(["--watch"], ["--help"], ["-h"], ["--format"], ["--format", "xml"], ["--format="], ["extra"], ["--sho", "both"]),
    *(["--"], ["--period", "1y"], ["--show", "both", "--watch"], ["--account", "nobody"], [""], ["--format", "--show"]),
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Return the environment of a control socket with two accounts, one with a name that formats must escape."""
    folder = tmp_path_factory.mktemp("run")
    model = [{"model": "vendor/<b>|%{", "spend_usd": "12.30"}]
    state = {"default": account_status(), "work": account_status(top_models=model, spike={"level": "critical"})}
    server = ControlServer(folder / "control.sock", lambda _request: state)
    server.start()
    yield {"OPENBALANCE_RUNTIME_DIR": str(folder)}
    server.stop()


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_it_prints_what_the_command_prints(
    call: list[str], daemon: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("OPENBALANCE_RUNTIME_DIR", daemon["OPENBALANCE_RUNTIME_DIR"])
    assert print_quickly(call, daemon)
    quick = capfdbinary.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["bar", *call])
    assert quick.decode().splitlines()[0]
    assert capfdbinary.readouterr().out == quick


@pytest.mark.parametrize("call", LEFT_TO_THE_COMMAND, ids=" ".join)
def test_any_other_call_prints_nothing_here(
    call: list[str], daemon: Mapping[str, str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert not print_quickly(call, daemon)
    assert capfdbinary.readouterr() == (b"", b"")


def test_without_a_daemon_the_command_says_so(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert not print_quickly([], {"OPENBALANCE_RUNTIME_DIR": str(tmp_path)})
    assert not print_quickly([], {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert capfdbinary.readouterr() == (b"", b"")


def test_the_last_of_a_repeated_option_counts() -> None:
    found = options_of(["--show", "icon", "--show=usage"])
    assert found is not None
    assert found["--show"] == "usage"


def test_neither_click_nor_the_libraries_of_the_daemon_are_imported() -> None:
    slow = ("click", "msgspec", "platformdirs", "PIL", "dataclasses", "tempfile", "logging")
    program = f"import sys, openbalance_hid.__main__, openbalance_hid.cli.bar.quick; print(*({slow!r} & sys.modules.keys()))"
    program = program.replace(f"{slow!r} &", f"set({slow!r}) &")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
