"""The USB transfers of one host that has imported a deck over USB/IP, and their cancellation.

Three threads: one reads the host's messages, one runs the transfers of endpoint 0 and of output in order, one sends input
reports. None waits for another, so a host can cancel a transfer that hangs in a stalled deck. When one of them ends, it closes
the connection.
"""

import errno
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip import usbip_messages as messages
from openbalance_hid.simulator.usbip.usb_descriptors import UsbEndpoint
from openbalance_hid.simulator.usbip.usb_device import SetupPacket, UsbDeck
from openbalance_hid.simulator.usbip.usbip_messages import SubmitRequest, UnlinkRequest, UsbIpProtocolError

GONE_CHECK_S = 1.0  # between two checks of an input report that waits for a request: is its deck still plugged in?
MOST_TRANSFERS = 256  # pending at once; Linux has a handful for a HID device


class UsbIpLink:
    """One host with its deck, until either end disconnects."""

    def __init__(self, connection: socket.socket, deck: VirtualDeck) -> None:
        self._connection = connection
        self._deck = deck
        self._plug_count = deck.plug_count
        self._usb = UsbDeck(deck)
        self._sending = threading.Lock()
        self._changed = threading.Condition()  # of everything below
        self._requests: deque[tuple[SubmitRequest, bytes]] = deque()
        self._input_requests: deque[SubmitRequest] = deque()
        self._running: int | None = None  # sequence number of the current request
        self._ended = False

    def serve(self) -> None:
        """Run the host's transfers until either end disconnects. Raises OSError or UsbIpProtocolError at the end."""
        name = threading.current_thread().name
        threads = [
            threading.Thread(target=self._run_requests, name=f"{name}-transfers", daemon=True),
            threading.Thread(target=self._send_inputs, name=f"{name}-input", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._connection.settimeout(None)
            while True:
                self._read_message()
        finally:
            with self._changed:
                self._ended = True
                self._requests.clear()
                self._input_requests.clear()
                self._changed.notify_all()
            self._deck.wake_waiters()
            for thread in threads:
                thread.join()

    def _read_message(self) -> None:
        """Read one message and queue its transfer."""
        message = messages.decode_header(receive(self._connection, messages.HEADER_BYTES))
        if isinstance(message, UnlinkRequest):
            self._unlink(message)
            return
        data = receive(self._connection, message.length) if message.direction == messages.OUT else b""
        with self._changed:
            if len(self._requests) + len(self._input_requests) >= MOST_TRANSFERS:
                raise UsbIpProtocolError(f"more than {MOST_TRANSFERS} transfers at once")
            if message.endpoint == UsbEndpoint.INPUT and message.direction == messages.IN:
                self._input_requests.append(message)
            else:
                self._requests.append((message, data))
            self._changed.notify_all()

    def _unlink(self, message: UnlinkRequest) -> None:
        with self._changed:
            before = len(self._requests) + len(self._input_requests)
            wanted = message.cancelled_sequence
            self._requests = deque(request for request in self._requests if request[0].sequence != wanted)
            self._input_requests = deque(request for request in self._input_requests if request.sequence != wanted)
            cancelled = len(self._requests) + len(self._input_requests) < before
            if self._running == wanted:
                self._running, cancelled = None, True
        self._send(messages.unlinked(message, -errno.ECONNRESET if cancelled else 0))

    # --- transfers of endpoint 0 and of output ---

    def _run_requests(self) -> None:
        with self._disconnecting_at_end():
            while (request := self._next_request()) is not None:
                submit, data = request
                try:
                    response = self._execute(submit, data)
                except OSError as error:
                    if error.errno == errno.ENODEV:
                        return
                    self._finish(submit, messages.submitted(submit, -(error.errno or errno.EPIPE), 0))
                else:
                    length = len(response) if submit.direction == messages.IN else len(data)
                    self._finish(submit, messages.submitted(submit, 0, length, response))

    def _next_request(self) -> tuple[SubmitRequest, bytes] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._ended)
            if self._ended:
                return None
            request = self._requests.popleft()
            self._running = request[0].sequence
            return request

    def _execute(self, submit: SubmitRequest, data: bytes) -> bytes:
        """Return the data for the host. A deck that hangs keeps the host waiting until it cancels, as on a real bus."""
        while True:
            try:
                if submit.endpoint == UsbEndpoint.CONTROL:
                    setup = SetupPacket.of(submit.setup)
                    if setup.to_host is not (submit.direction == messages.IN) and setup.length:
                        raise OSError(errno.EPIPE, "direction of the setup packet and of the transfer differ")
                    return self._usb.control(setup, data)[: submit.length]
                if submit.endpoint == UsbEndpoint.OUTPUT and submit.direction == messages.OUT:
                    self._usb.output(data)
                    return b""
                raise OSError(errno.EPIPE, f"no endpoint {submit.endpoint} in direction {submit.direction}")
            except OSError as error:
                if error.errno != errno.ETIMEDOUT:
                    raise
            with self._changed:
                if self._ended or self._running != submit.sequence:
                    return b""

    def _finish(self, submit: SubmitRequest, response: bytes) -> None:
        """Send the result of a transfer, unless the host has cancelled it."""
        with self._changed:
            wanted, self._running = self._running == submit.sequence, None
            if wanted:  # sent under the lock, so that the answer to an UnlinkRequest comes after it
                self._send(response)

    # --- input ---

    def _send_inputs(self) -> None:
        """Send input reports, one at a time: as on a real endpoint, the next one waits until the host requests it."""
        with self._disconnecting_at_end():
            while not self._has_ended():
                report = self._usb.input(self._has_ended)
                if report:
                    self._deliver(report)

    def _deliver(self, report: bytes) -> None:
        """Send the report when the host requests one; drop it when the link has ended."""
        with self._changed:
            while not self._input_requests:
                if self._has_ended():
                    return
                self._changed.wait(GONE_CHECK_S)  # unplugging a deck does not wake this wait
            request = self._input_requests.popleft()
            status = -errno.EOVERFLOW if len(report) > request.length else 0
            data = report[: request.length]
            self._send(messages.submitted(request, status, len(data), data))

    def _has_ended(self) -> bool:
        return self._ended or self._deck.plug_count != self._plug_count

    # --- connection ---

    def _send(self, message: bytes) -> None:
        with self._sending:
            self._connection.sendall(message)

    @contextmanager
    def _disconnecting_at_end(self) -> Iterator[None]:
        """Close the connection at the end of the block, also after an error."""
        try:
            with suppress(OSError):
                yield
        finally:
            disconnect(self._connection)


def receive(connection: socket.socket, length: int) -> bytes:
    """Return exactly `length` bytes. Raises ConnectionError when the other end disconnects before."""
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise ConnectionError("the other end disconnected")
        parts += part
    return bytes(parts)


def disconnect(connection: socket.socket) -> None:
    """End a connection, from any thread; a thread that reads from it wakes."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
