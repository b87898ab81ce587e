"""The pages of one deck, and which of them is shown. Pure and frozen: each turn returns the next state."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.config.schema import PageConfig


class Pages(Struct, frozen=True):
    """At least one page; the first one is shown first."""

    pages: tuple[PageConfig, ...]
    index: int = 0

    @property
    def shown(self) -> PageConfig:
        """The page that stands on the deck."""
        return self.pages[self.index]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(page.name for page in self.pages)

    def turned(self, steps: int) -> Pages:
        """So many pages further, round the end; negative: back."""
        return replace(self, index=(self.index + steps) % len(self.pages))

    def at(self, name: object) -> Pages:
        """With the page of that name shown; as it is where there is none."""
        return replace(self, index=self.names.index(str(name))) if name in self.names else self

    def beside(self, steps: int) -> str:
        """The name of the page that `turned(steps)` leads to."""
        return self.turned(steps).shown.name
