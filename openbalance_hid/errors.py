"""The tree of expected errors: what went wrong, and the one command that helps.

Everything a user can meet is a class here; built-in exceptions are left for a programmer's mistake. A message is one line,
lower case, names the thing and the value, and blames nobody. A hint is one command to type, or empty. Foreign exceptions are
translated into these at the edge of the room that met them.
"""

from enum import Enum


class Retry(Enum):
    """What to do about a failure."""

    SOON = "soon"  # wait and try again
    OWNER = "owner"  # say so, and wait for the owner
    NEVER = "never"  # leave with the exit code


class OpenBalanceError(Exception):
    """An expected failure. `exit_code` follows sysexits(3) where it has a code for it."""

    retry = Retry.NEVER
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OpenBalanceError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class NoDaemonError(OpenBalanceError):
    """No daemon answers on the control socket."""

    exit_code = 69


class DaemonRefusedError(NoDaemonError):
    """A daemon may run there, for somebody else."""

    exit_code = 77


class AlreadyRunningError(OpenBalanceError):
    """Another daemon holds the control socket."""

    exit_code = 75


class ConfigError(OpenBalanceError):
    """The configuration cannot be used; the message lists every problem, one a line."""

    retry = Retry.OWNER
    exit_code = 78


# --- the key -----------------------------------------------------------------------------------------------------------


class CredentialError(OpenBalanceError):
    """The Management key cannot be read or stored."""

    retry = Retry.OWNER
    exit_code = 77


class NoKeyError(CredentialError):
    """No key is stored for this account."""


# --- the deck ----------------------------------------------------------------------------------------------------------


class DeckError(OpenBalanceError):
    """A deck cannot be used."""

    retry = Retry.SOON
    exit_code = 69


class DeckRefusedError(DeckError):
    """The operating system does not permit opening the deck."""

    retry = Retry.OWNER
    exit_code = 77


class DeckBusyError(DeckError):
    """Another program owns the deck."""


class DeckGoneError(DeckError):
    """The deck was unplugged, or its handle died in a suspend."""


# --- OpenRouter --------------------------------------------------------------------------------------------------------


class ApiError(OpenBalanceError):
    """OpenRouter did not give a usable answer."""

    retry = Retry.SOON
    exit_code = 69


class OfflineError(ApiError):
    """DNS, connection or TLS failed, or the time limit passed."""


class RateLimitedError(ApiError):
    """429. `retry_after_s`: seconds that the server asks to wait, or None."""

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class ServerError(ApiError):
    """5xx, HTML instead of JSON, or a reply that does not parse. `retry_after_s` as for 429."""

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class KeyRejectedError(ApiError):
    """401. One alone can be an outage."""

    retry = Retry.OWNER
    exit_code = 77


class ForbiddenError(ApiError):
    """403: an inference key, or an IP allow-list."""

    retry = Retry.OWNER
    exit_code = 77


class NotManagementKeyError(ApiError):
    """The key works, but it is an inference key."""

    retry = Retry.OWNER
    exit_code = 77


# --- the system ----------------------------------------------------------------------------------------------------------


class ServiceError(OpenBalanceError):
    """The service manager is not there, or does not do what it is asked for."""

    exit_code = 69
