"""The figures of a test under faults, whether it passes or fails: what was tried, survived and lost."""

import time
from dataclasses import dataclass, field

import pytest


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

    def line(self) -> str:
        """Return the figures as a line of text."""
        more = "".join(f", {name.replace('_', ' ')} {value}" for name, value in self.others.items())
        took = "did not end" if self.took_s is None else f"{self.took_s:.1f} s"
        return f"{self.test}: tried {self.tried}, survived {self.survived}, lost {self.lost}{more}; seed {self.seed}, {took}"


FIGURES = pytest.StashKey[list[Figures]]()
