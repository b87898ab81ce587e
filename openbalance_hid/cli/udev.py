"""`udev`: the rules that let a user open a deck: print them, or say the one command that installs them.

Nothing here becomes root, starts a program or writes a file; who reads the command sees all that root is asked for.
"""

from __future__ import annotations

import os
import sys

import click

from openbalance_hid.deck.udev_rules import (
    GROUP,
    RULES_DIRS,
    GroupMembership,
    RulesKind,
    RulesState,
    install_command,
    installed_rules,
    program_words,
    render_rules,
)
from openbalance_hid.errors import UsageError

_ABOUT_NOW = {
    RulesState.MISSING: "The rules are not installed.",
    RulesState.DIFFERENT: "The rules are out of date: {file} differs from what this version prints.",
    RulesState.UNREADABLE: "The rules are out of date, or not to be read: {file}",
    RulesState.CURRENT: "The rules are already installed: {file}",
}


@click.group()
def udev() -> None:
    """Let your user open the deck (Linux)."""


@udev.command("print")
@click.option("--headless", is_flag=True, help=f"For a service or ssh: access for the group {GROUP}.")
def print_rules(headless: bool) -> None:
    """Print the rules: access for the person who sits at the machine."""
    click.echo(render_rules(_kind(headless)), nl=False)


@udev.command(short_help="Say the one command that installs the rules.")
@click.option("--headless", is_flag=True, help=f"For a service or ssh: access for the group {GROUP}.")
def install(headless: bool) -> None:
    """Say the one command that installs the rules; it asks for root, this does not."""
    if sys.platform != "linux":
        raise UsageError(f"udev is a part of Linux; {_system()} lets you open a deck without it", "openbalance-hid devices")
    kind = _kind(headless)
    member = _member() if headless else None
    state, file = installed_rules(kind, RULES_DIRS)
    click.echo(_ABOUT_NOW[state].format(file=file))
    if state is RulesState.CURRENT and (member is None or member.is_member):
        click.echo("If a deck is refused all the same, plug it in again.")
        return
    if member is not None and not member.is_member:
        click.echo(f"{member.user} is not in the group {GROUP} yet.")
    click.echo("This command does it; root is asked for by nothing else:\n" if os.geteuid() else "This command does it:\n")
    click.echo(install_command(kind, program_words(sys.argv[0], sys.executable), is_root=os.geteuid() == 0, member=member))
    click.echo("\nDecks that are plugged in may be opened from then on; plugging one in again also works.")
    if headless:
        click.echo(f"Log in again, or restart the service, to be in the group; a service has SupplementaryGroups={GROUP}.")


def _kind(headless: bool) -> RulesKind:
    return RulesKind.HEADLESS if headless else RulesKind.DESKTOP


def _member() -> GroupMembership:
    """Who runs this, and whether the group has him; root needs no group."""
    import grp
    import pwd

    try:
        group = grp.getgrnam(GROUP)
    except KeyError:
        group = None
    try:
        user, gid = (entry := pwd.getpwuid(os.getuid())).pw_name, entry.pw_gid
    except KeyError:  # a user id without a name: nobody could put it into a group
        return GroupMembership(str(os.getuid()), group is not None, is_member=True)
    has_him = group is not None and (user in group.gr_mem or gid == group.gr_gid)
    return GroupMembership(user, group is not None, is_member=has_him or os.geteuid() == 0)


def _system() -> str:
    return "macOS" if sys.platform == "darwin" else sys.platform
