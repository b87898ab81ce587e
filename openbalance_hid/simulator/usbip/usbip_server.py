"""Virtual decks exported over USB/IP, so that `usbip attach` makes real HID devices of them on any Linux machine.

The server listens on 127.0.0.1 only. Not here: the encoding of messages (`usbip_messages`), the answers of a deck
(`usb_device`), the transfers of a host (`usbip_link`). One host per deck; unplugging the deck ends the connection to its host,
which unplugs it there.
"""

import errno
import itertools
import logging
import socket
import struct
import threading
import time
from collections.abc import Sequence

from openbalance_hid.client_listener import ClientListener
from openbalance_hid.errors import UsageError
from openbalance_hid.hints import hint
from openbalance_hid.simulator.client_threads import ClientThreads
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip import usbip_messages as messages
from openbalance_hid.simulator.usbip.usbip_link import UsbIpLink, disconnect, receive
from openbalance_hid.simulator.usbip.usbip_messages import ExportedDeck, UsbIpProtocolError

log = logging.getLogger(__name__)

DEFAULT_PORT = 3240  # usbip's own
OPERATION_TIMEOUT_S = 5.0  # for the first request; after an import a host may be silent for days
SEND_TIMEOUT_S = 5  # a host that reads nothing for this long is disconnected
CONNECTIONS = 16
RETRY_S = 0.2  # between two tries to accept a connection


class UsbIpServer:
    """Exports `decks` from `start` to `stop`, with the bus ids 1-1, 1-2 and so on."""

    def __init__(self, decks: Sequence[VirtualDeck], port: int = DEFAULT_PORT) -> None:
        """`port` 0: any free port."""
        self._decks = {ExportedDeck(number, deck.model): deck for number, deck in enumerate(decks, start=1)}
        self._requested_port = port
        self._client_threads = ClientThreads()
        self._lock = threading.Lock()  # of everything below
        self._listener: ClientListener | None = None
        self._port = 0
        self._connections: set[socket.socket] = set()
        self._links: dict[ExportedDeck, UsbIpLink] = {}
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Return the port of the server; 0 when it does not run."""
        return self._port if self._listener is not None else 0

    @property
    def bus_ids(self) -> tuple[str, ...]:
        """Return the bus ids to attach, in the order of the decks."""
        return tuple(one.bus_id for one in self._decks)

    def is_attached(self, number: int) -> bool:
        """Return whether a host has attached the deck `number`, counted from 0."""
        with self._lock:
            return list(self._decks)[number] in self._links

    def start(self) -> int:
        """Start to listen and return the port. Raises UsageError when the port is taken or not permitted."""
        try:
            listener = socket.create_server(("127.0.0.1", self._requested_port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error)).lower()
            raise UsageError(f"port {self._requested_port} {reason}", hint("the port of USB/IP is taken")) from error
        with self._lock:
            self._port = int(listener.getsockname()[1])
            self._listener = clients = ClientListener(listener)
            self._thread = threading.Thread(target=self._accept, args=(clients,), name="usbip", daemon=True)
        self._thread.start()
        return self.port

    def stop(self) -> None:
        """Disconnect every host and join the threads. Idempotent."""
        with self._lock:
            listener, self._listener = self._listener, None
            connections = tuple(self._connections)
        if listener is None or self._thread is None:
            return
        listener.stop()
        self._thread.join()
        listener.close()
        for connection in connections:
            disconnect(connection)
        self._client_threads.join()

    def _accept(self, listener: ClientListener) -> None:
        failing = False
        for number in itertools.count(1):
            try:
                connection = listener.accept()
                if connection is None:
                    return
                self._start_thread(connection, f"usbip-{number}")
                failing = False
            except (OSError, RuntimeError) as error:  # out of file descriptors, or the system's limit of threads
                if not failing:
                    log.warning("the USB/IP server cannot accept a connection, and tries again: %s", error)
                failing = True
                time.sleep(RETRY_S)

    def _start_thread(self, connection: socket.socket, name: str) -> None:
        """Serve the connection on a thread of its own, or close it. RuntimeError without resources for a thread."""
        thread = threading.Thread(target=self._serve_connection, args=(connection,), name=name, daemon=True)
        with self._lock:
            accepted = self._listener is not None and len(self._connections) < CONNECTIONS
            if accepted:
                self._connections.add(connection)
        if not accepted:
            connection.close()
            return
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                self._connections.discard(connection)
            connection.close()
            raise
        self._client_threads.add(thread)

    def _serve_connection(self, connection: socket.socket) -> None:
        """Serve one connection until it ends."""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT_S, 0))
            connection.settimeout(OPERATION_TIMEOUT_S)
            self._answer_operation(connection)
        except (OSError, UsbIpProtocolError) as error:
            log.debug("a USB/IP connection ended: %s", error)
        except Exception:
            log.exception("a USB/IP connection failed")
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer_operation(self, connection: socket.socket) -> None:
        version, code, _status = messages.OPERATION.unpack(receive(connection, messages.OPERATION.size))
        if version != messages.VERSION:
            raise UsbIpProtocolError(f"version {version:#06x}")
        if code == messages.REQUEST_LIST:
            connection.sendall(messages.device_list([one for one, deck in self._decks.items() if deck.plugged]))
        elif code == messages.REQUEST_IMPORT:
            bus_id = receive(connection, messages.BUS_ID_BYTES).rstrip(b"\0")
            self._import(connection, bus_id)
        else:
            raise UsbIpProtocolError(f"operation {code:#06x}")

    def _import(self, connection: socket.socket, bus_id: bytes) -> None:
        one = next((one for one in self._decks if one.bus_id.encode() == bus_id and self._decks[one].plugged), None)
        if one is None:
            connection.sendall(messages.not_imported(messages.NO_DEVICE))
            return
        with self._lock:
            free = one not in self._links
            if free:
                self._links[one] = link = UsbIpLink(connection, self._decks[one])
        if not free:
            connection.sendall(messages.not_imported(messages.BUSY))
            return
        try:
            log.info("%s %s is attached", one.model.title, self._decks[one].serial)
            connection.sendall(messages.imported(one))
            link.serve()
        finally:
            with self._lock:
                del self._links[one]
            log.info("%s %s is detached", one.model.title, self._decks[one].serial)
