"""As much of a Home Assistant as `home-assistant-streamdeck-yaml` needs to stand still: a door, an empty house, no events."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


@contextmanager
def empty_house() -> Iterator[str]:
    """Its host and port on loopback, while it is there."""
    with serve(_answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, name="empty house", daemon=True)
        thread.start()
        host, port = server.socket.getsockname()[:2]
        yield f"{host}:{port}"
        server.shutdown()
        thread.join()


def _answer(caller: ServerConnection) -> None:
    with suppress(ConnectionClosed):  # programs leave without a word
        for text in caller:
            asked = json.loads(text)
            if asked["type"] == "auth":
                caller.send(json.dumps({"type": "auth_ok"}))
            elif asked["type"] == "get_states":
                caller.send(json.dumps({"type": "result", "id": asked["id"], "success": True, "result": []}))
