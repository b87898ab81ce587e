"""The simulated deck at the other end of `fake_hidapi.c`: one Unix socket, one deck, any number of clients."""

import os
import select
import socket
import struct
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

LONGEST = 16384  # of a packet; as in the C file
TIME = struct.Struct("=q")  # monotonic ns; as in the C file
CHECK_S = 0.2  # how often a thread that waits for input checks that its program is connected
LIMIT_S = 60.0


class DeckSocket:
    """A deck on a socket in `folder`. The context serves programs until it ends."""

    def __init__(self, model: str, serial: str, folder: Path) -> None:
        self.deck = VirtualDeck(model_named(model), serial)
        self.path = folder / f"{serial}.sock"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended = False
        self._taken = threading.Event()
        self._taken_s = 0.0

    def __enter__(self) -> Self:
        self._listener.bind(os.fspath(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, name=f"deck socket {self.deck.serial}", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink()
        self.deck.unplug()

    def press(self, key: int) -> float:
        """Press and release a key; return the seconds until the program had the report of the press.

        Raises TimeoutError when no program reads it.
        """
        found_s = self._until_taken(key, down=True)
        self._until_taken(key, down=False)
        return found_s

    def _until_taken(self, key: int, *, down: bool) -> float:
        self._taken.clear()
        started_s = time.monotonic()
        (self.deck.press if down else self.deck.release)(key)
        if not self._taken.wait(LIMIT_S):
            raise TimeoutError(f"no program reads from {self.deck.serial}")
        return self._taken_s - started_s

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name=f"deck socket {self.deck.serial}", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                if client.recv(1) == b"i":
                    self._send_inputs(client)
                else:
                    self._reply_to(client)
            except OSError:
                return  # program or deck has disconnected

    def _reply_to(self, client: socket.socket) -> None:
        while packet := client.recv(LONGEST):
            try:
                client.send(self._reply(packet[:1], packet[1:]))
            except OSError:
                client.send(struct.pack("=i", -1))

    def _reply(self, request: bytes, data: bytes) -> bytes:
        deck = self.deck
        if request == b"l":
            texts = "\0".join((deck.path, deck.serial, deck.model.title, ""))
            return struct.pack("=i", deck.model.product_id) + texts.encode("ascii")
        if request == b"w":
            return struct.pack("=i", deck.write(data))
        if request == b"f":
            return struct.pack("=i", deck.send_feature(data))
        report_id, length = struct.unpack("<BH", data)  # g
        report = deck.get_feature(report_id, length)
        return struct.pack("=i", len(report)) + report

    def _send_inputs(self, client: socket.socket) -> None:
        """Send input reports; the program confirms each one with the time at which it has read it."""
        self.deck.attach()
        while not self._ended:
            report = self.deck.read(LONGEST, CHECK_S)
            if report:
                client.send(report)
                taken_ns = client.recv(TIME.size)
                if not taken_ns:
                    return
                self._taken_s = TIME.unpack(taken_ns)[0] / 1e9
                self._taken.set()
            elif select.select([client], [], [], 0)[0]:
                return  # closed: the program sends nothing else here
