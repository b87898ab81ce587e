"""The simulated deck at the other end of `fake_hidapi.c`: one Unix socket, one deck, any number of openings."""

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
LOOK_S = 0.2  # how often a thread that waits for a finger looks whether its program has gone
PATIENCE_S = 60.0


class Wire:
    """A deck on a socket in `folder`; as a context it serves programs until its end."""

    def __init__(self, model: str, serial: str, folder: Path) -> None:
        self.deck = VirtualDeck(model_named(model), serial)
        self.socket_file = folder / f"{serial}.sock"
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended = False
        self._taken = threading.Event()
        self._taken_s = 0.0

    def __enter__(self) -> Self:
        self._door.bind(os.fspath(self.socket_file))
        self._door.listen()
        threading.Thread(target=self._admit, name=f"wire {self.deck.serial}", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended = True
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.socket_file.unlink()
        self.deck.unplug()

    def press(self, key: int) -> float:
        """Seconds from a finger on the key to the moment when the program has the report. The finger leaves afterwards.

        TimeoutError when no program takes it.
        """
        found_s = self._until_taken(key, down=True)
        self._until_taken(key, down=False)
        return found_s

    def _until_taken(self, key: int, *, down: bool) -> float:
        self._taken.clear()
        began_s = time.perf_counter()
        (self.deck.press if down else self.deck.release)(key)
        if not self._taken.wait(PATIENCE_S):
            raise TimeoutError(f"nobody reads from {self.deck.serial}")
        return self._taken_s - began_s

    def _admit(self) -> None:
        while not self._ended:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), name=f"wire {self.deck.serial}", daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            try:
                if caller.recv(1) == b"i":
                    self._send_inputs(caller)
                else:
                    self._answer(caller)
            except OSError:
                return  # program or deck has gone

    def _answer(self, caller: socket.socket) -> None:
        while packet := caller.recv(LONGEST):
            try:
                caller.send(self._answered(packet[:1], packet[1:]))
            except OSError:
                caller.send(struct.pack("=i", -1))

    def _answered(self, question: bytes, data: bytes) -> bytes:
        deck = self.deck
        if question == b"l":
            texts = "\0".join((deck.path, deck.serial, deck.model.title, ""))
            return struct.pack("=i", deck.model.product_id) + texts.encode("ascii")
        if question == b"w":
            return struct.pack("=i", deck.write(data))
        if question == b"f":
            return struct.pack("=i", deck.send_feature(data))
        report_id, length = struct.unpack("<BH", data)  # g
        report = deck.get_feature(report_id, length)
        return struct.pack("=i", len(report)) + report

    def _send_inputs(self, caller: socket.socket) -> None:
        """Input reports as they come; each is answered when the program has read it."""
        self.deck.attach()
        while not self._ended:
            report = self.deck.read(LONGEST, LOOK_S)
            if report:
                caller.send(report)
                if not caller.recv(1):
                    return
                self._taken_s = time.perf_counter()
                self._taken.set()
            elif select.select([caller], [], [], 0)[0]:
                return  # closed: nothing else comes from there unasked
