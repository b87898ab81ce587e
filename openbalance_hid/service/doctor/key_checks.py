"""Checks of the keyring and of each account's key. A key is sent to OpenRouter only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from openbalance_hid import hints
from openbalance_hid.desktop.credentials import KeySource, KeySourceStatus, read_key
from openbalance_hid.desktop.keyring_backend import UNREAD, backend_name, setup_command
from openbalance_hid.errors import CredentialError, KeyRejectedError, OpenBalanceError
from openbalance_hid.hints import RUN
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.context import KEYRING_LIMIT_S, DoctorContext
from openbalance_hid.service.doctor.openrouter_checks import LIMITS, api_url

_NO_KEY = CredentialError.exit_code


@dataclass(frozen=True, slots=True)
class KeyKindFacts:
    """OpenRouter's answer for one account's key. `is_management`: None when not reported; `error`: the request failed."""

    account: str
    last_four: str
    is_management: bool | None = None
    error: OpenBalanceError | None = None


def check_keyring(context: DoctorContext) -> list[Check]:
    """Check which keyring back end is in use."""
    sources = context.key_sources()
    try:
        return assess_keyring(backend_name(KEYRING_LIMIT_S), None, sources)
    except CredentialError as error:
        return assess_keyring(None, error, sources)


def assess_keyring(
    backend: str | None, error: OpenBalanceError | None, sources: Mapping[str, Sequence[KeySource]]
) -> list[Check]:
    """Return the back end; a warning without one, unless every key comes from elsewhere."""
    if error is None:
        return [ok("keyring", backend or "unknown")]
    if all((used := _used(found)) is not None and used.where != "keyring" for found in sources.values()):
        return [ok("keyring", f"{error.message}, but none is needed")]
    return [warning("keyring", error.message, error.hint)]


def check_key(context: DoctorContext) -> list[Check]:
    """Check every place that may hold a key, for each account."""
    checks = []
    for account, sources in context.key_sources().items():
        used, daemon_last_four = _used(sources), _daemon_last_four(context, account)
        checks.append(assess_key(account, sources, setup_command(account), daemon_last_four))
        if used is not None and used.last_four is not None:
            checks += assess_daemon_key(account, used.last_four, daemon_last_four)
    return checks


def assess_key(account: str, sources: Sequence[KeySource], setup: str, daemon_last_four: str | None = None) -> Check:
    """Return the place that the account's key comes from, and why not from the others.

    `daemon_last_four`: of the key that the running daemon uses. `setup`: the command that stores a key.
    """
    others = tuple(f"{source.place}: {source.reason}" for source in sources if source.status is not KeySourceStatus.USED)
    used = _used(sources)
    if used is not None:
        return replace(ok("key", f"…{used.last_four} from {used.place}", account), details=others)
    refused = next((source for source in sources if source.status is KeySourceStatus.REFUSED), None)
    if refused is not None:
        return failure("key", refused.reason, refused.hint or setup, _NO_KEY, account)
    if any(source.reason == UNREAD for source in sources):
        if daemon_last_four is None:
            return replace(warning("key", UNREAD, RUN, account), details=others)
        return replace(ok("key", f"…{daemon_last_four} is used by the running daemon; {UNREAD}", account), details=others)
    if daemon_last_four is not None:  # a service has an environment of its own
        other = "a systemd credential" if any(each.where == "credential" for each in sources) else "the Keychain"
        found = f"only the running daemon has …{daemon_last_four}, from its environment or {other}"
        return replace(ok("key", found, account), details=others)
    hint = next((source.hint for source in sources if source.hint), setup)  # without a keyring: to a file
    return replace(failure("key", "no key is stored", hint, _NO_KEY, account), details=others)


def assess_daemon_key(account: str, last_four: str, daemon_last_four: str | None) -> list[Check]:
    """Return a warning when the running daemon, which has an environment of its own, uses another key."""
    if daemon_last_four is None or daemon_last_four == last_four:
        return []
    words = f"the running daemon uses …{daemon_last_four}: its environment differs from this one"
    return [warning("key", words, hints.hint("the daemon uses another key"), account)]


def check_key_kind(context: DoctorContext) -> list[Check]:
    """Check every key in use with a request to `/key`."""
    return [
        assess_key_kind(_key_kind(context, account, used), setup_command(account))
        for account, sources in context.key_sources().items()
        if (used := _used(sources)) is not None
    ]


def assess_key_kind(seen: KeyKindFacts, setup: str) -> Check:
    """Return whether it is a Management key that works. A key that could not be tested is no failure."""
    name, account = f"…{seen.last_four}", seen.account
    if isinstance(seen.error, KeyRejectedError):
        return failure("key-kind", f"{name} was rejected: {seen.error.message}", setup, seen.error.exit_code, account)
    if seen.error is not None:  # `openrouter_checks` says what to do
        return warning("key-kind", f"{name} cannot be tested: {seen.error.message}", about=account)
    if seen.is_management is False:
        return failure("key-kind", f"{name} is an inference key, not a Management key", setup, _NO_KEY, account)
    if seen.is_management is None:
        return warning("key-kind", f"OpenRouter does not report the kind of key {name}", about=account)
    return ok("key-kind", f"{name} is a working Management key", account)


def _key_kind(context: DoctorContext, account: str, used: KeySource) -> KeyKindFacts:
    from openbalance_hid.openrouter.client import Client

    last_four = used.last_four or ""
    try:
        secret = read_key(account, context.env, context.paths, KEYRING_LIMIT_S, may_prompt=False).secret
        with Client(secret, api_url(context), limits=LIMITS, ca_file=context.ca_file) as client:
            return KeyKindFacts(account, last_four, client.key_info().is_management_key)
    except OpenBalanceError as error:
        return KeyKindFacts(account, last_four, error=error)


def _used(sources: Sequence[KeySource]) -> KeySource | None:
    return next((source for source in sources if source.status is KeySourceStatus.USED), None)


def _daemon_last_four(context: DoctorContext, account: str) -> str | None:
    try:
        status = context.daemon()
    except OpenBalanceError:
        return None
    known = status["accounts"].get(account) if status is not None else None
    return str(known["key_hint"]) if known is not None and known["key_hint"] else None
