"""The actions of a tap: frozen values that the runtime executes."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct


class WebPage(Enum):
    """The only web pages that the program opens."""

    CREDITS = "https://openrouter.ai/settings/credits"
    ACTIVITY = "https://openrouter.ai/activity"
    KEYS = "https://openrouter.ai/settings/keys"
    LOGS = "https://openrouter.ai/logs"
    MANAGEMENT_KEYS = "https://openrouter.ai/settings/management-keys"


class OpenPage(Struct, frozen=True):
    """Open a page in the user's browser."""

    page: WebPage


class Acknowledge(Struct, frozen=True):
    """Acknowledge the spike alert of this key."""


class TurnPage(Struct, frozen=True):
    """Show the page of the deck that the action names; None: the page that the tile names."""

    page: str | None = None


class RefreshAccount(Struct, frozen=True):
    """Poll this key's account."""


class ToggleMeter(Struct, frozen=True):
    """Start or stop the meter of this key's account."""


class TogglePrivacy(Struct, frozen=True):
    """Mask every amount, or show them again."""


class RunCommand(Struct, frozen=True):
    """Run the program that the key's tile names for a tap."""


class SwitchOff(Struct, frozen=True):
    """Switch the deck off, until a press or a command."""


class StepBrightness(Struct, frozen=True):
    """Give the deck the next lower of a few levels of brightness; after the lowest, the highest."""


class Nothing(Struct, frozen=True):
    """A key without an action."""


Action = (
    OpenPage
    | Acknowledge
    | TurnPage
    | RefreshAccount
    | ToggleMeter
    | TogglePrivacy
    | RunCommand
    | SwitchOff
    | StepBrightness
    | Nothing
)

PAGE_PREFIX = "page:"
NAMED_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "credits": OpenPage(WebPage.CREDITS),
        "activity": OpenPage(WebPage.ACTIVITY),
        "keys": OpenPage(WebPage.KEYS),
        "logs": OpenPage(WebPage.LOGS),
        "acknowledge": Acknowledge(),
        "refresh": RefreshAccount(),
        "brightness": StepBrightness(),
        "off": SwitchOff(),
        "none": Nothing(),
    }
)  # as `tap` and `hold` of a tile name them, beside "page:NAME"


def action_named(name: str) -> Action:
    """Return the action that a configuration names."""
    return TurnPage(name.removeprefix(PAGE_PREFIX)) if name.startswith(PAGE_PREFIX) else NAMED_ACTIONS[name]
