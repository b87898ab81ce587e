"""What comes round by itself while a house stands: the turn of cycling tiles, the beat of a pulse. Pure; monotonic seconds."""

from msgspec import Struct

TURN_S = 60.0  # a page of models stands this long; ages are read again as often
PULSE_S = 1.0  # each half of a pulse: one picture a second


class Beats(Struct, frozen=True):
    """Counted from when the house began."""

    started_s: float

    def turn(self, now_s: float) -> int:
        """Which page of a cycling tile it is, counting up."""
        return self._whole(now_s, TURN_S)

    def next_turn_s(self, now_s: float) -> float:
        """When the next one comes."""
        return self.started_s + (self.turn(now_s) + 1) * TURN_S

    def is_quiet(self, now_s: float) -> bool:
        """Whether it is the quiet half of a pulse."""
        return self._whole(now_s, PULSE_S) % 2 == 1

    def next_half_s(self, now_s: float) -> float:
        """When the other half begins."""
        return self.started_s + (self._whole(now_s, PULSE_S) + 1) * PULSE_S

    def _whole(self, now_s: float, part_s: float) -> int:
        """Whole parts since the start; a rounding error short of a part is the part, or time would stand still."""
        return int((now_s - self.started_s) / part_s + 1e-6)
