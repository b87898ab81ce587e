"""A row of the table and its Markdown. No measuring here."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


class Centre(Enum):
    """The average of the measured values."""

    MEDIAN = "median"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Goal:
    """An upper bound in the row's unit, or as a part of the peer, or both. Neither: the row has no goal."""

    at_most: float | None = None
    ratio: Fraction | None = None

    def is_met(self, ours: float, ratio: float) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.at_most is None and self.ratio is None:
            return None
        return (self.at_most is None or ours <= self.at_most) and (self.ratio is None or ratio <= self.ratio)


@dataclass(frozen=True, slots=True)
class Row:
    """Measured values, ours and the peer's, in `unit`. `note`: the conditions of the measurement.

    Without a peer, `peer` and `against` are empty.
    """

    name: str
    unit: str
    ours: tuple[float, ...]
    peer: str
    against: tuple[float, ...]
    goal: Goal = Goal()
    note: str = ""
    centre: Centre = Centre.MEDIAN

    @property
    def ours_centre(self) -> float:
        """The median or mean of our values."""
        return centre(self.ours, self.centre)

    @property
    def ratio(self) -> float:
        """Our centre divided by the peer's; infinite when that is 0 or there is no peer."""
        peer = centre(self.against, self.centre) if self.against else 0.0
        return self.ours_centre / peer if peer else math.inf

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        return self.goal.is_met(self.ours_centre, self.ratio)


def centre(values: Sequence[float], kind: Centre) -> float:
    """Return the median or mean. Raises ValueError (of statistics) without values."""
    return statistics.median(values) if kind is Centre.MEDIAN else statistics.fmean(values)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and last decile; with fewer than ten values, the smallest and the largest."""
    ordered = sorted(values)
    if len(ordered) < 10:
        return ordered[0], ordered[-1]
    tenths = statistics.quantiles(ordered, n=10, method="inclusive")
    return tenths[0], tenths[-1]


def markdown(rows: Sequence[Row]) -> str:
    """Return the table, with the notes below it."""
    lines = ["| row | ours | against | ratio | goal | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        met = {True: "yes", False: "**no**", None: "–"}[row.is_met]
        cells = (
            row.name,
            _amount(row, row.ours),
            f"{_amount(row, row.against)} – {row.peer}" if row.against else "–",
            f"{row.ratio:.2f}" if row.against else "–",
            _goal(row),
            met,
        )
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- **{row.name}**: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes, ""])


def _amount(row: Row, values: Sequence[float]) -> str:
    low, high = spread(values)
    middle = _number(centre(values, row.centre))
    return f"{middle} {row.unit} ({_number(low)} to {_number(high)})"


def _goal(row: Row) -> str:
    parts = [f"≤ {_number(row.goal.at_most)} {row.unit}"] if row.goal.at_most is not None else []
    parts += [f"≤ {row.goal.ratio}"] if row.goal.ratio is not None else []
    return " and ".join(parts) or "–"


def _number(value: float) -> str:
    """Return three significant figures, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}" if value < 100 else f"{value:,.0f}"
