"""Answers without a socket: what urllib3 would have read from openrouter.ai, by method and address."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool


class Call(NamedTuple):
    """One request that was sent."""

    method: str
    url: str
    headers: Mapping[str, str]


class ScriptedServer:
    """Takes the place of the network for all addresses. A request without an answer of its own is an AssertionError."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[Call] = []
        self._answers: list[tuple[str, str, str | Exception, int, dict[str, str]]] = []

        def urlopen(pool: HTTPConnectionPool, method: str, url: str, body: object, headers: Mapping[str, str], **_: Any) -> Any:
            return self._answer(Call(method, f"{pool.scheme}://{pool.host}{url}", headers))

        monkeypatch.setattr(HTTPConnectionPool, "urlopen", urlopen)

    def add(
        self, method: str, url: str, body: str | Exception = "", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer requests to `url`, whatever their query if it has none; an exception is raised."""
        self._answers.append((method, url, body, status, dict(headers or {})))

    def _answer(self, call: Call) -> HTTPResponse:
        self.calls.append(call)
        for method, url, body, status, headers in self._answers:
            if call.method == method and url in (call.url, call.url.partition("?")[0]):
                if isinstance(body, Exception):
                    raise body
                return HTTPResponse(
                    BytesIO(body.encode()), headers, status, preload_content=False, decode_content=False, request_method=method
                )
        raise AssertionError(f"no answer for {call.method} {call.url}")
