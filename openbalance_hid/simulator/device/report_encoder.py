"""Fingers in, input reports out: the other pure half of the virtual deck.

No thread, no clock, no device state beyond what is held down. It is written from the device's documentation (see `models`) and
shares nothing with the library that reads the reports.
"""

from openbalance_hid.simulator.device.models import INPUT_REPORT_ID, DeckModel, Inputs

KEYS_COMMAND, TOUCH_COMMAND, DIALS_COMMAND = 0x00, 0x02, 0x03
PUSH, TURN = 0x00, 0x01  # the kinds of a dial report
TAP, LONG, DRAG = 1, 2, 3  # the kinds of a touch report


class ReportEncoder:
    """One device, on which nothing is held down yet. IndexError: the model has no such key, dial or strip."""

    def __init__(self, model: DeckModel) -> None:
        self._model = model
        self._held: set[int] = set()
        self._pushed: set[int] = set()

    def key(self, key: int, *, down: bool) -> bytes:
        """A finger goes down on a key or touch key, by the user's number, or leaves it."""
        model = self._model
        count = model.keys + model.touch_keys
        if not 0 <= key < count:
            raise IndexError(f"key {key} of {count}")
        (self._held.add if down else self._held.discard)(key)
        states = bytearray(count)
        for held in self._held:
            row, col = divmod(held, model.cols)
            mirrored = model.counts_from_right and held < model.keys
            states[row * model.cols + model.cols - 1 - col if mirrored else held] = 1
        return self._report(KEYS_COMMAND, bytes(states))

    def turn(self, dial: int, steps: int) -> bytes:
        """A dial is turned: positive steps clockwise, -128 to 127."""
        states = bytearray(self._model.dials)
        states[dial] = steps & 0xFF
        return self._report(DIALS_COMMAND, bytes([TURN]) + states)

    def push(self, dial: int, *, down: bool) -> bytes:
        """A dial is pushed down or let go."""
        if not 0 <= dial < self._model.dials:
            raise IndexError(f"dial {dial} of {self._model.dials}")
        (self._pushed.add if down else self._pushed.discard)(dial)
        return self._report(DIALS_COMMAND, bytes([PUSH]) + bytes(number in self._pushed for number in range(self._model.dials)))

    def touch(self, x: int, y: int, *, long: bool) -> bytes:
        """A finger taps the strip, or rests on it."""
        return self._touch(LONG if long else TAP, (x, y))

    def drag(self, x: int, y: int, x_out: int, y_out: int) -> bytes:
        """A finger moves over the strip, from (x, y) to where it leaves."""
        return self._touch(DRAG, (x, y, x_out, y_out))

    def _touch(self, kind: int, points: tuple[int, ...]) -> bytes:
        if self._model.strip is None:
            raise IndexError(f"{self._model.name} has no touch strip")
        return self._report(TOUCH_COMMAND, bytes([kind, 0]) + b"".join(point.to_bytes(2, "little") for point in points))

    def _report(self, command: int, payload: bytes) -> bytes:
        if self._model.inputs is Inputs.COMMAND:
            payload = bytes([command]) + len(payload).to_bytes(2, "little") + payload
        return (bytes([INPUT_REPORT_ID]) + payload).ljust(self._model.input_length, b"\0")
