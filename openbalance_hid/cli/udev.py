"""`udev`: the rules that let a user open a deck: print them, or print the one command that installs them.

On a terminal `install` offers to run the command. What it shows is everything that runs as root.
"""

from __future__ import annotations

import os
import shlex
import sys

import click

from openbalance_hid.cli.questions import confirm
from openbalance_hid.cli.terminal import is_interactive
from openbalance_hid.deck.udev_rules import (
    GROUP,
    RULES_DIRS,
    GroupMembership,
    RulesKind,
    RulesState,
    install_command,
    install_steps,
    installed_rules,
    program_words,
    render_rules,
    rules_name,
)
from openbalance_hid.errors import ServiceError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.service.subprocesses import run_in_terminal

_STATE_TEXT = {
    RulesState.MISSING: "The rules are not installed.",
    RulesState.DIFFERENT: "The rules are out of date: {file} differs from what this version prints.",
    RulesState.UNREADABLE: "The rules are out of date, or cannot be read: {file}",
    RulesState.CURRENT: "The rules are already installed: {file}",
}


@click.group()
def udev() -> None:
    """Let your user open the deck (Linux)."""


@udev.command("print", short_help="Print the rules.")
@click.option("--headless", is_flag=True, help=f"For a service or ssh: give access to the group {GROUP}.")
def print_rules(headless: bool) -> None:
    """Print the rules, which give access to the user who is logged in at the machine."""
    click.echo(render_rules(_kind(headless)), nl=False)


@udev.command(short_help="Print the one command that installs the rules.")
@click.option("--headless", is_flag=True, help=f"For a service or ssh: give access to the group {GROUP}.")
def install(headless: bool) -> None:
    """Print the one command that installs the rules. It needs root; printing it does not."""
    if sys.platform != "linux":
        raise UsageError(
            f"udev is part of Linux; on {_system()} a deck can be opened without it", hint("udev is not on this system")
        )
    kind = _kind(headless)
    member = _member() if headless else None
    state, file = installed_rules(kind, RULES_DIRS)
    click.echo(_STATE_TEXT[state].format(file=file))
    if state is RulesState.CURRENT and (member is None or member.is_member):
        click.echo("If a deck still cannot be opened, plug it in again.")
        return
    if member is not None and not member.is_member:
        click.echo(f"{member.user} is not in the group {GROUP} yet.")
    shown = install_command(kind, program_words(sys.argv[0], sys.executable), is_root=os.geteuid() == 0, member=member)
    click.echo(
        "This command installs them. Only its sudo parts run as root:\n" if os.geteuid() else "This command installs them:\n"
    )
    click.echo(shown)
    if is_interactive() and confirm("\nRun it now?"):
        for line in install_rules(kind, member):
            click.echo(line)
    else:
        click.echo("\nConnected decks can be opened afterwards. If one cannot, plug it in again.")
    if headless:
        click.echo(f"Log in again to be in the group; a service needs SupplementaryGroups={GROUP} and a restart.")


def install_rules(kind: RulesKind, member: GroupMembership | None = None) -> list[str]:
    """Install the rules: run, without a shell, what `install_command` shows. Return lines about the result.

    sudo asks for its password on the terminal. ServiceError when a program fails.
    """
    for words, text in install_steps(kind, is_root=os.geteuid() == 0, member=member):
        result = run_in_terminal(words, text)
        if not result.ok:
            raise ServiceError(f"{shlex.join(words)}: {result.reason}", hint("the udev rule is missing or old"))
    return [f"installed {RULES_DIRS[0] / 'rules.d' / rules_name(kind)}; if a deck still cannot be opened, plug it in again"]


def _kind(headless: bool) -> RulesKind:
    return RulesKind.HEADLESS if headless else RulesKind.DESKTOP


def _member() -> GroupMembership:
    """Return this user and whether the user is in the group; root needs no group."""
    import grp
    import pwd

    try:
        group = grp.getgrnam(GROUP)
    except KeyError:
        group = None
    try:
        user, gid = (entry := pwd.getpwuid(os.getuid())).pw_name, entry.pw_gid
    except KeyError:  # a user id without a name cannot be added to a group
        return GroupMembership(str(os.getuid()), group is not None, is_member=True)
    in_group = group is not None and (user in group.gr_mem or gid == group.gr_gid)
    return GroupMembership(user, group is not None, is_member=in_group or os.geteuid() == 0)


def _system() -> str:
    return "macOS" if sys.platform == "darwin" else sys.platform
