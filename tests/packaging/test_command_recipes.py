"""The recipes of docs/commands-on-keys.md, run as they are written: against a real repository, a real server, real time."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from openbalance_hid.config.load import parse
from openbalance_hid.tiles.command import ICONS
from openbalance_hid.tiles.program_output import ShownOutput, shown_output
from openbalance_hid.tiles.view import Tone
from tests.command_recipes import PAGE, TOKEN_FILE, blocks, home_assistant, written_scripts
from tests.music_player import NAME, SONGS, player
from tests.private_bus import needs_dbus, private_bus, serving
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is in the repository only")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The scripts of the page, by name."""
    return written_scripts(tmp_path_factory.mktemp("bin"))


def run(words: list[object], home: Path, **env: str) -> tuple[int, ShownOutput | None]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **env}
    ended = subprocess.run(list(map(str, words)), env=environment, capture_output=True, check=False, timeout=60)
    return ended.returncode, shown_output(ended.stdout)


def test_every_key_of_the_page_is_a_valid_configuration():
    keys = "".join(blocks("toml"))
    assert len(parse("[[decks]]\n" + keys, "page").decks[0].pages[0].keys) == len(blocks("toml")) == 4


def test_the_page_names_every_icon():
    listed = PAGE.read_text(encoding="utf-8").partition("## Icons")[2].partition("or the absolute path")[0]
    assert re.findall("`([a-z-]+)`", listed)[1:] == sorted(ICONS)


def test_the_git_recipe_shows_branch_and_changes(scripts, tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "work"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert run([scripts["deck-git"], tmp_path], tmp_path) == (0, ShownOutput("work", "clean"))
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    assert run([scripts["deck-git"], tmp_path], tmp_path) == (1, ShownOutput("work", "2 changed"))
    assert run([scripts["deck-git"], tmp_path / "nowhere"], tmp_path)[0] == 2


def test_the_pomodoro_counts_down_and_ends(scripts, tmp_path):
    pomodoro, file = scripts["deck-pomodoro"], tmp_path / "deck-pomodoro"
    assert run([pomodoro], tmp_path) == (0, ShownOutput("Start", "25 minutes"))
    run([pomodoro, "press"], tmp_path)
    assert run([pomodoro], tmp_path) == (0, ShownOutput("25 min", "focus", "focus", Tone.GOOD, 1.0))
    started = int(file.read_text())
    file.write_text(str(started - 12 * 60 - 30))
    assert run([pomodoro], tmp_path)[1] in [ShownOutput("13 min", "focus", "focus", Tone.GOOD, share) for share in (0.5, 0.49)]
    file.write_text(str(started - 25 * 60))
    assert run([pomodoro], tmp_path)[1] == ShownOutput("Break", "tap to end", "tap to end", Tone.WARN)
    run([pomodoro, "press"], tmp_path)
    assert not file.exists()
    lines = scripts["deck-pomodoro"].read_text().splitlines()
    assert len(lines) - 2 <= 10  # without its first line and its comment


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (apt: curl)")
def test_the_home_assistant_recipe_shows_and_toggles_a_light(scripts, tmp_path):
    (tmp_path / ".config").mkdir()
    token = tmp_path / ".config/deck-light.curl"
    token.write_text(TOKEN_FILE)
    light = scripts["deck-light"]
    with home_assistant({"light.desk": "off"}) as port:
        server = {"HOME_ASSISTANT": f"http://127.0.0.1:{port}"}
        assert run([light, "light.desk"], tmp_path, **server) == (0, ShownOutput("off", tone=Tone.MUTED))
        assert run([light, "light.desk", "toggle"], tmp_path, **server) == (0, None)
        assert run([light, "light.desk"], tmp_path, **server) == (0, ShownOutput("on", tone=Tone.GOOD))
        assert run([light, "light.nowhere"], tmp_path, **server) == (2, None)
        token.write_text('header = "Authorization: Bearer wrong"\n')
        assert run([light, "light.desk"], tmp_path, **server) == (2, None)
        assert run([light, "light.desk", "toggle"], tmp_path, **server)[0] != 0
    assert run([light, "light.desk"], tmp_path, **server) == (2, None), "the server has ended"


# what obs-cmd 1.0.0 printed for OBS 30.2.3, and what the key shows
RECORDING = "Executing: Get recording status\nRecording Status:\n  Active: "
OBS_STATES = {
    RECORDING + "false\n": ShownOutput("Off", tone=Tone.MUTED),
    RECORDING + "true\n  Paused: false\n  Timecode: 2s233ms\n  Bytes: 668078\n": ShownOutput("On", tone=Tone.ALARM),
    RECORDING + "true\n  Paused: true\n  Timecode: 4s233ms\n  Bytes: 6644\n": ShownOutput("Paused", tone=Tone.WARN),
}


def obs_stand_in(folder: Path, body: str) -> str:
    """Write a program with the name of obs-cmd. Return a search path that finds it."""
    stand_in = folder / "obs-cmd"
    stand_in.write_text(f"#!/bin/sh\n{body}\n")
    stand_in.chmod(0o700)
    return f"{folder}:/usr/bin:/bin"


def test_the_obs_recipe_passes_its_words_and_the_address(scripts, tmp_path):
    path = obs_stand_in(tmp_path, 'echo "$OBS_WEBSOCKET_URL" "$@"')
    shown = ShownOutput("obsws://localhost:4455/PASSWORD recording toggle")
    assert run([scripts["deck-obs"], "recording", "toggle"], tmp_path, PATH=path) == (0, shown)


@pytest.mark.parametrize("printed", OBS_STATES)
def test_the_obs_recipe_shows_whether_obs_records(scripts, tmp_path, printed):
    path = obs_stand_in(tmp_path, f"[ \"$*\" = 'recording status' ] && printf '%s' '{printed}'")
    assert run([scripts["deck-obs"]], tmp_path, PATH=path) == (0, OBS_STATES[printed])


def test_the_obs_recipe_shows_that_obs_does_not_answer(scripts, tmp_path):
    path = obs_stand_in(tmp_path, "echo 'Error: ConnectionError(…)' >&2; exit 1")
    assert run([scripts["deck-obs"]], tmp_path, PATH=path) == (0, ShownOutput("No OBS", tone=Tone.MUTED))
    assert run([scripts["deck-obs"], "recording", "toggle"], tmp_path, PATH=path)[0] == 1


@needs_dbus
@pytest.mark.skipif(shutil.which("playerctl") is None, reason="playerctl is not installed (apt: playerctl)")
def test_the_media_recipe_shows_each_song_and_its_presses_reach_the_player(tmp_path):
    (key,) = (
        tile.options
        for tile in parse("[[decks]]\n" + "".join(blocks("toml")), "page").decks[0].pages[0].keys.values()
        if tile.options.get("watch")
    )
    with private_bus(tmp_path) as bus, serving(bus, [NAME], player):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": bus}

        def pressed(option: str) -> None:
            subprocess.run(key[option], env=env, check=True, timeout=PATIENCE_S)

        with subprocess.Popen(key["show"], env=env, stdout=subprocess.PIPE) as shown:
            assert shown.stdout is not None
            assert shown_output(shown.stdout.readline()) == ShownOutput(SONGS[0])
            pressed("hold_run")
            assert shown_output(shown.stdout.readline()) == ShownOutput(SONGS[1])
            pressed("run")
            words = [key["run"][0], "status"]
            assert subprocess.run(words, env=env, check=True, capture_output=True, timeout=PATIENCE_S).stdout == b"Paused\n"
            shown.terminate()
