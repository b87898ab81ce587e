"""Tiles of other packages, installed into an environment of their own and shown by the whole daemon on a virtual deck."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import DaemonProcess, ask, command_of, environment, page_of, started
from tests.tile_packages import environment_with_example, install, packages_of, tile_with

HANGS = """
while not Path(os.environ["MAY_ANSWER"]).exists():
    time.sleep(0.01)
return TileView("Back", (Hero("ok"),))
"""
NO_MESSAGE = """
class NoMessageError(Exception):
    def __str__(self):
        raise RuntimeError("no message")

"""
NO_LENGTH = """
class NoLength(tuple):
    def __len__(self):
        raise SystemExit(3)

"""
BAD = {
    "prints": "print('printed')\n" + tile_with("print('printed', flush=True)\nreturn TileView('Prints', (Hero('ok'),))"),
    "no-message": NO_MESSAGE + tile_with("raise NoMessageError"),
    "no-import-message": NO_MESSAGE + "raise NoMessageError",
    "no-length": NO_LENGTH + tile_with("return TileView('', NoLength())"),
    "no-declaration": NO_LENGTH + tile_with("return TileView()", options="NoLength()"),
    "raises": tile_with("return scene.no_such_field"),
    "exits": tile_with("raise SystemExit(3)"),
    "hangs": "import os, time\nfrom pathlib import Path\n" + tile_with(HANGS),
    "nonsense": tile_with("return 'forty-two'"),
    "too-much": tile_with("return TileView('', (Line('x' * 10**7),))"),
    "future": tile_with("return TileView()", interface="INTERFACE_VERSION + 1"),
    "no-import": "import a_package_that_is_not_installed",
    "exits-early": "raise SystemExit(3)",
    "no-tile": "TILE = lambda scene: None",
    "balance": tile_with("return TileView('Not ours', (Hero('$1.00'),))"),
    "twice": tile_with("return TileView()"),
    "marker": "import os\nfrom pathlib import Path\nPath(os.environ['MARKER']).touch()\n" + tile_with("return TileView()"),
}
WORDS = {  # tile on a key -> its accessible text
    "balance": "Balance $74.25",
    "wall-clock": "Tokyo ",
    "day-limit": "of $5.00",
    "raises": "raises: Tile error",
    "exits": "exits: Tile error",
    "hangs": "hangs: No answer",
    "nonsense": "nonsense: Bad content",
    "too-much": "too-much: Bad content",
    "future": "future: Wrong version",
    "no-import": "no-import: Not loaded",
    "exits-early": "exits-early: Not loaded",
    "no-tile": "no-tile: Not loaded",
    "twice": "twice: Same name twice",
    "bad-tiles:balance": "Not ours $1.00",
    "prints": "Prints ok",
    "no-message": "no-message: Tile error",
    "no-import-message": "no-import-message: Not loaded",
    "no-length": "no-length: Bad content",
    "no-declaration": "no-declaration: Not loaded",
    "spike-alert": "Pace 24 h",
}
OPTIONS = {"wall-clock": 'zone = "Asia/Tokyo"\n', "day-limit": "limit_usd = 5\n"}
CONFIG = "[[decks]]\n" + "".join(
    f'[[decks.keys]]\nkey = {key}\ntile = "{tile}"\n{OPTIONS.get(tile, "")}' for key, tile in enumerate(WORDS)
)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the example package, installed by pip, and with packages that misbehave."""
    folder = tmp_path_factory.mktemp("fresh")
    python = environment_with_example(folder)
    packages = packages_of(folder)
    install(packages, "bad-tiles", BAD)
    install(packages, "other-tiles", {"twice": BAD["twice"]})
    return python


