"""A thread that waits for clients ends on every system: nothing relies on shutdown(2) of a listening socket."""

from __future__ import annotations

import errno
import re
import socket
import threading
from pathlib import Path

import pytest

from openbalance_hid.client_listener import ClientListener
from tests.waiting import PATIENCE_S, until_no_thread

PACKAGE = Path(__file__).parents[1] / "openbalance_hid"


class DarwinSocket(socket.socket):
    """A listening socket as on macOS: its shutdown fails and wakes no thread (XNU, bsd/kern/uipc_socket.c: ENOTCONN)."""

    def shutdown(self, how: int) -> None:
        raise OSError(errno.ENOTCONN, "Socket is not connected")


@pytest.fixture
def listener() -> DarwinSocket:
    found = DarwinSocket(socket.AF_INET, socket.SOCK_STREAM)
    found.bind(("127.0.0.1", 0))
    found.listen()
    return found


def test_stop_ends_a_thread_that_waits_where_shutdown_wakes_none(listener: DarwinSocket):
    clients, results = ClientListener(listener), list[object]()
    thread = threading.Thread(target=lambda: results.append(clients.accept()), name="waits for clients")
    thread.start()
    clients.stop()
    clients.stop()
    thread.join(PATIENCE_S)
    clients.close()
    clients.close()
    until_no_thread("waits for clients")
    assert results == [None]
    assert clients.accept() is None
    assert listener.fileno() == -1


def test_the_connection_of_a_client_blocks_and_earlier_clients_are_taken_in_order(listener: DarwinSocket):
    clients = ClientListener(listener)
    with socket.create_connection(listener.getsockname()) as first, socket.create_connection(listener.getsockname()):
        taken = clients.accept()
        assert taken is not None
        assert taken.getpeername() == first.getsockname()
        assert taken.getblocking()
        taken.close()
    clients.close()


def test_nothing_in_the_package_ends_a_listening_socket_by_shutdown():
    for file in PACKAGE.rglob("*.py"):
        assert not re.search(r"listener\.shutdown|_socket\.shutdown\(.*accept", file.read_text()), file
