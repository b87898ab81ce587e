"""What the recipes for command tiles need: their scripts as executable files, and a server with one light."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.music_player import SONGS

PAGE = Path(__file__).parents[1] / "docs/commands-on-keys.md"
ONE_DECK = Path(__file__).parents[1] / "examples/one-deck.toml"
SHOWN = {  # key of the example -> a part of its accessible text, on every machine
    0: "Balance $",
    1: "Today",
    2: "Spent 30 d",
    3: "Runway",
    4: "Pace 24 h",
    5: "Clock, ",
    8: "Focus, Start, 25 minutes",
    9: "Tokyo ",
    10: f"Music, {SONGS[0]}",
    11: "Desk, off",
}
TOKEN = "T0KEN"
TOKEN_FILE = f'header = "Authorization: Bearer {TOKEN}"\n'


def blocks(language: str) -> list[str]:
    """Return the examples in this language on the page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def written_scripts(folder: Path) -> dict[str, Path]:
    """Write the scripts of the page as executable files, and return them by name."""
    made = {}
    for text in blocks("sh"):
        name = re.search(r"# (deck-\w+)", text)[1]
        made[name] = folder / name
        made[name].write_text(text)
        made[name].chmod(0o700)
    return made


class HomeAssistant(http.server.BaseHTTPRequestHandler):
    """The two requests of its REST API that the recipe makes. `states`: of its lights, by name."""

    states: dict[str, str]

    def do_GET(self) -> None:
        entity = self.path.removeprefix("/api/states/")
        found = entity in self.states
        self._answer(200 if found else 404, {"entity_id": entity, "state": self.states.get(entity), "attributes": {}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/api/services/homeassistant/toggle"
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            self.states[body["entity_id"]] = "on" if self.states[body["entity_id"]] == "off" else "off"
        self._answer(200, [])

    def _answer(self, status: int, body: object) -> None:
        status = status if self.headers["Authorization"] == f"Bearer {TOKEN}" else 401
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@contextmanager
def home_assistant(states: dict[str, str]) -> Iterator[int]:
    """Serve these lights until the end of the block. Yield the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (HomeAssistant,), {"states": states}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
