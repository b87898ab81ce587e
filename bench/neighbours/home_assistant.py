"""As much of a Home Assistant as `home-assistant-streamdeck-yaml` needs while idle: a socket, no entities, no events."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


@contextmanager
def empty_home_assistant() -> Iterator[str]:
    """Run the server; yield its host and port on loopback."""
    with serve(_serve_client, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, name="empty home assistant", daemon=True)
        thread.start()
        host, port = server.socket.getsockname()[:2]
        yield f"{host}:{port}"
        server.shutdown()
        thread.join()


def _serve_client(client: ServerConnection) -> None:
    with suppress(ConnectionClosed):  # programs disconnect without a close frame
        for text in client:
            message = json.loads(text)
            if message["type"] == "auth":
                client.send(json.dumps({"type": "auth_ok"}))
            elif message["type"] == "get_states":
                client.send(json.dumps({"type": "result", "id": message["id"], "success": True, "result": []}))
