"""The command line. The module of a command is imported when the command is called, so that a small one starts fast."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from openbalance_hid import __version__
from openbalance_hid.cli.examples import add_examples
from openbalance_hid.cli.exit import ReaderEndedError, guarded
from openbalance_hid.text import did_you_mean

COMPLETE_VARIABLE = "_OPENBALANCE_HID_COMPLETE"  # set by a shell's completion script; click derives it from the program's name

# Command -> its module and attribute, in the order of the help.
COMMANDS = {
    "setup": "openbalance_hid.cli.setup:setup",
    "accounts": "openbalance_hid.cli.accounts:accounts",
    "keys": "openbalance_hid.cli.keys:keys",
    "run": "openbalance_hid.cli.run:run",
    "demo": "openbalance_hid.cli.run:demo",
    "preview": "openbalance_hid.cli.preview:preview",
    "identify": "openbalance_hid.cli.control:identify",
    "brightness": "openbalance_hid.cli.deck_control:brightness",
    "release": "openbalance_hid.cli.deck_control:release",
    "take": "openbalance_hid.cli.deck_control:take",
    "devices": "openbalance_hid.cli.devices:devices",
    "tiles": "openbalance_hid.cli.tile_list:tiles",
    "status": "openbalance_hid.cli.control:status",
    "refresh": "openbalance_hid.cli.control:refresh",
    "press": "openbalance_hid.cli.control:press",
    "hold": "openbalance_hid.cli.control:hold",
    "page": "openbalance_hid.cli.control:page",
    "reload": "openbalance_hid.cli.control:reload",
    "stop": "openbalance_hid.cli.control:stop",
    "bar": "openbalance_hid.cli.bar.bar_command:bar",
    "guard": "openbalance_hid.cli.guard:guard",
    "export": "openbalance_hid.cli.export:export",
    "report": "openbalance_hid.cli.report:report",
    "alerts": "openbalance_hid.cli.alert_list:alerts",
    "config": "openbalance_hid.cli.config:config",
    "service": "openbalance_hid.cli.service:service",
    "udev": "openbalance_hid.cli.udev:udev",
    "doctor": "openbalance_hid.cli.doctor:doctor",
    "simulate": "openbalance_hid.cli.simulate:simulate",
    "completion": "openbalance_hid.cli.completion_script:completion",
}


class LazyGroup(click.Group):
    """A group that imports its commands from a table of "module:attribute", and ends the process by the rules of `exit`."""

    def __init__(self, *args: Any, table: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        gc.enable()  # see `__main__`
        assert isinstance(command, click.Command)  # noqa: S101 - anything else in the table is a bug
        add_examples(command, cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.table and not args[0].startswith("-"):
            raise click.UsageError(f"no such command: '{args[0]}'{did_you_mean(args[0], self.table)}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments; this prints the help and the version."""
        with _pipes_noticed():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of the context."""
        with _pipes_noticed():
            return super().invoke(ctx)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """Run a command and raise SystemExit with its exit code."""
        kwargs["standalone_mode"] = False
        if COMPLETE_VARIABLE in os.environ:
            import_module("openbalance_hid.cli.completion_script").register()
        sys.exit(guarded(lambda: super(LazyGroup, self).main(args, prog_name or self.name, **kwargs)))


@contextmanager
def _pipes_noticed() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderEndedError from error


@click.group(
    "openbalance-hid",
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="openbalance-hid", message="%(prog)s %(version)s")
def main() -> None:
    """Live gauges of an OpenRouter account on a Stream Deck."""


add_examples(main, "")
