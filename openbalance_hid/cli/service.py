"""`service`: the daemon as a service of the user's systemd or launchd; for a headless machine, the one command for root."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from openbalance_hid import __version__
from openbalance_hid.cli.params import NumberParam
from openbalance_hid.cli.terminal import GREEN, RED, in_colour
from openbalance_hid.config.paths import home_dir, paths
from openbalance_hid.deck.udev_rules import RULES_DIRS, RulesKind, install_command, program_words, rules_name, write_command
from openbalance_hid.errors import NoDaemonError, OpenBalanceError, ServiceError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.secret import PREFIX
from openbalance_hid.service.install import (
    SYSTEM_FILE,
    installed_service,
    launchd_log_file,
    require_no_homebrew_service,
    require_permanent_program,
    service_environment,
    unreadable_by_agent,
    user_service,
)
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

HEADLESS_STATE = "/var/lib/private/openbalance-hid /var/lib/openbalance-hid"  # the second is a link to the first

_headless = click.option("--headless", is_flag=True, help="For a headless machine: a system service with a user of its own.")


@click.group(short_help="Run the daemon as a service.")
def service() -> None:
    """Run the daemon as a service, which starts by itself and restarts after a failure."""


@service.command(short_help="Install and start the service.")
@_headless
def install(headless: bool) -> None:
    """Install and start the service of this user; with --headless, print the one command for root."""
    require_permanent_program(_program())
    if headless:
        _print_headless_setup()
        return
    if os.geteuid() == 0 and os.environ.get("SUDO_USER"):
        raise UsageError(
            "with sudo the service would be root's: run this as your user", hint("the service would belong to root")
        )
    require_no_homebrew_service()
    for folder in unreadable_by_agent((Path(_program()[0]), Path(sys.prefix), paths(os.environ).config_file)):
        click.echo(
            f"note: macOS lets a service read {folder} only where you permit it for Python: System Settings > "
            "Privacy & Security > Full Disk Access"
        )
    for line in _user_service().install(restart=_daemon_is_outdated()):
        click.echo(line)
    if os.environ.get("OPENBALANCE_API_URL"):
        click.echo("the service sends its requests to OpenRouter: OPENBALANCE_API_URL is not written into a unit")


@service.command()
@_headless
def uninstall(headless: bool) -> None:
    """Stop the service and remove it."""
    if headless:
        _print_headless_removal()
        return
    for line in _user_service().uninstall():
        click.echo(line)


@service.command()
def status() -> None:
    """Show the state of the service; exit code 69 if it does not run."""
    state = installed_service(_program(), os.environ).state()
    summary = in_colour(state.summary, GREEN if state.active else RED, sys.stdout, os.environ)
    click.echo(f"service   {summary}{f', process {state.pid}' if state.pid else ''}", color=True)
    click.echo(f"unit      {state.file or 'not installed'}")
    click.echo(f"starts    {'by itself' if state.enabled else 'not by itself'}")
    if state.active:
        return
    if state.file is None or not state.enabled:
        words = "the service is not installed" if state.file is None else "the service does not start by itself"
        raise NoDaemonError(words, hint("the service does not run", "service status"))
    raise NoDaemonError(
        "the service does not run",
        hint("the service does not run" if state.stopped else "the service failed", "service status"),
    )


@service.command()
@click.option("--lines", "-n", type=NumberParam(1, 100_000), default=50, show_default=True, help="Number of lines to show.")
@click.option("--follow", "-f", is_flag=True, help="Also show new lines, until Ctrl-C.")
def logs(lines: int, follow: bool) -> None:
    """Show the log of the service."""
    sys.stdout.flush()
    command = installed_service(_program(), os.environ).logs_command(lines, follow)
    result = run_in_terminal(command)
    if not result.ok and not result.was_stopped:
        raise ServiceError(
            f"cannot show the log: {result.reason}", hint("the log cannot be shown", program=shlex.join(command))
        )


@service.command("print")
@_headless
def print_unit(headless: bool) -> None:
    """Print the unit file that `install` writes."""
    if headless:
        click.echo(render_system_unit(_program(), {}), nl=False)
    elif sys.platform == "darwin":
        click.echo(render_agent(_program(), str(launchd_log_file()), service_environment(os.environ)), nl=False)
    else:
        click.echo(render_user_unit(_program(), service_environment(os.environ)), nl=False)


def _user_service() -> UserService:
    return user_service(_program(), os.environ)


def _daemon_is_outdated() -> bool:
    """Return whether the running daemon has another version: an upgrade changes the program, rarely the unit."""
    try:
        return bool(request(paths(os.environ).socket_file, "status", timeout_s=2.0)["version"] != __version__)
    except OpenBalanceError:
        return False


def _program() -> tuple[str, ...]:
    return program_words(sys.argv[0], sys.executable)


def _sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _print_headless_removal() -> None:
    """Print the command that removes the service, and the one that removes the user's files."""
    sudo, rules = _sudo(), RULES_DIRS[0] / "rules.d" / rules_name(RulesKind.HEADLESS)
    click.echo(
        f"{sudo}systemctl disable --now {UNIT} && {sudo}rm -f {SYSTEM_FILE} {rules} && {sudo}systemctl daemon-reload\n\n"
        f"Key, configuration and history stay. To remove them as well: {sudo}rm -r {ETC} {HEADLESS_STATE}"
    )


