"""The requests of the control socket: one type for each command, checked before anything is done.

A request is a JSON object: `command` selects the type, the other members are its fields. A field of the wrong type or an
unknown field is refused, so that a mistyped name never means "all accounts".
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError, convert

from openbalance_hid.errors import UsageError
from openbalance_hid.hints import hint

_LONGEST = 200  # characters of a message about a request: it may repeat a part of it


class _Message(Struct, frozen=True, tag_field="command", forbid_unknown_fields=True):
    """What all requests have in common."""


class StatusRequest(_Message, frozen=True, tag="status"):
    """Return everything that the daemon reports."""


class AccountsRequest(_Message, frozen=True, tag="accounts"):
    """Return the part of the status about the accounts."""


class WatchRequest(_Message, frozen=True, tag="watch"):
    """Return the accounts now and at each change."""


class StatusWatchRequest(_Message, frozen=True, tag="watch-status"):
    """Return the whole status now and at each change."""


class RefreshRequest(_Message, frozen=True, tag="refresh"):
    """Poll one account, or all."""

    account: str | None = None


class PreviewRequest(_Message, frozen=True, tag="preview"):
    """Draw the connected deck, or another model, as a PNG file."""

    model: str | None = None
    theme: Literal["dark", "light"] | None = None


class PressRequest(_Message, frozen=True, tag="press"):
    """Tap a key of the first deck."""

    key: int


class HoldRequest(_Message, frozen=True, tag="hold"):
    """Hold a key of the first deck."""

    key: int


class TurnRequest(_Message, frozen=True, tag="page"):
    """Show a page on every deck that has it."""

    name: str


class NumbersRequest(_Message, frozen=True, tag="identify"):
    """Show the number of each key for a while."""


class BrightnessRequest(_Message, frozen=True, tag="brightness"):
    """Light the decks with a percentage, or as before ("on"), or switch them off ("off")."""

    level: Annotated[int, Meta(ge=0, le=100)] | Literal["on", "off"]
    deck: str | None = None


class ReleaseRequest(_Message, frozen=True, tag="release"):
    """Hand one deck, or all, over to other software."""

    deck: str | None = None


class TakeRequest(_Message, frozen=True, tag="take"):
    """Take released decks back."""

    deck: str | None = None


class ReloadRequest(_Message, frozen=True, tag="reload"):
    """Read the configuration again."""


class AlertsRequest(_Message, frozen=True, tag="alerts"):
    """Return the active alerts and the sinks."""


class ProbeRequest(_Message, frozen=True, tag="alerts-test"):
    """Send a test message to every sink."""


class KeysRequest(_Message, frozen=True, tag="keys"):
    """Return the API keys of one account, or of all."""

    account: str | None = None


class KeySwitchCommand(_Message, frozen=True, tag="switch-key"):
    """Disable or enable an API key, given by its name or hash; return when OpenRouter has confirmed it, or why not."""

    name: str
    disables: bool
    account: str = "default"


class StopRequest(_Message, frozen=True, tag="stop"):
    """End the daemon."""


Request = (
    StatusRequest
    | AccountsRequest
    | WatchRequest
    | StatusWatchRequest
    | RefreshRequest
    | PreviewRequest
    | PressRequest
    | HoldRequest
    | TurnRequest
    | NumbersRequest
    | BrightnessRequest
    | ReleaseRequest
    | TakeRequest
    | ReloadRequest
    | AlertsRequest
    | KeysRequest
    | KeySwitchCommand
    | ProbeRequest
    | StopRequest
)
COMMANDS = frozenset(kind.__struct_config__.tag for kind in Request.__args__)


def parse_request(request: Mapping[str, Any]) -> Request:
    """Return the request as its type. Raises UsageError for an unknown command or a wrong field."""
    name = request.get("command")
    if isinstance(name, str) and name not in COMMANDS:
        raise UsageError(f"the daemon has no command {name[:40]!r}", hint("the daemon does not know a request"))
    try:
        parsed: Request = convert(request, Request)
    except ValidationError as error:
        raise UsageError(f"not a valid request: {str(error)[:_LONGEST]}", hint("the daemon does not know a request")) from error
    return parsed
