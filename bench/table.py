"""A row of the table and how it is printed. No measuring here."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


class Centre(Enum):
    """The one number that stands for many."""

    MEDIAN = "median"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Goal:
    """At most so much, in the row's unit, or at most such a part of the peer, or both. Neither: the row only informs."""

    at_most: float | None = None
    ratio: Fraction | None = None

    def is_met(self, ours: float, ratio: float) -> bool | None:
        """None when there is no goal."""
        if self.at_most is None and self.ratio is None:
            return None
        return (self.at_most is None or ours <= self.at_most) and (self.ratio is None or ratio <= self.ratio)


@dataclass(frozen=True, slots=True)
class Row:
    """Measured values of one thing, ours and the peer's, in `unit`. `note`: what the reader must know to trust it.

    `peer` empty and `against` without values: there is nothing to compare it with.
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
        """Median or mean of ours."""
        return centre(self.ours, self.centre)

    @property
    def ratio(self) -> float:
        """Our centre as a part of the peer's; infinite when the peer's is 0 or there is none."""
        peer = centre(self.against, self.centre) if self.against else 0.0
        return self.ours_centre / peer if peer else math.inf

    @property
    def is_met(self) -> bool | None:
        """None when there is no goal."""
        return self.goal.is_met(self.ours_centre, self.ratio)


def centre(values: Sequence[float], kind: Centre) -> float:
    """Median or mean. ValueError (of statistics) for no values."""
    return statistics.median(values) if kind is Centre.MEDIAN else statistics.fmean(values)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The values below and above which a tenth lies; smallest and largest while there are fewer than ten."""
    ordered = sorted(values)
    if len(ordered) < 10:
        return ordered[0], ordered[-1]
    tenths = statistics.quantiles(ordered, n=10, method="inclusive")
    return tenths[0], tenths[-1]


def markdown(rows: Sequence[Row]) -> str:
    """The table, and below it the notes."""
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
    """Three significant figures, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}" if value < 100 else f"{value:,.0f}"