def _print_headless_setup() -> None:
    """Print the one command that sets up the service of a headless machine. Nothing is written here."""
    program = _program()
    if sys.platform != "linux":
        raise UsageError("a headless service needs Linux with systemd", hint("a headless service needs Linux"))
    home = home_dir()
    if Path(program[0]).is_relative_to(home) and home != Path("/"):
        raise UsageError(
            f"the service's user cannot start {program[0]}: it is in your home directory",
            hint("the service's user cannot start the program"),
        )
    sudo, root = _sudo(), os.geteuid() == 0
    key, unit = f"{ETC}/{CREDENTIAL}", shlex.join([*program, "service", "print", "--headless"])
    steps = [
        _key_command(key, sudo),  # first: after a cancelled prompt nothing is written
        _with_sh(f"getent group {GROUP} >/dev/null || {sudo}groupadd --system {GROUP}"),
        install_command(RulesKind.HEADLESS, program, is_root=root),
        write_command(unit, str(SYSTEM_FILE), sudo),
        f"{sudo}systemctl daemon-reload",
        f"{sudo}systemctl enable {UNIT}",
        f"{sudo}systemctl restart {UNIT}",  # one that runs has the key and the program of its start
    ]
    click.echo(f"The key goes to {key}, the configuration is {ETC}/config.toml.")
    click.echo("Run this command. Only its sudo parts run as root:\n" if not root else "Run this command:\n")
    click.echo(" && \\\n  ".join(steps))
    click.echo("\nTo see its state: sudo OPENBALANCE_RUNTIME_DIR=/run/openbalance-hid openbalance-hid status")
    click.echo("If a deck still cannot be opened, plug it in again.")  # an access list of the seat overrides the new group


def _key_command(file: str, sudo: str) -> str:
    """Return the shell command that reads the key and writes it as root; after any failure the file is unchanged.

    The key is in no program's arguments: `case` and `printf` are the shell's own. A new file replaces the old one when it is
    complete: the disk may be full.
    """
    writing = f"umask 077; cat >{file}.new && mv -f {file}.new {file} || {{ rm -f {file}.new; exit 1; }}"
    script = (
        'key=$(systemd-ask-password "Management key:") && '
        f"case $key in *[!A-Za-z0-9_-]*) false;; {PREFIX}????????*) {sudo}install -d -m 755 {ETC} && "
        f'printf "%s\\n" "$key" | {sudo}sh -c "{writing}";; *) false;; esac || '
        '{ echo "no OpenRouter key was written; nothing was changed" >&2; exit 1; }'
    )
    return _with_sh(script)


def _with_sh(script: str) -> str:
    return f"sh -c {shlex.quote(script)}"  # the user's shell may be fish
