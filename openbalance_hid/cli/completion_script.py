"""`completion`: the completion script of a shell. Click renders the script and answers the shell.

Added here: an option and its value in one word (`--model=xl`), which each shell passes in its own way. The values of arguments
and options are in `completion_values`.
"""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete, add_completion_class

from openbalance_hid.cli.command_group import COMPLETE_VARIABLE
from openbalance_hid.cli.params import ChoiceParam

WORD_BREAKS = "=:"  # of COMP_WORDBREAKS (bash(1)): for readline each is a word, and it completes what follows the last


class _OneWordComplete(ShellComplete):
    """Completes `--option=value` as the value of the option, and returns the whole word."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        option, equals, value = incomplete.partition("=")
        if not (equals and option.startswith("--")):
            return super().get_completions(args, incomplete)
        return [_with_value(item, option + equals + item.value) for item in super().get_completions([*args, option], value)]


class _BashOneWord(_OneWordComplete, BashComplete):
    """Bash passes `--option=value` as three words and replaces the last one."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        joined: list[str] = []
        is_open = False  # whether the next word continues the last one
        for word in (*args, incomplete):
            is_break = word != "" and not word.strip(WORD_BREAKS)
            if joined and (is_open or is_break):
                joined[-1] += word
            else:
                joined.append(word)
            is_open = is_break
        return joined[:-1], joined[-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        kept = max(incomplete.rfind(letter) for letter in WORD_BREAKS) + 1
        return [_with_value(item, item.value[kept:]) for item in super().get_completions(args, incomplete)]


class _ZshOneWord(_OneWordComplete, ZshComplete):
    """Zsh passes whole words."""


class _FishOneWord(_OneWordComplete, FishComplete):
    """Fish passes whole words."""


SHELLS: dict[str, type[ShellComplete]] = {"bash": _BashOneWord, "zsh": _ZshOneWord, "fish": _FishOneWord}


def register() -> None:
    """Make click use these classes."""
    for shell in SHELLS.values():
        add_completion_class(shell)


def script(shell: str, program: str, command: click.Command) -> str:
    """Return the completion script, which the shell reads once."""
    # Not `source()`, which starts bash to find out its version.
    complete = SHELLS[shell](command, {}, program, COMPLETE_VARIABLE)
    return complete.source_template % complete.source_vars()


@click.command("completion", epilog="bash from 4.4 on. README.md lists the directory where each shell looks for it.")
@click.argument("shell", type=ChoiceParam(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    root = ctx.find_root()
    click.echo(script(shell, str(root.command.name), root.command), nl=False)


def _with_value(item: CompletionItem[str], value: str) -> CompletionItem[str]:
    return CompletionItem(value, type=item.type, help=item.help)
