"""A stream of results ends when no program reads the output any more, also without a further result."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from openbalance_hid.ipc.control_client import subscribe
from tests.ipc.standin_poll import Poll
from tests.waiting import PATIENCE_S


@pytest.fixture
def silent_daemon(tmp_path: Path) -> Iterator[Path]:
    """A daemon that sends one result and nothing else, until the client disconnects."""
    file = tmp_path / "run/control.sock"
    file.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(file))
        listener.listen()

        def serve() -> None:
            client, _ = listener.accept()
            client.settimeout(PATIENCE_S)
            with suppress(TimeoutError), client, client.makefile("rb") as lines:
                lines.readline()
                client.sendall(b'{"ok": 1}\n')
                lines.read()

        thread = threading.Thread(target=serve)
        thread.start()
        yield file
        thread.join()


@pytest.mark.parametrize("system", ["this system", "macOS"])
def test_a_stream_ends_with_its_reader(silent_daemon: Path, monkeypatch: pytest.MonkeyPatch, system: str):
    if system == "macOS":
        monkeypatch.setattr(select, "poll", Poll)
    read, write = os.pipe()
    results = subscribe(silent_daemon, "watch", output=write)
    assert next(results) == 1
    os.close(read)
    with pytest.raises(BrokenPipeError):
        next(results)
    os.close(write)
