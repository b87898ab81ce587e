"""`run` and `demo`: the daemon in the foreground, on real or on virtual decks."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from openbalance_hid.cli import completion_values
from openbalance_hid.cli.exit import ENDING_SIGNALS, exit_on_signals
from openbalance_hid.cli.log_setup import set_up_log
from openbalance_hid.cli.params import ChoiceParam, NumberParam, check_present, config_file_option, hint_for, log_level_option
from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import Paths, absolute, paths
from openbalance_hid.config.private_directory import check_private
from openbalance_hid.desktop.process_hardening import guard_memory, remove_key_variables
from openbalance_hid.errors import ConfigError, OpenBalanceError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.service.units import GIVE_UP_CODES
from openbalance_hid.simulator.device.models import OFFERED
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS

log = logging.getLogger(__name__)

SWITCH_S = 0.0005  # a press waits for no other thread longer than this; as shipped, 5 ms
DEFAULT_MODEL = "mk2"

_port = click.option(
    "--port", type=NumberParam(0, 65535), help="Port of the virtual deck's page: 8484 or the next free one; 0 picks one."
)
_no_browser = click.option("--no-browser", is_flag=True, help="Do not open the virtual deck's page.")


@click.command("run")
@config_file_option("Configuration file to use in place of the default one.")
@click.option(
    "--deck",
    "decks",
    metavar="usb|virtual[:MODEL]",
    multiple=True,
    shell_complete=completion_values.decks,
    help="Decks to use: usb, or a virtual one. May be repeated; usb without it.",
)
@_port
@_no_browser
@log_level_option
@click.option("--launchd", is_flag=True, hidden=True, help="Exit with 0 where a restart would not help.")
def run(
    config_file: Path | None, decks: tuple[str, ...], port: int | None, no_browser: bool, log_level: str, launchd: bool
) -> int:
    """Run the daemon in the foreground."""
    if not launchd:
        _run(config_file, decks, port, no_browser, log_level, None)
        return 0
    from openbalance_hid.service.install import open_log_file

    try:
        _run(config_file, decks, port, no_browser, log_level, open_log_file())
    except OpenBalanceError as error:
        log.error("%s%s", error.message, f" – try: {error.hint}" if error.hint else "")  # with a time, unlike other commands
        return 0 if error.exit_code in GIVE_UP_CODES else error.exit_code  # after others launchd starts it again, for ever
    return 0


def _run(
    config_file: Path | None, decks: tuple[str, ...], port: int | None, no_browser: bool, log_level: str, log_file: Path | None
) -> None:
    with _uncollected():
        from openbalance_hid.deck.hid_module import prepare_hidapi
        from openbalance_hid.runtime.main import RunOptions
        from openbalance_hid.runtime.main import run as run_daemon

    set_up_log(log_level, log_file)
    guard_memory()
    sys.setswitchinterval(SWITCH_S)
    # Prints the event loop's stack, without values, when the service manager's watchdog aborts. Only that one: reading the
    # stack of a thread that runs meanwhile can crash, and the process would end without either.
    faulthandler.enable(all_threads=False)
    move_old_state(os.environ)
    places = paths(os.environ)
    check_present(config_file)
    if config_file is not None:
        places = places._replace(config_file=config_file.absolute())
    chosen = decks or ("usb",)
    if "usb" in chosen:
        prepare_hidapi()
    options = RunOptions(places, "usb" in chosen, tuple(_model(deck) for deck in chosen if deck != "usb"), port, not no_browser)
    with hint_for(config_file):
        run_daemon(options, remove_key_variables(os.environ))


@click.command("demo", short_help="Run a virtual deck in the browser, with a sample account.")
@click.option("--model", type=ChoiceParam(OFFERED), default=DEFAULT_MODEL, show_default=True, help="Model of the deck.")
@click.option(
    "--scenario",
    type=ChoiceParam([name for name, _ in SCENARIOS]),
    default=SCENARIOS[0][0],
    show_default=True,
    help="Sample account to show.",
)
@config_file_option("Configuration file with the deck to show, in place of the default layout.")
@_port
@_no_browser
@log_level_option
def demo(model: str, scenario: str, config_file: Path | None, port: int | None, no_browser: bool, log_level: str) -> None:
    """Run a virtual deck in the browser, with a sample account on this machine.

    With --config the programs and pages of that file are used, and no account, alert, broker or port of it.
    """
    with _uncollected():
        from openbalance_hid.runtime.demo import run_demo
        from openbalance_hid.runtime.main import RunOptions

    set_up_log(log_level)
    check_present(config_file)
    with _temporary_directory() as folder:
        runtime = os.environ.get("OPENBALANCE_RUNTIME_DIR")  # set: `status` and `hold` reach this daemon there
        file = Path(folder, "config.toml") if config_file is None else config_file.absolute()
        places = Paths(file, Path(folder, "state"), absolute(runtime or f"{folder}/run"))
        with hint_for(config_file):
            run_demo(RunOptions(places, usb=False, virtual=(model,), port=port, open_browser=not no_browser), scenario)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Import without looking for garbage, and never look for it in what was imported: it is used until the end."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@contextmanager
def _temporary_directory() -> Iterator[str]:
    import tempfile

    exit_on_signals()  # each removes the directory, also before the daemon has its own handlers
    # Blocked: a signal between the making of the directory and `made` would leave it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDING_SIGNALS, signal.SIGINT))
    try:
        made = tempfile.TemporaryDirectory(prefix="openbalance-demo-", ignore_cleanup_errors=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"cannot create a temporary directory: {reason}", hint("no temporary directory can be made", path=Path.home())
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with made as folder:
        try:
            check_private(Path(folder))
        except ConfigError as error:
            raise ConfigError(error.message, hint("no temporary directory can be made", path="/tmp")) from error  # noqa: S108 - a command for the user
        yield folder


def _model(deck: str) -> str:
    kind, _, model = deck.partition(":")
    if kind != "virtual":
        raise UsageError(f"not a deck: '{deck[:40]}'; use 'usb' or 'virtual:MODEL'", hint("no such kind of deck"))
    return model or DEFAULT_MODEL
