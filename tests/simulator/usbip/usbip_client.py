"""The other end of USB/IP, as a kernel would be: written from the protocol's documentation, sharing nothing with the server."""

import socket
import struct
from dataclasses import dataclass

from tests.waiting import PATIENCE_S

VERSION = b"\x01\x11"
SERIAL = "A00SA1234567"
SUBMITTED, UNLINKED = 3, 4  # commands of answers


@dataclass(frozen=True)
class Answer:
    """RET_SUBMIT or RET_UNLINK."""

    command: int
    sequence: int
    status: int
    length: int
    data: bytes


class Client:
    """One connection. Numbers of transfers count from 1."""

    def __init__(self, port: int) -> None:
        self.wire = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.inputs: dict[int, int] = {}  # sequence number -> 1 for a transfer towards the host
        self._sequence = 0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def take(self, length: int) -> bytes:
        taken = b""
        while len(taken) < length:
            part = self.wire.recv(length - len(taken))
            if not part:
                raise EOFError(f"hung up after {len(taken)} of {length} bytes")
            taken += part
        return taken

    def ended(self) -> bool:
        """Whether the server has hung up."""
        try:
            return self.wire.recv(1) == b""
        except ConnectionError:
            return True

    # --- operations ---

    def list(self) -> list[tuple[str, int, int, int]]:
        """(bus id, vendor, product, interface class) of each device."""
        self.wire.sendall(VERSION + b"\x80\x05" + bytes(4))
        assert self.take(8) == VERSION + b"\x00\x05" + bytes(4)
        (count,) = struct.unpack(">I", self.take(4))
        devices = []
        for _ in range(count):
            raw, interface = self.take(312), self.take(4)
            vendor, product = struct.unpack(">HH", raw[300:304])
            assert raw[311] == 1, "one interface"
            devices.append((raw[256:288].rstrip(b"\0").decode(), vendor, product, interface[0]))
        return devices

    def attach(self, bus_id: str = "1-1") -> int:
        """The status; 0: transfers may follow."""
        self.wire.sendall(VERSION + b"\x80\x03" + bytes(4) + bus_id.encode().ljust(32, b"\0"))
        head = self.take(8)
        assert head[:4] == VERSION + b"\x00\x03"
        (status,) = struct.unpack(">I", head[4:])
        if status == 0:
            device = self.take(312)
            assert device[256:288].rstrip(b"\0").decode() == bus_id
        return int(status)

    # --- transfers ---

    def submit(self, endpoint: int, to_host: bool, length: int, setup: bytes = bytes(8), data: bytes = b"") -> int:
        """Sends CMD_SUBMIT; its sequence number."""
        self._sequence += 1
        self.inputs[self._sequence] = int(to_host)
        head = struct.pack(">IIIII", 1, self._sequence, 0x10001, int(to_host), endpoint)
        self.wire.sendall(head + struct.pack(">IIIII", 0, length, 0, 0, 4) + setup + data)
        return self._sequence

    def unlink(self, unwanted: int) -> int:
        """Sends CMD_UNLINK; its sequence number."""
        self._sequence += 1
        self.wire.sendall(struct.pack(">IIIII", 2, self._sequence, 0x10001, 0, 0) + struct.pack(">I", unwanted) + bytes(24))
        return self._sequence

    def answer(self) -> Answer:
        """The next answer, to whatever."""
        command, sequence, _device, _direction, _endpoint = struct.unpack(">IIIII", self.take(20))
        status, length = struct.unpack(">iI", self.take(28)[:8])
        data = self.take(length) if command == 3 and self.inputs.get(sequence) else b""
        return Answer(command, sequence, status, length, data)

    def read_control(self, request_type: int, request: int, value: int, index: int, length: int) -> Answer:
        """A control transfer towards the host, and its end."""
        self.submit(0, True, length, struct.pack("<BBHHH", request_type, request, value, index, length))
        return self.answer()

    def write_control(self, request_type: int, request: int, value: int, data: bytes) -> Answer:
        """A control transfer towards the device, and its end."""
        self.submit(0, False, len(data), struct.pack("<BBHHH", request_type, request, value, 0, len(data)), data)
        return self.answer()

    def descriptor(self, kind: int, index: int = 0, length: int = 4096, interface: bool = False) -> bytes:
        """GET_DESCRIPTOR."""
        answer = self.read_control(0x81 if interface else 0x80, 6, kind << 8 | index, 0, length)
        assert answer.status == 0, answer
        return answer.data
