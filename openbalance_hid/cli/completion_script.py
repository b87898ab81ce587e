"""`completion`: the script that makes a shell complete this command. Click writes it and answers it; what it offers is said
where each command is, and in `completing`.

Here is what click leaves to do: an option and its value in one word (`--model=xl`), which each shell hands over in its own way.
"""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete, add_completion_class

from openbalance_hid.cli import COMPLETE_VARIABLE
from openbalance_hid.cli.params import ChoiceParam

BREAKS = "=:"  # of COMP_WORDBREAKS (bash(1)): readline makes each a word, and completes what stands behind the last one


class _InOneWord(ShellComplete):
    """Completes `--option=value` as the value of the option, and offers the whole word."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        option, equals, value = incomplete.partition("=")
        if not (equals and option.startswith("--")):
            return super().get_completions(args, incomplete)
        return [_as(item, option + equals + item.value) for item in super().get_completions([*args, option], value)]


class Bash(_InOneWord, BashComplete):
    """Bash hands over `--option=value` as three words, and replaces the last one."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        joined: list[str] = []
        is_open = False  # whether the next word goes on where the last one ended
        for word in (*args, incomplete):
            is_break = word != "" and not word.strip(BREAKS)
            if joined and (is_open or is_break):
                joined[-1] += word
            else:
                joined.append(word)
            is_open = is_break
        return joined[:-1], joined[-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        kept = max(incomplete.rfind(letter) for letter in BREAKS) + 1
        return [_as(item, item.value[kept:]) for item in super().get_completions(args, incomplete)]


class Zsh(_InOneWord, ZshComplete):
    """Zsh hands over whole words."""


class Fish(_InOneWord, FishComplete):
    """Fish hands over whole words."""


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """From now on click answers the shells through these classes."""
    for shell in SHELLS.values():
        add_completion_class(shell)


def script(shell: str, program: str, command: click.Command) -> str:
    """What the shell is to read, once."""
    # And not `source()`, which starts bash to ask for its version.
    completing = SHELLS[shell](command, {}, program, COMPLETE_VARIABLE)
    return completing.source_template % completing.source_vars()


@click.command("completion", epilog="bash from 4.4 on; README says where each shell looks for it.")
@click.argument("shell", type=ChoiceParam(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    root = ctx.find_root()
    click.echo(script(shell, str(root.command.name), root.command), nl=False)


def _as(item: CompletionItem[str], value: str) -> CompletionItem[str]:
    return CompletionItem(value, type=item.type, help=item.help)
