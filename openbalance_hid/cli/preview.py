"""`preview`: a picture of the whole deck, from live values when the daemon runs, else from sample accounts."""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.cli import completion_values as completing
from openbalance_hid.cli.params import ChoiceParam, init_command, is_missing, unknown
from openbalance_hid.cli.terminal import STDOUT, put
from openbalance_hid.config.default_layout import check_against_deck
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import paths
from openbalance_hid.config.schema import Config
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.ipc.control_client import request
from openbalance_hid.simulator.device.models import OFFERED, model_named
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS

DEFAULT_MODEL = "mk2"
DECK_FILE = "openbalance-preview.png"
NAMES = tuple(name for name, _ in SCENARIOS)
LATEST_EPOCH_S = 250_000_000_000  # in the year 9892: later days cannot be reckoned with
HELP = "openbalance-hid preview --help"


class _Scenario(ChoiceParam):
    """`NAME`, or `ACCOUNT=NAME`."""

    name = "scenario"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        account, equals, name = str(value).rpartition("=")
        return f"{account}{equals}{super().convert(name, param, ctx)}"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        names = [CompletionItem(name) for name in NAMES if name.startswith(incomplete)]
        of_each = [f"{account}={name}" for account in completing.configured_accounts() for name in NAMES] if incomplete else []
        return names + [CompletionItem(text) for text in of_each if text.startswith(incomplete)]


@click.command(
    "preview",
    short_help="Draw the whole deck into a PNG file.",
    epilog="SOURCE_DATE_EPOCH (seconds since 1970) is the moment of sample accounts: with it, the same picture every time.",
)
@click.option("--model", type=ChoiceParam(OFFERED), help="Which deck; the connected one, or mk2.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="Configuration in place of the usual one."
)
@click.option(
    "--scenario",
    "scenarios",
    type=_Scenario(NAMES),
    multiple=True,
    metavar="[ACCOUNT=]NAME",
    help=f"Sample accounts in place of live values; may be repeated. {', '.join(NAMES)}.",
)
@click.option("--theme", type=ChoiceParam(("dark", "light")), help="In place of every tile's own.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"PNG file, - for stdout; {DECK_FILE}.",
)
def preview(
    model: str | None,
    config_file: Path | None,
    scenarios: tuple[str, ...],
    theme: str | None,
    output: Path | None,
) -> None:
    """Draw the whole deck into a PNG file."""
    picture, what = _deck(model, config_file, scenarios, theme)
    file = output or Path(DECK_FILE)
    put(file, picture)
    click.echo(f"{file}: {what}", err=file == STDOUT)


def _deck(model: str | None, config_file: Path | None, scenarios: Sequence[str], theme: str | None) -> tuple[bytes, str]:
    """The picture, and where its values come from."""
    if not scenarios and config_file is None:
        try:
            told = request(paths(os.environ).socket_file, "preview", {"model": model, "theme": theme})
            return base64.b64decode(told), "live values"
        except NoDaemonError:
            pass
    if config_file is not None and is_missing(config_file):
        raise UsageError(f"there is no file {config_file}", init_command(config_file))
    config = load_config(config_file or paths(os.environ).config_file)
    chosen = _by_account(scenarios, config)
    said = ", ".join(dict.fromkeys(f"'{name}'" for name in chosen.values()))
    return _drawn(model or DEFAULT_MODEL, config, chosen, theme), f"sample account {said}"


def _drawn(model: str, config: Config, scenarios: Mapping[str, str], theme: str | None) -> bytes:
    from openbalance_hid.app.clock import Moment
    from openbalance_hid.app.tile_views import TileInputs  # here and below, so that live values and help need no Pillow
    from openbalance_hid.runtime.deck_picture import deck_png, panel_of, sample_snapshots

    at, wanted = _moment(os.environ), model_named(model)
    deck = config.decks[0] if config.decks else config.deck_for("")
    for problem in check_against_deck(deck, wanted.keys):
        click.echo(f"note: {problem}", err=True)
    moment = Moment(at, time.monotonic())
    known = TileInputs(sample_snapshots(config, scenarios, at))
    return deck_png(panel_of(config, deck, wanted, moment), known, wanted, moment, theme, config.theme)


def _by_account(scenarios: Sequence[str], config: Config) -> dict[str, str]:
    """Account -> scenario; the last word on each wins, and a plain name is for the accounts that have none of their own."""
    chosen = dict.fromkeys(config.accounts, NAMES[0])
    for account, _, name in sorted((each.rpartition("=") for each in scenarios), key=lambda parts: bool(parts[0])):
        if account and account not in config.accounts:
            raise UsageError(f"no account: {unknown(account, tuple(config.accounts))}", "openbalance-hid config show")
        chosen |= dict.fromkeys(config.accounts if not account else (account,), name)
    return chosen


def _moment(env: Mapping[str, str]) -> datetime:
    """Now, or what SOURCE_DATE_EPOCH says (https://reproducible-builds.org/specs/source-date-epoch/). Aware UTC."""
    text = env.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return datetime.now(UTC)
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) > LATEST_EPOCH_S:
        raise UsageError(f"SOURCE_DATE_EPOCH is '{text[:40]}', not whole seconds from 0 to {LATEST_EPOCH_S}", HELP)
    return datetime.fromtimestamp(int(text), UTC)
