"""Checks of the connection to OpenRouter, and of this machine's clock by OpenRouter's."""

from __future__ import annotations

from pathlib import Path

from openbalance_hid.account.utc_days import SKEW_LIMIT_S
from openbalance_hid.errors import ApiError, OfflineError, OpenBalanceError, WrongClockError
from openbalance_hid.hints import clock_hint, hint
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, HttpLimits, checked_base_url
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext

LIMITS = HttpLimits(connect_s=4.0, read_s=4.0, total_s=7.0)  # a user is waiting for the result


def check_openrouter(context: DoctorContext) -> list[Check]:
    """Check with a request that carries no key."""
    from openbalance_hid.openrouter.deadline_adapter import tls_context
    from openbalance_hid.openrouter.ping import ping, proxy_variable

    if not context.accounts:
        return [ok("openrouter", "not used: every account comes from a broker")]
    base_url = api_url(context)
    try:
        tls_context(Path(context.ca_file) if context.ca_file is not None else None)
    except OfflineError as error:  # no connection is tried
        return [failure("openrouter", error.message, error.hint, error.exit_code)]
    proxy = proxy_variable(base_url, context.env) if base_url == OPENROUTER_URL else None
    try:
        reached = ping(base_url, LIMITS, ca_file=context.ca_file)
    except ApiError as error:
        return assess_openrouter(base_url, None, error, proxy)
    return [*assess_openrouter(base_url, reached.took_s, None, proxy), *assess_clock(reached.skew_s)]


def assess_openrouter(base_url: str, took_s: float | None, error: OpenBalanceError | None, proxy: str | None) -> list[Check]:
    """Return whether OpenRouter answers. `proxy`: the variable that names a proxy."""
    scheme, _, host = base_url.split("/")[:3]
    if error is None:
        return [
            ok("openrouter", f"{host} answers in {took_s or 0:.1f} s" + (f" through the proxy in {proxy}" if proxy else ""))
        ]
    trouble = f"through the proxy in {proxy}: {error.message}" if proxy else error.message
    if isinstance(error, WrongClockError):
        words = "its date is not within the time of OpenRouter's certificate"
        unreachable = failure("openrouter", trouble, clock_hint(), error.exit_code)
        return [unreachable, warning("clock", words, clock_hint())]
    if isinstance(error, OfflineError) and error.hint:
        return [failure("openrouter", trouble, error.hint, error.exit_code)]
    if isinstance(error, OfflineError):
        command = hint("another address of the API cannot be reached", address=f"{scheme}//{host}")
        return [failure("openrouter", trouble, command, error.exit_code)]
    return [warning("openrouter", trouble, hint("OpenRouter limits requests or has an outage", "doctor"))]


def assess_clock(skew_s: float | None) -> list[Check]:
    """Return whether this clock is right. A wrong one shows wrong ages; one that is very wrong makes TLS fail."""
    if skew_s is None:
        return []
    if abs(skew_s) <= SKEW_LIMIT_S:
        return [ok("clock", f"within {max(1.0, abs(skew_s)):.0f} s of OpenRouter's clock")]
    side = "behind" if skew_s > 0 else "ahead of"
    words = f"{_span(abs(skew_s))} {side} OpenRouter's clock: days start by that, and Prometheus shows wrong ages"
    return [warning("clock", words, clock_hint())]


def _span(seconds: float) -> str:
    """Return a time in its largest unit of which there are two."""
    for unit_s, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return f"{seconds:.0f} s"


def api_url(context: DoctorContext) -> str:
    """Return the address of the API. ConfigError for one that no key may be sent to."""
    return checked_base_url(context.env.get("OPENBALANCE_API_URL") or OPENROUTER_URL)
