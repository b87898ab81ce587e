"""Keyring, keys and the way to OpenRouter, judged. What cannot be known because something else is in the way is no failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from openbalance_hid.account.spend import SKEW_LIMIT_S
from openbalance_hid.desktop.credentials import KeySource, StoreStatus
from openbalance_hid.errors import CredentialError, KeyRejectedError, OfflineError, OpenBalanceError
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.facts import KeyKind

_NO_KEY = CredentialError.exit_code
NO_CLOCK = "sudo timedatectl set-ntp true"


def keyring(back_end: str | None, error: OpenBalanceError | None, sources: Mapping[str, Sequence[KeySource]]) -> list[Check]:
    """What keeps passwords; one that is missing is no trouble where no key needs it."""
    if error is None:
        return [ok("keyring", back_end or "unknown")]
    if all(any(each.standing is StoreStatus.USED and each.where != "keyring" for each in found) for found in sources.values()):
        return [ok("keyring", f"{error.message}, and none is needed")]
    return [warning("keyring", error.message, error.hint)]


def key(account: str, sources: Sequence[KeySource], setup: str, theirs: str | None = None) -> Check:
    """Which place the account's key comes from, and why not from the others. `theirs`: the end of the running daemon's."""
    others = tuple(f"{each.place}: {each.why}" for each in sources if each.standing is not StoreStatus.USED)
    used = next((each for each in sources if each.standing is StoreStatus.USED), None)
    if used is not None:
        return replace(ok("key", f"…{used.last_four} from {used.place}", account), details=others)
    refused = next((each for each in sources if each.standing is StoreStatus.REFUSED), None)
    if refused is not None:
        return failure("key", refused.why, refused.hint or setup, _NO_KEY, account)
    if theirs is not None:  # a service has surroundings of its own
        found = f"…{theirs} is the running daemon's alone: of its environment, or of a systemd credential"
        return replace(ok("key", found, account), details=others)
    return replace(failure("key", "none is stored", setup, _NO_KEY, account), details=others)


def key_of_the_daemon(account: str, ours: str, theirs: str | None) -> list[Check]:
    """The running daemon has an environment of its own, and with it perhaps another key."""
    if theirs is None or theirs == ours:
        return []
    return [
        warning(
            "key", f"the running daemon uses …{theirs}: its environment is not this one's", "openbalance-hid accounts", account
        )
    ]


def key_kind(seen: KeyKind, setup: str) -> Check:
    """Whether it is a Management key that works."""
    name, account = f"…{seen.last_four}", seen.account
    if isinstance(seen.error, KeyRejectedError):
        return failure("key-kind", f"{name} is refused: {seen.error.message}", setup, seen.error.exit_code, account)
    if isinstance(seen.error, OfflineError):
        return warning("key-kind", f"{name} cannot be tried: {seen.error.message}", about=account)
    if seen.error is not None:
        return warning("key-kind", f"{name} cannot be tried: {seen.error.message}", "openbalance-hid doctor", account)
    if seen.management is False:
        return failure("key-kind", f"{name} is an inference key, not a Management key", setup, _NO_KEY, account)
    if seen.management is None:
        return warning("key-kind", f"OpenRouter does not say what kind of key {name} is", about=account)
    return ok("key-kind", f"{name} is a Management key that works", account)


def openrouter(base_url: str, took_s: float | None, error: OpenBalanceError | None, proxy: str | None) -> list[Check]:
    """Whether it answers. `proxy`: the variable that names one."""
    scheme, _, host = base_url.split("/")[:3]
    way = f" through the proxy of {proxy}" if proxy else ""
    if error is None:
        return [ok("openrouter", f"{host} answers in {took_s or 0:.1f} s{way}")]
    if isinstance(error, OfflineError):
        return [failure("openrouter", f"{error.message}{way}", f"curl -sSI {scheme}//{host}", error.exit_code)]
    return [warning("openrouter", f"{error.message}{way}", "openbalance-hid doctor")]


def clock(skew_s: float | None) -> list[Check]:
    """Ours beside OpenRouter's; a wrong one makes TLS fail at the latest, and shows wrong ages before."""
    if skew_s is None:
        return []
    if abs(skew_s) <= SKEW_LIMIT_S:
        return [ok("clock", f"within {max(1.0, abs(skew_s)):.0f} s of OpenRouter's")]
    way = "behind" if skew_s > 0 else "ahead of"
    return [warning("clock", f"{abs(skew_s):.0f} s {way} OpenRouter's: ages are wrong, and days begin by theirs", NO_CLOCK)]
