"""The recipes of docs/commands-on-keys.md, run as they are written: against a real repository, a real server, real time."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.config.load import parse
from openbalance_hid.tiles.command import ICONS
from openbalance_hid.tiles.program_output import ShownOutput, shown_output
from openbalance_hid.tiles.view import Tone

PAGE = Path(__file__).parents[2] / "docs/commands-on-keys.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is in the repository only")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The scripts of the page as executable files, by name."""
    folder = tmp_path_factory.mktemp("bin")
    made = {}
    for text in blocks("sh"):
        name = re.search(r"# (deck-\w+)", text)[1]
        made[name] = folder / name
        made[name].write_text(text)
        made[name].chmod(0o700)
    return made


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


class HomeAssistant(http.server.BaseHTTPRequestHandler):
    """The two requests of its REST API that the recipe makes, for one light."""

    states: dict[str, str]

    def do_GET(self) -> None:
        entity = self.path.removeprefix("/api/states/")
        found = entity in self.states
        self._answer(200 if found else 404, {"entity_id": entity, "state": self.states.get(entity), "attributes": {}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/api/services/homeassistant/toggle"
        self.states[body["entity_id"]] = "on" if self.states[body["entity_id"]] == "off" else "off"
        self._answer(200, [])

    def _answer(self, status: int, body: object) -> None:
        status = status if self.headers["Authorization"] == "Bearer T0KEN" else 401
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def home_assistant() -> Iterator[str]:
    handler = type("Handler", (HomeAssistant,), {"states": {"light.desk": "off"}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (apt: curl)")
def test_the_home_assistant_recipe_shows_and_toggles_a_light(scripts, tmp_path, home_assistant):
    (tmp_path / ".config").mkdir()
    token = tmp_path / ".config/deck-light.curl"
    token.write_text('header = "Authorization: Bearer T0KEN"\n')
    light = scripts["deck-light"]
    assert run([light, "light.desk"], tmp_path, HOME_ASSISTANT=home_assistant) == (0, ShownOutput("off", tone=Tone.MUTED))
    assert run([light, "light.desk", "toggle"], tmp_path, HOME_ASSISTANT=home_assistant) == (0, None)
    assert run([light, "light.desk"], tmp_path, HOME_ASSISTANT=home_assistant) == (0, ShownOutput("on", tone=Tone.GOOD))
    assert run([light, "light.nowhere"], tmp_path, HOME_ASSISTANT=home_assistant) == (2, None)
    token.write_text('header = "Authorization: Bearer wrong"\n')
    assert run([light, "light.desk"], tmp_path, HOME_ASSISTANT=home_assistant) == (2, None)
    assert run([light, "light.desk", "toggle"], tmp_path, HOME_ASSISTANT=home_assistant)[0] != 0
