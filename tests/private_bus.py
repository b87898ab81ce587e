"""A D-Bus of its own for one test: a real dbus-daemon that starts nothing by itself and knows nobody else."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

needs_dbus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed (apt: dbus-daemon)")

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


@contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """The address of a bus that lives as long as the block."""
    config = folder / "bus.conf"
    config.write_text(_CONFIG.format(folder=folder))
    process = subprocess.Popen(
        ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        ended(process)


@contextmanager
def serving(address: str, names: Sequence[str], serve: Callable[[Any], Callable[[Any], None]]) -> Iterator[None]:
    """Somebody on a bus who owns `names`; `serve(connection)` gives what is called for each message that comes."""
    from jeepney import message_bus
    from jeepney.io.blocking import open_dbus_connection

    with closing(open_dbus_connection(address)) as connection:
        for name in names:
            connection.send_and_get_reply(message_bus.RequestName(name))
        answer = serve(connection)

        def turn() -> None:
            with suppress(OSError):  # the end
                while True:
                    answer(connection.receive(timeout=None))

        thread = threading.Thread(target=turn)
        thread.start()
        try:
            yield
        finally:
            connection.sock.shutdown(socket.SHUT_RDWR)
            thread.join(30)


def ended(process: subprocess.Popen[str]) -> None:
    """Ends a process that the test began, and closes what it wrote to."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
