"""`report`: a period of the history as one HTML page. It needs no running daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openbalance_hid.cli.params import AccountParam
from openbalance_hid.cli.terminal import STDOUT, is_terminal, write_output
from openbalance_hid.config.load import load_config
from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import ConfigError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.report.period import ACCEPTED, ReportPeriod, period_named
from openbalance_hid.text import did_you_mean

if TYPE_CHECKING:
    from openbalance_hid.history.account_records import AccountRecords
    from openbalance_hid.report.figures import AccountFigures

REPORT_FILE = "openbalance-report.html"
HELP = hint("options do not fit together", command="report")
READ_STEPS = 4
TITLES = {"30d": "The last 30 days", "all": "The whole history"}


class PeriodParam(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """`30d`, `month`, a month as `2026-11`, or `all`."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ReportPeriod:
        if isinstance(value, ReportPeriod):
            return value
        found = period_named(str(value), datetime.now(UTC).date())
        if found is None:
            self.fail(f"{str(value)[:40]!r} is not a period: use {ACCEPTED}", param, ctx)
        return found

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in ("30d", "month", "all") if name.startswith(incomplete)]


@click.command("report", short_help="Write a period of the history as an HTML page.")
@click.option(
    "--period", type=PeriodParam(), default="30d", show_default=True, metavar="PERIOD", help=f"Period to report: {ACCEPTED}."
)
@click.option("--account", type=AccountParam(), help="Account to report; without it, all.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"HTML file to write, - for standard output; {REPORT_FILE} without it.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def report(period: ReportPeriod, account: str | None, output: Path | None, opens: bool) -> None:
    """Write a period of the history as one HTML page: days, models, providers, API keys, weekdays, spikes, budget.

    The page has no scripts and requests nothing: it can be sent, printed and kept.
    """
    file = output or Path(REPORT_FILE)
    if opens and file == STDOUT:
        raise UsageError("--open needs a file, not standard output", HELP)
    from openbalance_hid.report.figures import figures
    from openbalance_hid.report.html_page import render_report, steps

    now = datetime.now(UTC)
    budgets = _budgets()
    hidden = not is_terminal(sys.stderr)
    with click.progressbar(length=READ_STEPS, label="report", file=sys.stderr, hidden=hidden, show_pos=True) as bar:
        histories = _histories(account, lambda _: bar.update(1))
        bar.length = READ_STEPS + steps(len(histories))
        shown = [figures(each, period, budgets.get(each.account), now) for each in histories]
        page = render_report(shown, _title(period, account), now, lambda _: bar.update(1))
    write_output(file, page.encode("utf-8", "replace"))
    click.echo(f"{file}: {_days(shown)}", err=file == STDOUT)
    if opens:
        _open(file)


def _histories(account: str | None, step: Callable[[str], None]) -> list[AccountRecords]:
    from openbalance_hid.history.account_records import read_histories
    from openbalance_hid.history.reader import open_reader

    move_old_state(os.environ)
    with open_reader(paths(os.environ).history_file, None) as reader:
        found = read_histories(reader, step)
    if account is not None and account not in found:
        known = ", ".join(found) or "none"
        raise UsageError(
            f"the history has no account '{account}', only: {known}{did_you_mean(account, found)}",
            hint("the account does not exist"),
        )
    return list(found.values()) if account is None else [found[account]]


def _budgets() -> Mapping[str, Decimal]:
    """Return the budget of each account that has one; none of them if the configuration has errors."""
    try:
        accounts = load_config(paths(os.environ).config_file).accounts
    except ConfigError as error:
        click.echo(f"note: without budgets, because the configuration has errors; try: {error.hint}", err=True)
        return {}
    return {name: each.budget_usd for name, each in accounts.items() if each.budget_usd is not None}


def _title(period: ReportPeriod, account: str | None) -> str:
    when = TITLES.get(period.name) or f"{period.last:%B %Y}"
    return f"{when}, {account}" if account is not None else when


def _days(shown: Sequence[AccountFigures]) -> str:
    count = max((len(each.days) for each in shown), default=0)
    accounts = f", {len(shown)} accounts" if len(shown) > 1 else ""
    return f"{count} {'day' if count == 1 else 'days'}{accounts}"


def _open(file: Path) -> None:
    from openbalance_hid.desktop.open_url import try_openers

    if not try_openers(file.absolute().as_uri(), os.environ):
        raise UsageError(f"no program opens {file}", hint("no program opens a page", path=file))
