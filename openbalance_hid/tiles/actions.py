"""What a tap can do. Frozen values; the daemon carries them out."""

from enum import Enum

from msgspec import Struct


class WebPage(Enum):
    """The only addresses that are ever opened."""

    CREDITS = "https://openrouter.ai/settings/credits"
    ACTIVITY = "https://openrouter.ai/activity"
    KEYS = "https://openrouter.ai/settings/keys"
    MANAGEMENT_KEYS = "https://openrouter.ai/settings/management-keys"


class OpenPage(Struct, frozen=True):
    """Open a page in the owner's browser."""

    page: WebPage


class Acknowledge(Struct, frozen=True):
    """The owner has seen the spike alarm of this key."""


class TurnPage(Struct, frozen=True):
    """Show the page of the deck that the tile names."""


class ToggleMeter(Struct, frozen=True):
    """Start the meter of this key's account, or stop it."""


class TogglePrivacy(Struct, frozen=True):
    """Mask every amount, or show them again."""


class Nothing(Struct, frozen=True):
    """A key without an action."""


Action = OpenPage | Acknowledge | TurnPage | ToggleMeter | TogglePrivacy | Nothing
