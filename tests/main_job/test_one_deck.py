"""`examples/one-deck.toml` in the demo: tiles of the account, of programs and of another package on one deck."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_recipes import ONE_DECK, SHOWN, TOKEN_FILE, home_assistant, written_scripts
from tests.main_job.daemon_process import DaemonProcess, environment, page_of, started
from tests.music_player import NAME, SONGS, player
from tests.private_bus import needs_dbus, private_bus, serving
from tests.tile_packages import environment_with_example

pytestmark = [
    needs_dbus,
    pytest.mark.skipif(not ONE_DECK.exists(), reason="the examples are in the repository only"),
    pytest.mark.skipif(shutil.which("playerctl") is None, reason="playerctl is not installed (apt: playerctl)"),
]
SHOWN_AT_HOME = {**SHOWN, 6: "Mail, 2", 7: "Project, main, 1 changed", 12: "more", 13: "Amounts shown", 14: "Dark"}
FOCUS, TOKYO, MUSIC, DESK, MORE = 8, 9, 10, 11, 12


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home directory with all that the example names."""
    tmp_path.chmod(0o700)
    for folder in ("bin", "project", ".config", "Maildir/new"):
        (tmp_path / folder).mkdir(parents=True)
    written_scripts(tmp_path / "bin")
    (tmp_path / ".config/deck-light.curl").write_text(TOKEN_FILE)
    for name in ("first", "second"):
        (tmp_path / "Maildir/new" / name).touch()
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "project")], check=True)
    (tmp_path / "project/file").touch()
    (tmp_path / "config.toml").write_text(ONE_DECK.read_text(encoding="utf-8").replace("/home/me", str(tmp_path)))
    return tmp_path


@pytest.fixture
def lights() -> dict[str, str]:
    return {"light.desk": "off"}


@pytest.fixture
def running(home: Path, lights: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    python = environment_with_example(tmp_path_factory.mktemp("environment"))
    with private_bus(tmp_path_factory.mktemp("bus")) as bus, serving(bus, [NAME], player), home_assistant(lights) as port:
        env = environment(
            home,
            HOME=str(home),
            PYTHON_OF_TEST=str(python),
            DBUS_SESSION_BUS_ADDRESS=bus,
            HOME_ASSISTANT=f"http://127.0.0.1:{port}",
            XDG_RUNTIME_DIR=str(home),
            PATH=os.environ["PATH"],
        )
        config = str(home / "config.toml")
        with started(env, "demo", "--config", config, "--no-browser", "--port", "0") as running:
            yield running


def test_one_deck_has_tiles_of_all_kinds_side_by_side_and_each_does_its_own(running: DaemonProcess, lights: dict[str, str]):
    with page_of(running) as page:
        for key, words in SHOWN_AT_HOME.items():
            page.until_key(key, words)
        assert len({picture.tobytes() for picture in page.pictures.values()}) == 15, "two keys show the same"
        page.tap(DESK)
        page.until_key(DESK, "Desk, on")
        assert lights == {"light.desk": "on"}
        page.tap(FOCUS)
        page.until_key(FOCUS, " min, ")
        running.ask("hold", str(MUSIC))
        page.until_key(MUSIC, f"Music, {SONGS[1]}")
        page.tap(MORE)
        page.until_key(1, "of $5.00")
        page.tap(MORE)
        page.until_key(1, "Today")
        status = running.status()
        assert [key["tile"] for key in status["decks"][0]["keys"]][MUSIC - 1] == "wall-clock"
        assert status["plugins"] == [
            {"tile": "wall-clock", "package": "example-tile 1.0", "trouble": None, "problem": None},
        ]
    assert running.end() == 0
