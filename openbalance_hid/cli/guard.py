"""`guard`: limits for scripts, answered by the exit code. 0 within all, 20 one is crossed, 21 not known or too old to tell."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from openbalance_hid.cli.params import AccountParam
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import UsageError
from openbalance_hid.ipc.control_client import request
from openbalance_hid.tiles.formatting import cents

WITHIN, CROSSED, UNKNOWN = 0, 20, 21
ALARMS = ("spike", "critical")


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit: how it stands, and in words."""

    code: int
    words: str


class Usd(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """An amount of USD: a plain decimal number."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount", param, ctx)
        if not amount.is_finite():
            self.fail(f"{value!r} is not an amount", param, ctx)
        return amount


@click.command("guard", short_help="Limits for scripts, answered by the exit code.")
@click.option("--min-balance", type=Usd(), help="The balance must not be below this, USD.")
@click.option("--max-today", type=Usd(), help="The spend of this UTC day must not be above this, USD.")
@click.option("--no-spike", is_flag=True, help="The spike alert must be calm.")
@click.option("--account", type=AccountParam(), default="default", show_default=True, help="Whose.")
def guard(min_balance: Decimal | None, max_today: Decimal | None, no_spike: bool, account: str) -> None:
    """Exit with 0 within limits, 20 when one is crossed, 21 when the data is unknown or older than 4 intervals."""
    accounts = request(paths(os.environ).socket_file, "status")["accounts"]
    if account not in accounts:
        raise UsageError(f"no account is named '{account}'", "openbalance-hid status")
    findings = list(judge(accounts[account], min_balance, max_today, no_spike))
    for finding in findings:
        click.echo(finding.words, err=finding.code != WITHIN)
    sys.exit(verdict(findings))


def judge(told: dict[str, Any], min_balance: Decimal | None, max_today: Decimal | None, no_spike: bool) -> Iterator[Finding]:
    """How each limit stands, from one account of `status --json`. Old data is never within a limit, nor across it."""
    if told["stale"]:
        yield Finding(UNKNOWN, f"not known: last measured {told['measured_at'] or 'never'}")
        return
    if min_balance is not None:
        yield _compare("balance", _usd(told["balance_usd"]), "below", min_balance, lambda is_, limit: is_ < limit)
    if max_today is not None:
        yield _compare("today", _usd(told["spend_usd"]["today"]), "above", max_today, lambda is_, limit: is_ > limit)
    if no_spike:
        level = told["spike"]["level"]
        code = CROSSED if level in ALARMS else WITHIN if level == "normal" else UNKNOWN  # without a baseline nobody can say
        yield Finding(code, f"spike alert: {level}")


def verdict(findings: list[Finding]) -> int:
    """The exit code of several findings: a crossed limit before an unknown one."""
    codes = {finding.code for finding in findings}
    return CROSSED if CROSSED in codes else UNKNOWN if UNKNOWN in codes else WITHIN


def _compare(name: str, is_: Decimal | None, word: str, limit: Decimal, crosses: Any) -> Finding:
    if is_ is None:
        return Finding(UNKNOWN, f"{name}: not known")
    crossed = crosses(is_, limit)
    known, set_ = (cents(is_), cents(limit)) if cents(is_) != cents(limit) else (f"${is_:f}", f"${limit:f}")
    return Finding(CROSSED if crossed else WITHIN, f"{name}: {known} is {'' if crossed else 'not '}{word} {set_}")


def _usd(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
