"""Encoder of input reports: presses, turns and touches in, reports out. Pure.

No thread, no clock, no state but the keys and dials that are down. Written from the device's documentation (see `models`); it
shares no code with the library that reads the reports.
"""

from openbalance_hid.simulator.device.models import INPUT_REPORT_ID, DeckModel, InputLayout

KEYS_COMMAND, TOUCH_COMMAND, DIALS_COMMAND = 0x00, 0x02, 0x03
PUSH, TURN = 0x00, 0x01  # the kinds of a dial report
TAP, LONG, DRAG = 1, 2, 3  # the kinds of a touch report


class ReportEncoder:
    """One device; at first no key or dial is down. IndexError: the model has no such key, dial or strip."""

    def __init__(self, model: DeckModel) -> None:
        self._model = model
        self._keys_down: set[int] = set()
        self._dials_down: set[int] = set()

    @property
    def keys_down(self) -> frozenset[int]:
        """Return the keys and touch keys that are pressed."""
        return frozenset(self._keys_down)

    def key(self, key: int, *, down: bool) -> bytes:
        """Return the report of a key or touch key that is pressed or released. Keys are numbered as the user sees them."""
        model = self._model
        count = model.keys + model.touch_keys
        if not 0 <= key < count:
            raise IndexError(f"key {key} of {count}")
        (self._keys_down.add if down else self._keys_down.discard)(key)
        states = bytearray(count)
        for down_key in self._keys_down:
            row, col = divmod(down_key, model.cols)
            mirrored = model.counts_from_right and down_key < model.keys
            states[row * model.cols + model.cols - 1 - col if mirrored else down_key] = 1
        return self._report(KEYS_COMMAND, bytes(states))

    def turn(self, dial: int, steps: int) -> bytes:
        """Return the report of a dial that is turned: positive steps clockwise, -128 to 127."""
        states = bytearray(self._model.dials)
        states[dial] = steps & 0xFF
        return self._report(DIALS_COMMAND, bytes([TURN]) + states)

    def push(self, dial: int, *, down: bool) -> bytes:
        """Return the report of a dial that is pressed or released."""
        if not 0 <= dial < self._model.dials:
            raise IndexError(f"dial {dial} of {self._model.dials}")
        (self._dials_down.add if down else self._dials_down.discard)(dial)
        return self._report(DIALS_COMMAND, bytes([PUSH]) + bytes(each in self._dials_down for each in range(self._model.dials)))

    def touch(self, x: int, y: int, *, long: bool) -> bytes:
        """Return the report of a tap or a long touch on the strip."""
        return self._touch(LONG if long else TAP, (x, y))

    def drag(self, x: int, y: int, x_out: int, y_out: int) -> bytes:
        """Return the report of a drag over the strip, from (x, y) to (x_out, y_out)."""
        return self._touch(DRAG, (x, y, x_out, y_out))

    def _touch(self, kind: int, points: tuple[int, ...]) -> bytes:
        if self._model.strip is None:
            raise IndexError(f"{self._model.name} has no touch strip")
        return self._report(TOUCH_COMMAND, bytes([kind, 0]) + b"".join(point.to_bytes(2, "little") for point in points))

    def _report(self, command: int, payload: bytes) -> bytes:
        if self._model.inputs is InputLayout.COMMAND:
            payload = bytes([command]) + len(payload).to_bytes(2, "little") + payload
        return (bytes([INPUT_REPORT_ID]) + payload).ljust(self._model.input_length, b"\0")
