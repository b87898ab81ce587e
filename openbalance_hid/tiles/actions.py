"""The actions of a tap: frozen values that the runtime executes."""

from enum import Enum

from msgspec import Struct


class WebPage(Enum):
    """The only web pages that the program opens."""

    CREDITS = "https://openrouter.ai/settings/credits"
    ACTIVITY = "https://openrouter.ai/activity"
    KEYS = "https://openrouter.ai/settings/keys"
    MANAGEMENT_KEYS = "https://openrouter.ai/settings/management-keys"


class OpenPage(Struct, frozen=True):
    """Open a page in the user's browser."""

    page: WebPage


class Acknowledge(Struct, frozen=True):
    """Acknowledge the spike alert of this key."""


class TurnPage(Struct, frozen=True):
    """Show the page of the deck that the tile names."""


class ToggleMeter(Struct, frozen=True):
    """Start or stop the meter of this key's account."""


class TogglePrivacy(Struct, frozen=True):
    """Mask every amount, or show them again."""


class SwitchOff(Struct, frozen=True):
    """Switch the deck off, until a press or a command."""


class StepBrightness(Struct, frozen=True):
    """Give the deck the next lower of a few levels of brightness; after the lowest, the highest."""


class Nothing(Struct, frozen=True):
    """A key without an action."""


Action = OpenPage | Acknowledge | TurnPage | ToggleMeter | TogglePrivacy | SwitchOff | StepBrightness | Nothing
