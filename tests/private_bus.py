"""A private D-Bus for one test: a real dbus-daemon that starts no service and has no other clients."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE_S, until

needs_dbus = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None or sys.platform == "darwin",
    reason="D-Bus is Linux's" if sys.platform == "darwin" else "dbus-daemon is not installed (apt: dbus-daemon)",
)

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
    """Yield the address of a bus that runs until the end of the block."""
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
def serving(
    address: str, names: Sequence[str], serve: Callable[[Any], Callable[[Any], None]], enable_fds: bool = False
) -> Iterator[None]:
    """A client that owns `names` on a bus. `serve(connection)` returns the function that is called with each message.

    `enable_fds`: messages may bring descriptors.
    """
    from jeepney import message_bus
    from jeepney.io.blocking import open_dbus_connection

    with closing(open_dbus_connection(address, enable_fds=enable_fds)) as connection:
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
            thread.join(PATIENCE_S)


def until_listening(connection: Any, members: Sequence[str]) -> None:
    """Wait until some client has registered with the bus for the signals with these member names.

    A signal that is sent before is lost, and one that is repeated until it is received may be received twice.
    """
    from jeepney import DBusAddress, new_method_call

    stats = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus.Debug.Stats")

    def are_registered() -> bool:
        (rules,) = connection.send_and_get_reply(new_method_call(stats, "GetAllMatchRules")).body
        known = " ".join(rule for each in rules.values() for rule in each)
        return all(f"member='{member}'" in known for member in members)

    until(are_registered, f"no client listens for {members}")


def ended(process: subprocess.Popen[str]) -> None:
    """End a process that the test started, and close its pipes."""
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
