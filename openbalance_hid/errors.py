"""The expected errors: what went wrong, and the one command that helps.

Every error that a user can see has a class here; built-in exceptions are for programming mistakes. A message is one line, lower
case, and names the thing and the value. A hint is one command to type, or empty. Each package translates the exceptions of its
libraries into these.
"""

from enum import Enum


class Retry(Enum):
    """How to react to a failure."""

    SOON = "soon"  # wait and try again
    USER = "user"  # report it, and wait for the user to act
    NEVER = "never"  # end with the exit code


class OpenBalanceError(Exception):
    """An expected failure. `exit_code` follows sysexits(3) where it has a code for it."""

    retry = Retry.NEVER
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OpenBalanceError):
    """The command line names something that does not exist."""

    exit_code = 2


class NoDaemonError(OpenBalanceError):
    """No daemon answers on the control socket."""

    exit_code = 69


class DaemonRefusedError(NoDaemonError):
    """The control socket belongs to another user, or cannot be opened."""

    exit_code = 77


class UnreachableDaemonError(NoDaemonError):
    """A daemon runs, and no command reaches it now."""

    retry = Retry.SOON
    exit_code = 75  # EX_TEMPFAIL


class AlreadyRunningError(OpenBalanceError):
    """Another daemon holds the control socket."""

    exit_code = 75


class ConfigError(OpenBalanceError):
    """The configuration cannot be used; the message lists every problem, one a line."""

    retry = Retry.USER
    exit_code = 78


class MissingPackageError(OpenBalanceError):
    """An optional package is not installed."""

    retry = Retry.USER
    exit_code = 69  # EX_UNAVAILABLE


class NotPermittedError(OpenBalanceError):
    """The configuration does not permit it."""

    retry = Retry.USER
    exit_code = 77


# --- the key -----------------------------------------------------------------------------------------------------------


class CredentialError(OpenBalanceError):
    """The Management key cannot be read or stored."""

    retry = Retry.USER
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

    retry = Retry.USER
    exit_code = 77


class DeckBusyError(DeckError):
    """Another program has opened the deck."""


class DeckGoneError(DeckError):
    """The deck was unplugged, or its handle became invalid in a suspend."""


# --- OpenRouter --------------------------------------------------------------------------------------------------------


class ApiError(OpenBalanceError):
    """OpenRouter returned no usable reply."""

    retry = Retry.SOON
    exit_code = 69


class OfflineError(ApiError):
    """DNS, connection or TLS failed, or the time limit passed."""


class WrongClockError(OfflineError):
    """A certificate is not valid on the date of this machine's clock."""


class RateLimitedError(ApiError):
    """429. `retry_after_s`: seconds to wait according to the server, or None."""

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class ServerError(ApiError):
    """5xx, HTML instead of JSON, or a reply that does not parse. `retry_after_s` as for 429; `status`: None for a 200."""

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None, status: int | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s
        self.status = status


class TooLargeError(ServerError):
    """A reply that is longer than any that this program reads. It will be as long the next time."""


class KeyRejectedError(ApiError):
    """401. A single one can be an outage."""

    retry = Retry.USER
    exit_code = 77


class ForbiddenError(ApiError):
    """403: an inference key, or an IP allow-list."""

    retry = Retry.USER
    exit_code = 77


class NotManagementKeyError(ApiError):
    """The key works, but it is an inference key."""

    retry = Retry.USER
    exit_code = 77


# --- the broker --------------------------------------------------------------------------------------------------------


class BrokerError(OpenBalanceError):
    """The MQTT broker cannot be used now: it is away, overloaded, or speaks no MQTT 5."""

    retry = Retry.SOON
    exit_code = 69


class BrokerRefusedError(BrokerError):
    """The broker refuses user, password or topic, or its certificate is not trusted: nothing changes until the user acts."""

    retry = Retry.USER
    exit_code = 77


# --- the system ----------------------------------------------------------------------------------------------------------


class ServiceError(OpenBalanceError):
    """The service manager is not available, or refused a request."""

    exit_code = 69