@pytest.fixture(scope="module")
def env(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("home")
    (folder / "config.toml").write_text(CONFIG)
    own = {"PYTHON_OF_TEST": str(fresh), "MARKER": str(folder / "marker"), "MAY_ANSWER": str(folder / "may-answer")}
    with SampleAccount() as account:
        yield environment(folder, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key, **own)


@pytest.fixture(scope="module")
def running(env: dict[str, str]) -> Iterator[DaemonProcess]:
    with started(env, "run", "--deck", "virtual:xl", "--no-browser", "--port", "0") as running:
        yield running


def test_each_tile_that_misbehaves_harms_its_own_key_alone(running: DaemonProcess, env: dict[str, str]):
    with page_of(running) as page:
        for key, words in enumerate(WORDS.values()):
            page.until_key(key, words)
        running.until_logged("the tile hangs of bad-tiles 1.0 does not answer")
        running.until_logged("AttributeError: 'PluginScene' object has no attribute 'no_such_field'")
        running.until_logged("the tile no-import of bad-tiles 1.0 cannot be used: its import raises ModuleNotFoundError")
        states = {row["tile"]: (row["package"], row["trouble"]) for row in running.status()["plugins"]}
        assert states["wall-clock"] == ("example-tile 1.0", None)
        assert states["hangs"] == ("bad-tiles 1.0", "no_answer")
        assert states["twice"] == ("bad-tiles 1.0 and other-tiles 1.0", "same_name")
        doctor = json.loads(running.ask("doctor", "--json").stdout)["checks"]
        found = {row["about"]: (row["verdict"], row["found"]) for row in doctor if row["name"] == "tiles"}
        assert found["hangs"] == ("warning", "of bad-tiles 1.0: it has not answered within 2 s")
        assert found["wall-clock"][0] == "ok"
        assert found["balance"][1].startswith("bad-tiles offers a tile with this name")
        Path(env["MAY_ANSWER"]).touch()
        page.until_key(list(WORDS).index("hangs"), "Back ok")
        running.until_logged("the tile hangs failed: answered after")
    assert not Path(env["MARKER"]).exists(), "a tile that the configuration does not name was imported"
    assert running.end() == 0


def test_a_check_names_what_cannot_be_used_and_the_file_stays_valid(env: dict[str, str], tmp_path: Path):
    checked = ask(env, "config", "check")
    assert (checked.returncode, "ok" in checked.stdout) == (0, True)
    assert "note: the tile future of bad-tiles 1.0 cannot be used: it is written for version 2" in checked.stderr
    assert "write the package before the name, as " in checked.stderr
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(CONFIG.replace("limit_usd = 5", "limit_usd = 0\nlimitt_usd = 5").replace("wall-clock", "wal-clock"))
    refused = ask(env, "config", "check", str(wrong))
    assert refused.returncode == 78
    assert "decks[0].keys[2].limit_usd: found 0, accepted: a number from 0.01" in refused.stderr
    assert "did you mean 'limit_usd'?" in refused.stderr
    assert "did you mean 'wall-clock'?" in refused.stderr


def test_tiles_are_listed_completed_and_explained_without_an_import(env: dict[str, str]):
    listed = {row["tile"]: row["package"] for row in json.loads(ask(env, "tiles", "--json").stdout)}
    assert listed["balance"] is None
    assert listed["wall-clock"] == "example-tile 1.0"
    assert {"bad-tiles:balance", "bad-tiles:twice", "other-tiles:twice"} <= listed.keys()
    completing = {
        **env,
        "_OPENBALANCE_HID_COMPLETE": "bash_complete",
        "COMP_WORDS": "openbalance-hid tiles wa",
        "COMP_CWORD": "2",
    }
    assert "wall-clock" in ask(completing).stdout
    assert not Path(env["MARKER"]).exists()
    assert "zone" in ask(env, "tiles", "wall-clock").stdout
    refused = ask(env, "tiles", "no-tile")
    assert (refused.returncode, "not a Tile" in refused.stderr) == (78, True)


def test_a_preview_without_a_daemon_draws_tiles_of_others(env: dict[str, str], tmp_path: Path):
    pictures = []
    for zone in ("Asia/Tokyo", "America/New_York"):
        file, picture = tmp_path / "config.toml", tmp_path / "deck.png"
        file.write_text(f'[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "wall-clock"\nzone = "{zone}"\n')
        own = {
            "OPENBALANCE_CONFIG": str(file),
            "OPENBALANCE_RUNTIME_DIR": str(tmp_path / "run"),
            "SOURCE_DATE_EPOCH": "1795000000",
        }
        drawn = ask(env | own, "preview", "--model", "mini", "-o", str(picture))
        assert drawn.returncode == 0, drawn.stderr
        pictures.append(picture.read_bytes())
    assert pictures[0] != pictures[1], "both keys show the same time"


def test_what_a_tile_of_others_prints_is_not_in_the_output_of_a_command(env: dict[str, str], tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text('[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "prints"\n')
    words = [*command_of(env), "preview", "--scenario", "normal", "--config", str(file), "-o", "-"]
    drawn = subprocess.run(words, env=env, capture_output=True, check=False)
    assert drawn.stdout.startswith(b"\x89PNG"), drawn
    assert drawn.stderr.count(b"printed") == 2
    assert ask(env, "tiles", "prints").stdout.startswith("prints ")
