"""Virtual decks exported over USB/IP, so that `usbip attach` makes real HID devices of them on any Linux machine.

It listens on 127.0.0.1 only. What is said is in `usbip_words`, what a deck answers in `usb_device`, and what becomes of the
transfers of a host that has imported a deck in `usbip_link`. One host a deck; unplugging the deck hangs up on its host, which
unplugs it there.
"""

import errno
import logging
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress

from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.client_threads import ClientThreads
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip import usbip_messages as words
from openbalance_hid.simulator.usbip.usbip_link import UsbIpLink, hang_up, receive
from openbalance_hid.simulator.usbip.usbip_messages import Exported, NonsenseError

log = logging.getLogger(__name__)

DEFAULT_PORT = 3240  # usbip's own
FIRST_WORDS_LIMIT_S = 5.0  # to say what is wanted; afterwards a host may be silent for days
SEND_LIMIT_S = 5  # a host that takes nothing for so long is gone
CONNECTIONS = 16


class UsbIpServer:
    """Exports `decks` from `start` to `stop`, under the bus ids 1-1, 1-2 and so on."""

    def __init__(self, decks: Sequence[VirtualDeck], port: int = DEFAULT_PORT) -> None:
        """`port` 0: any."""
        self._decks = {Exported(number, deck.model): deck for number, deck in enumerate(decks, start=1)}
        self._wanted_port = port
        self._visitors = ClientThreads()
        self._lock = threading.Lock()  # of everything below
        self._listener: socket.socket | None = None
        self._talks: set[socket.socket] = set()  # connections that are still talked to
        self._taken: dict[Exported, UsbIpLink] = {}
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; 0 when none is."""
        return int(self._listener.getsockname()[1]) if self._listener is not None else 0

    @property
    def bus_ids(self) -> tuple[str, ...]:
        """What to attach, in the order of the decks."""
        return tuple(one.bus_id for one in self._decks)

    def is_attached(self, number: int) -> bool:
        """Whether a host has the deck with that number, from 0."""
        with self._lock:
            return list(self._decks)[number] in self._taken

    def start(self) -> int:
        """Listens; the port. Raises UsageError when it cannot be had."""
        try:
            listener = socket.create_server(("127.0.0.1", self._wanted_port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error)).lower()
            raise UsageError(f"port {self._wanted_port} {reason}", "openbalance-hid simulate --usbip 0") from error
        with self._lock:
            self._listener = listener
            self._thread = threading.Thread(target=self._accept, args=(listener,), name="usbip", daemon=True)
        self._thread.start()
        return self.port

    def stop(self) -> None:
        """Hangs up on every host and joins the threads. May be called twice."""
        with self._lock:
            listener, self._listener = self._listener, None
            talks = tuple(self._talks)
        if listener is None or self._thread is None:
            return
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._thread.join()
        listener.close()
        for connection in talks:
            hang_up(connection)
        self._visitors.join()

    def _accept(self, listener: socket.socket) -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            number += 1
            with self._lock:
                welcome = self._listener is not None and len(self._talks) < CONNECTIONS
                if welcome:
                    thread = threading.Thread(target=self._talk, args=(connection,), name=f"usbip-{number}", daemon=True)
                    self._talks.add(connection)
                    thread.start()
                    self._visitors.note(thread)
            if not welcome:
                connection.close()

    def _talk(self, connection: socket.socket) -> None:
        """One connection from its first word to its end."""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_LIMIT_S, 0))
            connection.settimeout(FIRST_WORDS_LIMIT_S)
            self._answer(connection)
        except (OSError, NonsenseError) as error:
            log.debug("a USB/IP connection ended: %s", error)
        except Exception:
            log.exception("a USB/IP connection failed")
        finally:
            with self._lock:
                self._talks.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket) -> None:
        version, code, _status = words.OPERATION.unpack(receive(connection, words.OPERATION.size))
        if version != words.VERSION:
            raise NonsenseError(f"version {version:#06x}")
        if code == words.REQUEST_LIST:
            connection.sendall(words.device_list([one for one, deck in self._decks.items() if deck.plugged]))
        elif code == words.REQUEST_IMPORT:
            bus_id = receive(connection, words.BUS_ID_BYTES).rstrip(b"\0")
            self._import(connection, bus_id)
        else:
            raise NonsenseError(f"operation {code:#06x}")

    def _import(self, connection: socket.socket, bus_id: bytes) -> None:
        one = next((one for one in self._decks if one.bus_id.encode() == bus_id and self._decks[one].plugged), None)
        if one is None:
            connection.sendall(words.not_imported(words.NO_DEVICE))
            return
        with self._lock:
            free = one not in self._taken
            if free:
                self._taken[one] = link = UsbIpLink(connection, self._decks[one])
        if not free:
            connection.sendall(words.not_imported(words.BUSY))
            return
        try:
            log.info("%s %s is attached", one.model.title, self._decks[one].serial)
            connection.sendall(words.imported(one))
            link.serve()
        finally:
            with self._lock:
                del self._taken[one]
            log.info("%s %s is detached", one.model.title, self._decks[one].serial)
