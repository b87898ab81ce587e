"""`service`: the daemon as a service of the user's systemd or launchd; without a seat, the one command for root."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from openbalance_hid import __version__
from openbalance_hid.cli.params import NumberParam
from openbalance_hid.config.paths import home_dir, paths
from openbalance_hid.deck.udev_rules import RULES_DIRS, RulesKind, install_command, program_words, rules_name
from openbalance_hid.errors import NoDaemonError, OpenBalanceError, ServiceError, UsageError
from openbalance_hid.ipc.control_client import request
from openbalance_hid.service.install import SYSTEM_FILE, launchd_log_file, service_environment, user_service
from openbalance_hid.service.manager import UserService
from openbalance_hid.service.subprocesses import run_in_terminal
from openbalance_hid.service.units import (
    CREDENTIAL,
    ETC,
    GROUP,
    UNIT,
    render_agent,
    render_system_unit,
    render_user_unit,
)

HEADLESS_STATE = "/var/lib/private/openbalance-hid /var/lib/openbalance-hid"  # the second one is a link to the first

_headless = click.option("--headless", is_flag=True, help="For a machine without a seat: a system service with its own user.")


@click.group(short_help="Have the daemon start by itself, and again when it fails.")
def service() -> None:
    """Run the daemon as a service: it starts by itself, and again when it fails."""


@service.command(short_help="Install and start it.")
@_headless
def install(headless: bool) -> None:
    """Install and start the service of this user; with --headless say the one command for root."""
    if headless:
        _say_headless()
        return
    if os.geteuid() == 0 and os.environ.get("SUDO_USER"):
        raise UsageError("the service belongs to a user, and this would be root's", "openbalance-hid service install")
    for line in _here().install(restart=_another_version_runs()):
        click.echo(line)


@service.command()
@_headless
def uninstall(headless: bool) -> None:
    """Stop the service and remove it."""
    if headless:
        _say_headless_away()
        return
    for line in _here().uninstall():
        click.echo(line)


@service.command()
def status() -> None:
    """How the service is; exit code 69 when it does not run."""
    state = _here().state()
    click.echo(f"service   {state.summary}{f', process {state.pid}' if state.pid else ''}")
    click.echo(f"unit      {state.file or 'not installed'}")
    click.echo(f"starts    {'by itself' if state.enabled else 'not by itself'}")
    if state.active:
        return
    if state.file is None or not state.enabled:
        raise NoDaemonError("the service is not installed", "openbalance-hid service install")
    raise NoDaemonError("the service does not run", f"openbalance-hid service {'install' if state.stopped else 'logs'}")


@service.command()
@click.option("--lines", "-n", type=NumberParam(1, 100_000), default=50, show_default=True, help="How many of the last.")
@click.option("--follow", "-f", is_flag=True, help="And what comes, until Ctrl-C.")
def logs(lines: int, follow: bool) -> None:
    """Show what the service has said."""
    sys.stdout.flush()
    words = _here().logs_command(lines, follow)
    ended = run_in_terminal(words)
    if not ended.ok and not ended.was_stopped:
        raise ServiceError(f"cannot show the log: {ended.reason}", shlex.join(words))


@service.command("print")
@_headless
def print_unit(headless: bool) -> None:
    """Print the unit that `install` puts into place."""
    if headless:
        click.echo(render_system_unit(_program(), {}), nl=False)
    elif sys.platform == "darwin":
        click.echo(render_agent(_program(), str(launchd_log_file()), service_environment(os.environ)), nl=False)
    else:
        click.echo(render_user_unit(_program(), service_environment(os.environ)), nl=False)


def _here() -> UserService:
    return user_service(_program(), os.environ)


def _another_version_runs() -> bool:
    """Whether the daemon is one from before an upgrade, which changes the program and rarely the unit."""
    try:
        return bool(request(paths(os.environ).socket_file, "status", timeout_s=2.0)["version"] != __version__)
    except OpenBalanceError:
        return False


def _program() -> tuple[str, ...]:
    return program_words(sys.argv[0], sys.executable)


def _sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _say_headless_away() -> None:
    """What undoes it, but for what is the owner's."""
    sudo, rules = _sudo(), RULES_DIRS[0] / "rules.d" / rules_name(RulesKind.HEADLESS)
    click.echo(
        f"{sudo}systemctl disable --now {UNIT} && {sudo}rm -f {SYSTEM_FILE} {rules} && {sudo}systemctl daemon-reload\n\n"
        f"Key, configuration and history stay. To remove them as well: {sudo}rm -r {ETC} {HEADLESS_STATE}"
    )


def _say_headless() -> None:
    """The one command that sets up the service of a machine without a seat. Nothing is written here."""
    program = _program()
    if sys.platform != "linux":
        raise UsageError("a service without a seat is for Linux with systemd", "openbalance-hid service install")
    home = home_dir()
    if Path(program[0]).is_relative_to(home) and home != Path("/"):
        raise UsageError(
            f"the service would have a user of its own, who cannot start {program[0]}",
            "sudo pipx install --global openbalance-hid",
        )
    sudo, root = _sudo(), os.geteuid() == 0
    key, unit = f"{ETC}/{CREDENTIAL}", shlex.join([*program, "service", "print", "--headless"])
    steps = [
        f"{sudo}install -d -m 755 {ETC}",
        f"systemd-ask-password 'Management key:' | {sudo}install -m 600 /dev/stdin {key}",
        f"getent group {GROUP} >/dev/null || {sudo}groupadd --system {GROUP}",
        install_command(RulesKind.HEADLESS, program, is_root=root),
        f"{unit} > {SYSTEM_FILE}" if root else f"{unit} | sudo tee {SYSTEM_FILE} >/dev/null",
        f"{sudo}systemctl daemon-reload",
        f"{sudo}systemctl enable --now {UNIT}",
    ]
    click.echo(f"The key goes to {key}, the configuration is {ETC}/config.toml.")
    click.echo("This command does it; root is asked for by nothing else:\n" if not root else "This command does it:\n")
    click.echo(" && \\\n  ".join(step if "||" not in step else f"{{ {step}; }}" for step in steps))
    click.echo("\nTo ask it: sudo OPENBALANCE_RUNTIME_DIR=/run/openbalance-hid openbalance-hid status")
    click.echo("If a deck is refused all the same, plug it in again.")  # an access list for the seat outlasts the new group
