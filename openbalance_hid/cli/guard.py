"""`guard`: check limits for a script. Exit code 0: within all; 20: a limit is crossed; 21: the data is unknown or too old."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import click

from openbalance_hid.cli.params import AccountParam
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.tiles.formatting import cents

WITHIN, CROSSED, UNKNOWN = 0, 20, 21
ALARMS = ("spike", "critical")


@dataclass(frozen=True, slots=True)
class LimitResult:
    """The result for one limit: its exit code, and a line to print."""

    code: int
    line: str


class UsdParam(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """An amount in USD: a plain decimal number."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount", param, ctx)
        if not amount.is_finite():
            self.fail(f"{value!r} is not an amount", param, ctx)
        return amount


@click.command("guard", short_help="Check limits, for scripts: the exit code is the result.")
@click.option("--min-balance", type=UsdParam(), help="Lowest allowed balance, USD.")
@click.option("--max-today", type=UsdParam(), help="Highest allowed spend of this UTC day, USD.")
@click.option("--max-month", type=UsdParam(), help="Highest allowed spend of this UTC month, USD.")
@click.option("--no-spike", is_flag=True, help="Allow no spike alert.")
@click.option("--account", type=AccountParam(), default="default", show_default=True, help="Account to use.")
def guard(
    min_balance: Decimal | None, max_today: Decimal | None, max_month: Decimal | None, no_spike: bool, account: str
) -> None:
    """Check limits. Exit code 0: within all; 20: one is crossed; 21: the data is unknown or older than 4 poll intervals."""
    if (min_balance, max_today, max_month, no_spike) == (None, None, None, False):
        raise UsageError("no limit to check", hint("no limit is given"))
    accounts = request(paths(os.environ).socket_file, "status")["accounts"]
    if account not in accounts:
        raise UsageError(f"no such account: '{account}'", hint("the account does not exist"))
    results = list(check_limits(accounts[account], min_balance, max_today, no_spike, max_month))
    for result in results:
        click.echo(result.line, err=result.code != WITHIN)
    sys.exit(exit_code(results))


def check_limits(
    account: dict[str, Any],
    min_balance: Decimal | None,
    max_today: Decimal | None,
    no_spike: bool,
    max_month: Decimal | None = None,
) -> Iterator[LimitResult]:
    """Yield the result for each limit, from one account of `status --json`.

    Stale data is neither within a limit nor across, nor is a lower bound within one. Each limit has the age of its own data.
    """
    stale = {name for name, endpoint in account["endpoints"].items() if endpoint["stale"]}
    measured = f"last measured {account['measured_at']}" if account["measured_at"] else "never measured"
    if min_balance is not None:
        if "credits" in stale:
            yield LimitResult(UNKNOWN, f"balance: unknown, {measured}")
        elif account.get("prepaid") is False:
            yield LimitResult(WITHIN, "balance: none, the account has no prepaid credits")
        else:
            yield _compare("balance", _usd(account["balance_usd"]), "below", min_balance)
    for period, limit in (("today", max_today), ("month", max_month)):
        if limit is None:
            continue
        if period in account["spend_stale"]:
            yield LimitResult(UNKNOWN, f"{period}: unknown, its data is old")
        else:
            usd, is_lower_bound = _usd(account["spend_usd"][period]), period in account["lower_bounds"]
            yield _compare(period, usd, "above", limit, is_lower_bound)
    if no_spike:
        level = account["spike"]["level"]
        if account["spike"].get("stale", "credits" in stale) or "activity" in stale:
            yield LimitResult(UNKNOWN, f"spike alert: unknown, {measured if 'credits' in stale else 'its data is old'}")
        else:
            code = CROSSED if level in ALARMS else WITHIN if level == "normal" else UNKNOWN  # without a baseline it is unknown
            yield LimitResult(code, f"spike alert: {level}")


def exit_code(results: list[LimitResult]) -> int:
    """Return the exit code for several results: a crossed limit takes precedence over an unknown one."""
    codes = {result.code for result in results}
    return CROSSED if CROSSED in codes else UNKNOWN if UNKNOWN in codes else WITHIN


def _compare(name: str, amount: Decimal | None, word: str, limit: Decimal, is_lower_bound: bool = False) -> LimitResult:
    if amount is None:
        return LimitResult(UNKNOWN, f"{name}: unknown")
    crossed = amount < limit if word == "below" else amount > limit
    shown, bound = cents(amount, ROUND_FLOOR if is_lower_bound else ROUND_HALF_EVEN), cents(limit)
    if shown == bound:
        shown, bound = f"${amount:f}", f"${limit:f}"
    if is_lower_bound and not crossed:
        return LimitResult(UNKNOWN, f"{name}: unknown, at least {shown}")
    least = "at least " if is_lower_bound else ""
    return LimitResult(CROSSED if crossed else WITHIN, f"{name}: {least}{shown} is {'' if crossed else 'not '}{word} {bound}")


def _usd(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
