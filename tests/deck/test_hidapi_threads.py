"""The threads that call hidapi on macOS, with a module `hid` that has the rules of the real one (`stub_hid`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import DeckGoneError
from tests.waiting import until

STUB = Path(__file__).with_name("stub_hid.py")
# Python's own modules are imported first: they take their Linux half, which this machine has.
ON_DARWIN = """
import asyncio, ctypes.util, http.client, multiprocessing, platform, selectors, socket, sqlite3, ssl, subprocess, sys
import requests, webbrowser, PIL.Image
sys.platform = "darwin"
sys.argv[0] = "/opt/openbalance-hid"
from openbalance_hid.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.fixture
def env(tmp_path: Path, record: Path) -> dict[str, str]:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/hid.py").write_text(STUB.read_text())
    ours = {
        "HID_RECORD": str(record),
        "PYTHONPATH": f"{tmp_path / 'modules'}:{Path(__file__).parents[2]}",
        "HOME": str(tmp_path),
        "OPENBALANCE_CONFIG": str(tmp_path / "config.toml"),
        "OPENBALANCE_STATE_DIR": str(tmp_path / "state"),
        "OPENBALANCE_RUNTIME_DIR": str(tmp_path / "run"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBALANCE_", "OPENROUTER_"))}
    return theirs | ours


def calls(record: Path) -> list[tuple[str, str]]:
    """Return each call and its thread."""
    lines = record.read_text().splitlines() if record.exists() else []
    return [(call, thread) for call, _, thread in (line.partition(" ") for line in lines)]


def check(record: Path) -> None:
    """Check that the main thread imported the module alone, one thread listed and opened, and no two calls ran at once."""
    first, *rest = calls(record)
    assert first[0] == "import-main-1"
    assert {call for call, _ in rest} == {"enumerate", "open", "close"}
    assert len({thread for call, thread in rest if call in ("enumerate", "open")}) == 1


def run(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ON_DARWIN, *words], env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", ["devices", "doctor"])
def test_a_command_loads_hidapi_on_the_main_thread_before_any_other(env: dict[str, str], record: Path, command: str) -> None:
    done = run(env, command)
    assert "can be opened" in done.stdout, done.stderr
    assert "crash" not in done.stderr
    assert done.returncode in (0, 69, 77, 78)
    check(record)


def test_the_daemon_loads_hidapi_on_the_main_thread_before_any_other(env: dict[str, str], record: Path, tmp_path: Path) -> None:
    with (tmp_path / "errors").open("w") as errors:
        daemon = subprocess.Popen([sys.executable, "-c", ON_DARWIN, "run"], env=env, stderr=errors)
    try:
        until(lambda: "is here" in (tmp_path / "errors").read_text() or daemon.poll() is not None)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0, (tmp_path / "errors").read_text()
    finally:
        daemon.kill()
        daemon.wait()
    check(record)


@pytest.fixture
def on_darwin(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], HidTransport]]:
    """Return a function that makes a transport on the stub as on macOS."""
    monkeypatch.setenv("HID_RECORD", env["HID_RECORD"])
    monkeypatch.syspath_prepend(str(Path(env["HOME"], "modules")))
    monkeypatch.delitem(sys.modules, "hid", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    yield HidTransport
    sys.modules.pop("hid", None)


def test_listing_opening_and_closing_never_overlap(on_darwin: Callable[[], HidTransport], record: Path) -> None:
    transport = on_darwin()
    for _ in range(10):
        (found,) = find_decks(transport)
        found.deck.device.open()
        closing = threading.Thread(target=found.deck.device.close)
        closing.start()
        find_decks(transport)
        closing.join()
    assert {call for call, _ in calls(record)[1:]} == {"enumerate", "open", "close"}


def test_another_thread_than_the_one_that_listed_a_deck_never_opens_it(
    on_darwin: Callable[[], HidTransport], record: Path
) -> None:
    (found,) = find_decks(on_darwin())
    errors: list[str] = []

    def open_again() -> None:
        try:
            found.deck.device.open()
        except DeckGoneError as error:
            errors.append(error.message)

    thread = threading.Thread(target=open_again)
    thread.start()
    thread.join()
    assert errors == [f"cannot open deck at {found.path}: it was lost before it was ready"]
    assert "open" not in dict(calls(record))
