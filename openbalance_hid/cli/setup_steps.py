"""What `setup` offers after the key is stored, one question each: a configuration, the udev rule, the service.

Each step looks first whether something is missing, and returns lines for the user: what was done, or the command for later.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

import click

from openbalance_hid.cli.config import write_default
from openbalance_hid.cli.udev import install_rules
from openbalance_hid.config.paths import Paths
from openbalance_hid.deck.udev_rules import RULES_DIRS, RulesKind, RulesState, install_command, installed_rules, program_words
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import CONFIG_INIT, SERVICE_INSTALL, UDEV_INSTALL
from openbalance_hid.ipc.control_client import request
from openbalance_hid.service.install import homebrew_service, is_temporary, user_service


def refresh_daemon(account: str | None, places: Paths) -> bool:
    """Make a running daemon poll with what was stored now, not at its next poll; return whether one did. None: all accounts."""
    try:
        request(places.socket_file, "refresh", {"account": account}, timeout_s=2.0)
    except OpenBalanceError:  # no daemon, or it does not show this account
        return False
    return True


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One thing that is missing. `explanation`: lines before the question; `command`: does the same later.

    `needs_terminal`: sudo may ask for a password.
    """

    explanation: tuple[str, ...]
    question: str
    command: str
    act: Callable[[], list[str]]
    needs_terminal: bool = False


def missing_steps(places: Paths) -> Iterator[SetupStep]:
    """Yield what is missing on this machine, in the order of the questions. Each is looked for after the one before is done."""
    if not os.path.lexists(places.config_file):
        yield SetupStep(
            (f"There is no configuration yet. {places.config_file} would list every setting with its default.",),
            "Write it?",
            CONFIG_INIT,
            lambda: write_default(places.config_file),
        )
    if _needs_rules():
        command = install_command(RulesKind.DESKTOP, _program(), is_root=os.geteuid() == 0)
        yield SetupStep(
            ("Linux may refuse to open some Stream Decks until a udev rule is installed. This command installs it;",
             "only its sudo parts run as root:", "", f"  {command}", ""),
            "Run it now?",
            UDEV_INSTALL,
            lambda: install_rules(RulesKind.DESKTOP),
            needs_terminal=os.geteuid() != 0,
        )  # fmt: skip
    if _needs_service(places):
        yield SetupStep(
            ("The daemon does not run yet. As a service it runs now and starts at each login.",),
            "Install the service?",
            SERVICE_INSTALL,
            lambda: user_service(_program(), os.environ).install(),
        )


def offer(step: SetupStep, confirm: Callable[[str], bool], has_terminal: bool = True) -> bool:
    """Explain the step, and do it if the user agrees. Return whether it is done. A failure is printed, and setup goes on."""
    for line in step.explanation:
        click.echo(line)
    if (step.needs_terminal and not has_terminal) or not confirm(step.question):
        click.echo(f"later: {step.command}")
        return False
    try:
        for line in step.act():
            click.echo(line)
    except OpenBalanceError as error:
        click.echo(f"this did not work: {error.message}")
        click.echo(f"later: {error.hint or step.command}")
        return False
    return True


def daemon_runs(places: Paths) -> bool:
    """Return whether a daemon answers."""
    try:
        request(places.socket_file, "status", timeout_s=2.0)
    except OpenBalanceError:
        return False
    return True


def _needs_rules() -> bool:
    if sys.platform != "linux" or shutil.which("udevadm") is None:
        return False
    state, _ = installed_rules(RulesKind.DESKTOP, RULES_DIRS)
    return state is not RulesState.CURRENT


def _needs_service(places: Paths) -> bool:
    if daemon_runs(places) or (os.geteuid() == 0 and os.environ.get("SUDO_USER")) or is_temporary(PurePath(_program()[0])):
        return False
    if homebrew_service() is not None:  # a second one would end at once
        return False
    try:
        state = user_service(_program(), os.environ).state()
    except OpenBalanceError:  # neither systemd nor launchd answers
        return False
    return not (state.enabled and state.active)


def _program() -> tuple[str, ...]:
    return program_words(sys.argv[0], sys.executable)
