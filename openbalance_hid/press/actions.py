"""What a tap can do. Frozen values; the daemon carries them out."""

from dataclasses import dataclass
from enum import Enum


class Page(Enum):
    """The only addresses that are ever opened."""

    CREDITS = "https://openrouter.ai/settings/credits"
    ACTIVITY = "https://openrouter.ai/activity"
    KEYS = "https://openrouter.ai/settings/keys"
    MANAGEMENT_KEYS = "https://openrouter.ai/settings/management-keys"


@dataclass(frozen=True, slots=True)
class OpenPage:
    """Open a page in the owner's browser."""

    page: Page


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The owner has seen the spike alarm of this key."""


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Show the page of the deck that the tile names."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A key without an action."""


Action = OpenPage | Acknowledge | TurnPage | Nothing
