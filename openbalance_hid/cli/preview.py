"""`preview`: a picture of the whole deck, with live values if the daemon runs, else with sample accounts."""

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
from msgspec.structs import replace

from openbalance_hid.cli import completion_values
from openbalance_hid.cli.params import ChoiceParam, check_present, config_file_option, hint_for, not_one_of
from openbalance_hid.cli.terminal import STDOUT, write_output
from openbalance_hid.config.default_layout import check_against_deck
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import paths
from openbalance_hid.config.schema import Config
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.simulator.device.models import OFFERED, model_named
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS

DEFAULT_MODEL = "mk2"
DECK_FILE = "openbalance-preview.png"
NAMES = tuple(name for name, _ in SCENARIOS)
LATEST_EPOCH_S = 250_000_000_000  # in the year 9892: date arithmetic overflows after the year 9999
HELP = hint("options do not fit together", command="preview")


class _ScenarioParam(ChoiceParam):
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
        of_each = (
            [f"{account}={name}" for account in completion_values.configured_accounts() for name in NAMES] if incomplete else []
        )
        return names + [CompletionItem(text) for text in of_each if text.startswith(incomplete)]


@click.command(
    "preview",
    short_help="Draw the whole deck into a PNG file.",
    epilog="SOURCE_DATE_EPOCH (seconds since 1970) sets the time of sample accounts, for the same picture every time.",
)
@click.option("--model", type=ChoiceParam(OFFERED), help="Model of the deck; without it the connected one, else mk2.")
@config_file_option("Configuration file to use in place of the default one.")
@click.option(
    "--scenario",
    "scenarios",
    type=_ScenarioParam(NAMES),
    multiple=True,
    metavar="[ACCOUNT=]NAME",
    help=f"Sample account in place of live values: {', '.join(NAMES)}. May be repeated.",
)
@click.option("--theme", type=ChoiceParam(("dark", "light")), help="Theme of every tile, in place of the configured ones.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"PNG file to write, - for standard output; {DECK_FILE} without it.",
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
    write_output(file, picture)
    click.echo(f"{file}: {what}", err=file == STDOUT)


def _deck(model: str | None, config_file: Path | None, scenarios: Sequence[str], theme: str | None) -> tuple[bytes, str]:
    """Return the picture, and a description of the source of its values."""
    if not scenarios and config_file is None:
        try:
            live = request(paths(os.environ).socket_file, "preview", {"model": model, "theme": theme})
            return base64.b64decode(live), "live values"
        except NoDaemonError:
            pass
    check_present(config_file)
    with hint_for(config_file):
        config = load_config(config_file or paths(os.environ).config_file)
    chosen = _by_account(scenarios, config)
    names = ", ".join(dict.fromkeys(f"'{name}'" for name in chosen.values()))
    return _draw(model or DEFAULT_MODEL, config, chosen, theme), f"sample account {names}"


def _draw(model: str, config: Config, scenarios: Mapping[str, str], theme: str | None) -> bytes:
    from openbalance_hid.app.clock import Moment
    from openbalance_hid.app.tile_views import TileInputs  # here and below: live values and help need no Pillow
    from openbalance_hid.runtime.deck_picture import deck_png, new_deck, sample_snapshots
    from openbalance_hid.runtime.plugin_runner import answers

    at, shape = _moment(os.environ), model_named(model)
    deck = config.decks[0] if config.decks else config.deck_for("")
    moment = Moment(at, time.monotonic())
    state = new_deck(config, deck, shape, moment)
    for problem in check_against_deck(deck, shape.keys, only_half=state.shape.only_half_turns):
        click.echo(f"note: {problem}", err=True)
    known = TileInputs(sample_snapshots(config, scenarios, at))
    known = replace(known, plugins=answers(state.tiles().values(), known, moment))
    return deck_png(state, known, shape, moment, theme, config.theme)


def _by_account(scenarios: Sequence[str], config: Config) -> dict[str, str]:
    """Return account -> scenario. A plain NAME is for every account without an ACCOUNT=NAME; of several, the last one wins."""
    chosen = dict.fromkeys(config.accounts, NAMES[0])
    for account, _, name in sorted((each.rpartition("=") for each in scenarios), key=lambda parts: bool(parts[0])):
        if account and account not in config.accounts:
            raise UsageError(
                f"no such account: {not_one_of(account, tuple(config.accounts))}", hint("the account does not exist")
            )
        chosen |= dict.fromkeys(config.accounts if not account else (account,), name)
    return chosen


def _moment(env: Mapping[str, str]) -> datetime:
    """Return the time of SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), else now; aware UTC."""
    text = env.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return datetime.now(UTC)
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) > LATEST_EPOCH_S:
        raise UsageError(f"SOURCE_DATE_EPOCH is '{text[:40]}', not whole seconds from 0 to {LATEST_EPOCH_S}", HELP)
    return datetime.fromtimestamp(int(text), UTC)
