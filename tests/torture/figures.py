"""The figures of a test under faults, whether it passes or fails: what was tried, survived and lost."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

PROPERTY = "figures"  # of a test's report, which pytest-xdist sends to the process that prints
PART = ", part "  # in the name of a test that runs in parts


@dataclass
class Figures:
    """The figures of one test. `lost` counts what should have been kept; `others` are figures by name."""

    test: str
    seed: int
    tried: int = 0
    survived: int = 0
    lost: int = 0
    others: dict[str, object] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)
    took_s: float | None = None

    def tell(self, tried: int = 0, survived: int = 0, lost: int = 0, **others: object) -> None:
        """Add to the counts, and set other figures."""
        self.tried += tried
        self.survived += survived
        self.lost += lost
        self.others.update(others)
        self.took_s = time.monotonic() - self.began_s

    def record(self) -> dict[str, object]:
        """Return the figures as plain values, which a process of the tests can send to the one that prints them."""
        return vars(self) | {"others": {name: str(value) for name, value in self.others.items()}}

    def line(self) -> str:
        """Return the figures as a line of text."""
        more = "".join(f", {name.replace('_', ' ')} {value}" for name, value in self.others.items())
        took = "did not end" if self.took_s is None else f"{self.took_s:.1f} s"
        return f"{self.test}: tried {self.tried}, survived {self.survived}, lost {self.lost}{more}; seed {self.seed}, {took}"


def totals(figures: Iterable[Figures]) -> list[Figures]:
    """Return the sums of the tests that ran in parts, in order."""
    sums: dict[str, Figures] = {}
    for each in figures:
        test, is_part, _ = each.test.partition(PART)
        if is_part:
            total = sums.setdefault(test, Figures(f"{test}]", each.seed, took_s=0.0, others={"parts": 0}))
            parts, took_s = int(str(total.others["parts"])) + 1, (total.took_s or 0.0) + (each.took_s or 0.0)
            total.tell(each.tried, each.survived, each.lost, parts=parts)
            total.took_s = took_s
    return list(sums.values())
