"""One host that has imported a deck over USB/IP: its transfers, which may wait, and those that it takes back.

Three threads: one reads what the host says, one carries out orders (endpoint 0 and output) in turn, one brings input. None
waits for another, so that a host can take back a transfer that hangs in a stalled deck. Whichever ends hangs up.
"""

import errno
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip import usbip_messages as words
from openbalance_hid.simulator.usbip.usb_descriptors import UsbEndpoint
from openbalance_hid.simulator.usbip.usb_device import Setup, UsbDeck
from openbalance_hid.simulator.usbip.usbip_messages import NonsenseError, Submit, Unlink

SLICE_S = 1.0  # after which a report that nobody asks for looks whether its deck is still there
PENDING = 256  # transfers that a host may have under way: Linux has a handful for a HID device


class UsbIpLink:
    """One host that has a deck, until either hangs up."""

    def __init__(self, connection: socket.socket, deck: VirtualDeck) -> None:
        self._connection = connection
        self._deck = deck
        self._cable = deck.cable
        self._usb = UsbDeck(deck)
        self._sending = threading.Lock()
        self._changed = threading.Condition()  # of everything below
        self._orders: deque[tuple[Submit, bytes]] = deque()
        self._wants_input: deque[Submit] = deque()
        self._running: int | None = None  # the sequence number of the order under way
        self._ended = False

    def serve(self) -> None:
        """Carries out what the host wants until somebody hangs up. Raises OSError and NonsenseError, which end it, too."""
        name = threading.current_thread().name
        threads = [
            threading.Thread(target=self._carry_out, name=f"{name}-orders", daemon=True),
            threading.Thread(target=self._bring_input, name=f"{name}-input", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._connection.settimeout(None)
            while True:
                self._hear()
        finally:
            with self._changed:
                self._ended = True
                self._orders.clear()
                self._wants_input.clear()
                self._changed.notify_all()
            self._deck.nudge()
            for thread in threads:
                thread.join()

    def _hear(self) -> None:
        """One word of the host."""
        word = words.understand(receive(self._connection, words.HEAD_BYTES))
        if isinstance(word, Unlink):
            self._unlink(word)
            return
        data = receive(self._connection, word.length) if word.direction == words.OUT else b""
        with self._changed:
            if len(self._orders) + len(self._wants_input) >= PENDING:
                raise NonsenseError(f"more than {PENDING} transfers at once")
            if word.endpoint == UsbEndpoint.INPUT and word.direction == words.IN:
                self._wants_input.append(word)
            else:
                self._orders.append((word, data))
            self._changed.notify_all()

    def _unlink(self, word: Unlink) -> None:
        with self._changed:
            before = len(self._orders) + len(self._wants_input)
            self._orders = deque(order for order in self._orders if order[0].sequence != word.unwanted)
            self._wants_input = deque(wish for wish in self._wants_input if wish.sequence != word.unwanted)
            given_up = len(self._orders) + len(self._wants_input) < before
            if self._running == word.unwanted:
                self._running, given_up = None, True
        self._send(words.unlinked(word, -errno.ECONNRESET if given_up else 0))

    # --- orders ---

    def _carry_out(self) -> None:
        with self._hanging_up():
            while (order := self._next_order()) is not None:
                submit, data = order
                try:
                    answer = self._order(submit, data)
                except OSError as error:
                    if error.errno == errno.ENODEV:
                        return
                    self._finish(submit, words.submitted(submit, -(error.errno or errno.EPIPE), 0))
                else:
                    length = len(answer) if submit.direction == words.IN else len(data)
                    self._finish(submit, words.submitted(submit, 0, length, answer))

    def _next_order(self) -> tuple[Submit, bytes] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._orders or self._ended)
            if self._ended:
                return None
            order = self._orders.popleft()
            self._running = order[0].sequence
            return order

    def _order(self, submit: Submit, data: bytes) -> bytes:
        """What goes back. A deck that hangs keeps a real bus waiting until the host gives up, and so does this."""
        while True:
            try:
                if submit.endpoint == UsbEndpoint.CONTROL:
                    setup = Setup.of(submit.setup)
                    if setup.to_host is not (submit.direction == words.IN) and setup.length:
                        raise OSError(errno.EPIPE, "a control transfer against its own direction")
                    return self._usb.control(setup, data)[: submit.length]
                if submit.endpoint == UsbEndpoint.OUTPUT and submit.direction == words.OUT:
                    self._usb.output(data)
                    return b""
                raise OSError(errno.EPIPE, f"no endpoint {submit.endpoint} in direction {submit.direction}")
            except OSError as error:
                if error.errno != errno.ETIMEDOUT:
                    raise
            with self._changed:
                if self._ended or self._running != submit.sequence:
                    return b""

    def _finish(self, submit: Submit, answer: bytes) -> None:
        """Sends the end of a transfer, unless the host has taken it back."""
        with self._changed:
            wanted, self._running = self._running == submit.sequence, None
            if wanted:  # still under the lock, so that an Unlink is answered after it
                self._send(answer)

    # --- input ---

    def _bring_input(self) -> None:
        """Holds one report in hand, as the device's endpoint does, until the host asks for it."""
        with self._hanging_up():
            while not self._is_over():
                report = self._usb.input(self._is_over)
                if report:
                    self._deliver(report)

    def _deliver(self, report: bytes) -> None:
        """Waits until the host asks for it, or until it is all over."""
        with self._changed:
            while not self._wants_input:
                if self._is_over():
                    return
                self._changed.wait(SLICE_S)  # a deck that is unplugged meanwhile does not say so here
            wish = self._wants_input.popleft()
            status = -errno.EOVERFLOW if len(report) > wish.length else 0
            data = report[: wish.length]
            self._send(words.submitted(wish, status, len(data), data))

    def _is_over(self) -> bool:
        return self._ended or self._deck.cable != self._cable

    # --- the wire ---

    def _send(self, message: bytes) -> None:
        with self._sending:
            self._connection.sendall(message)

    @contextmanager
    def _hanging_up(self) -> Iterator[None]:
        """Whatever ends the block ends the connection."""
        try:
            with suppress(OSError):
                yield
        finally:
            hang_up(self._connection)


def receive(connection: socket.socket, length: int) -> bytes:
    """Exactly that many bytes. Raises ConnectionError when the other end hangs up before."""
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise ConnectionError("the other end hung up")
        parts += part
    return bytes(parts)


def hang_up(connection: socket.socket) -> None:
    """Ends a connection from any thread: whoever waits on it wakes."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
