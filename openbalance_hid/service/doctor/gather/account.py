"""Keyring, keys and the way to OpenRouter, as they are. A key is sent to OpenRouter alone."""

from __future__ import annotations

from openbalance_hid.desktop.credentials import KeySource, StoreStatus, read_key
from openbalance_hid.desktop.keyring_backend import back_end, setup_command
from openbalance_hid.errors import ApiError, CredentialError, OpenBalanceError
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.openrouter.http_limits import HttpLimits
from openbalance_hid.service.doctor.check import Check
from openbalance_hid.service.doctor.context import KEYRING_LIMIT_S, DoctorContext
from openbalance_hid.service.doctor.facts import KeyKind
from openbalance_hid.service.doctor.judge import account as judge

LIMITS = HttpLimits(connect_s=4.0, read_s=4.0, total_s=7.0)  # somebody sits and waits
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def keyring(patient: DoctorContext) -> list[Check]:
    """The back end."""
    sources = patient.sources()
    try:
        return judge.keyring(back_end(KEYRING_LIMIT_S), None, sources)
    except CredentialError as error:
        return judge.keyring(None, error, sources)


def key(patient: DoctorContext) -> list[Check]:
    """Every account's places."""
    checks = []
    for account, sources in patient.sources().items():
        used, theirs = _used(sources), _daemons_hint(patient, account)
        checks.append(judge.key(account, sources, setup_command(account), theirs))
        if used is not None and used.last_four is not None:
            checks += judge.key_of_the_daemon(account, used.last_four, theirs)
    return checks


def key_kind(patient: DoctorContext) -> list[Check]:
    """Every key that is used, tried at `/key`."""
    return [
        judge.key_kind(_tried(patient, account, used), setup_command(account))
        for account, sources in patient.sources().items()
        if (used := _used(sources)) is not None
    ]


def openrouter(patient: DoctorContext) -> list[Check]:
    """Asked without a key."""
    from openbalance_hid.openrouter.ping import reach

    base_url = checked_base_url(patient.env.get("OPENBALANCE_API_URL") or OPENROUTER_URL)
    proxy = next((name for name in _PROXIES if patient.env.get(name)), None)
    proxy = proxy if base_url == OPENROUTER_URL else None
    try:
        reached = reach(base_url, LIMITS)
    except ApiError as error:
        return judge.openrouter(base_url, None, error, proxy)
    return [*judge.openrouter(base_url, reached.took_s, None, proxy), *judge.clock(reached.skew_s)]


def _tried(patient: DoctorContext, account: str, used: KeySource) -> KeyKind:
    from openbalance_hid.openrouter.client import Client

    last_four = used.last_four or ""
    try:
        base_url = checked_base_url(patient.env.get("OPENBALANCE_API_URL") or OPENROUTER_URL)
        secret = read_key(account, patient.env, patient.places, KEYRING_LIMIT_S, ask_owner=False).secret
        with Client(secret, base_url, limits=LIMITS) as client:
            return KeyKind(account, last_four, client.key_info().is_management_key)
    except OpenBalanceError as error:
        return KeyKind(account, last_four, error=error)


def _used(sources: tuple[KeySource, ...]) -> KeySource | None:
    return next((each for each in sources if each.standing is StoreStatus.USED), None)


def _daemons_hint(patient: DoctorContext, account: str) -> str | None:
    try:
        told = patient.daemon()
    except OpenBalanceError:
        return None
    known = told["accounts"].get(account) if told is not None else None
    return str(known["key_hint"]) if known is not None and known["key_hint"] else None
