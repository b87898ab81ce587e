"""`run` and `demo`: the daemon in the foreground."""

from __future__ import annotations

import faulthandler
import logging
import os
from pathlib import Path

import click

from openbalance_hid.cli import completion_values as completing
from openbalance_hid.cli.journald import JournalFormatter, leads_to_journal
from openbalance_hid.cli.params import ChoiceParam, NumberParam, init_command, is_missing
from openbalance_hid.config.paths import Paths, paths
from openbalance_hid.desktop.process_hardening import guard_memory, remove_key_variables
from openbalance_hid.errors import OpenBalanceError, UsageError
from openbalance_hid.service.units import GIVE_UP_CODES
from openbalance_hid.simulator.device.models import OFFERED
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS

LEVELS = ("debug", "info", "warning", "error")
STDERR = 2
LOG_FORMAT = "%(levelname).1s %(name)s: %(message)s"  # a service manager adds the time
DEFAULT_MODEL = "mk2"

_log_level = click.option("--log-level", type=ChoiceParam(LEVELS), default="info", show_default=True, help="How much to say.")
_port = click.option(
    "--port", type=NumberParam(0, 65535), help="Port of the virtual deck's page: 8484 or the next free one; 0 picks one."
)
_no_browser = click.option("--no-browser", is_flag=True, help="Do not open the virtual deck's page.")


@click.command("run")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="Configuration in place of the usual one."
)
@click.option(
    "--deck",
    "decks",
    metavar="usb|virtual[:MODEL]",
    multiple=True,
    shell_complete=completing.decks,
    help="Which decks, usb where none is named; may be repeated.",
)
@_port
@_no_browser
@_log_level
@click.option("--launchd", is_flag=True, hidden=True, help="Leave with 0 where starting again would not help.")
def run(
    config_file: Path | None, decks: tuple[str, ...], port: int | None, no_browser: bool, log_level: str, launchd: bool
) -> None:
    """Run the daemon in the foreground."""
    from openbalance_hid.runtime.main import RunOptions
    from openbalance_hid.runtime.main import run as run_daemon

    set_up_log(log_level)
    guard_memory()
    faulthandler.enable()  # where the threads were, when a service manager's watchdog ends this; no values
    places = paths(os.environ)
    if config_file is not None:
        if is_missing(config_file):
            raise UsageError(f"there is no file {config_file}", init_command(config_file))
        places = places._replace(config_file=config_file.absolute())
    wanted = decks or ("usb",)
    wishes = RunOptions(places, "usb" in wanted, tuple(_model(deck) for deck in wanted if deck != "usb"), port, not no_browser)
    try:
        run_daemon(wishes, remove_key_variables(os.environ))
    except OpenBalanceError as error:
        if launchd and error.exit_code in GIVE_UP_CODES:
            error.exit_code = 0  # launchd starts whatever leaves with anything else again, for ever
        raise


@click.command("demo", short_help="Show a virtual deck in the browser, with a sample account.")
@click.option("--model", type=ChoiceParam(OFFERED), default=DEFAULT_MODEL, show_default=True, help="Which deck.")
@click.option(
    "--scenario",
    type=ChoiceParam([name for name, _ in SCENARIOS]),
    default=SCENARIOS[0][0],
    show_default=True,
    help="Which account.",
)
@_port
@_no_browser
@_log_level
def demo(model: str, scenario: str, port: int | None, no_browser: bool, log_level: str) -> None:
    """Show a virtual deck in the browser, fed by a sample account on this machine."""
    import tempfile

    from openbalance_hid.runtime.main import RunOptions, run_demo

    set_up_log(log_level)
    with tempfile.TemporaryDirectory(prefix="openbalance-demo-") as folder:
        runtime = os.environ.get("OPENBALANCE_RUNTIME_DIR")  # where `status` and `hold` look, when somebody wants them to
        places = Paths(Path(folder, "config.toml"), Path(folder, "state"), Path(runtime or Path(folder, "run")).absolute())
        run_demo(RunOptions(places, usb=False, virtual=(model,), port=port, open_browser=not no_browser), scenario)


def _model(deck: str) -> str:
    kind, _, model = deck.partition(":")
    if kind != "virtual":
        raise UsageError(
            f"cannot use the deck '{deck[:40]}': it is 'usb' or 'virtual:MODEL'", "openbalance-hid run --deck virtual"
        )
    return model or DEFAULT_MODEL


def set_up_log(level: str) -> None:
    """Logs on stderr from that level on, without what the libraries say below warnings."""
    stderr = logging.StreamHandler()
    stderr.setFormatter((JournalFormatter if leads_to_journal(STDERR, os.environ) else logging.Formatter)(LOG_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[stderr])
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its warnings quote what a server sent, which may be the key
    for noisy in ("websockets", "PIL", "keyring"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # their debug lines hold headers and addresses
