"""A local web server that receives alerts, and misbehaves on request."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class AlertReceiver:
    """`received`: (path, headers, body) of each request. `answer`: its status, "hang", "drip", "garbage" or "endless"."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: int | str = 200
        self.headers: dict[str, str] = {}
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                receiver.received.append((self.path, dict(self.headers), body))
                receiver.reply(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="alert receiver", daemon=True)

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        if self.answer == "hang":
            self.released.wait(30)
            return
        if self.answer == "garbage":
            handler.wfile.write(b"\x00\xff no http\r\n\r\n")
            return
        handler.send_response(self.answer if isinstance(self.answer, int) else 200)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        if self.answer not in ("drip", "endless"):
            handler.send_header("Content-Length", "2")
        handler.end_headers()
        try:
            while self.answer == "endless":
                handler.wfile.write(b" " * 65_536)
            while self.answer == "drip" and not self.released.wait(0.05):
                handler.wfile.write(b" ")
            handler.wfile.write(b"ok")
        except OSError:
            return

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def json(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.received]

    def __enter__(self) -> "AlertReceiver":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
