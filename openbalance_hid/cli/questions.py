"""Questions with yes or no as their answer. Nothing else that is typed or pasted there is shown: it may be a key."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import click

from openbalance_hid.cli.exit import exit_on_signals

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
_ENTER, _ERASE, _END = b"\r\n", b"\x7f\x08", b"\x04"  # as a terminal sends them (termios(3)); _END: Ctrl-D
_LONGEST = max(map(len, _ANSWERS)) + 1  # characters of an answer that are kept; one more makes it no answer


def confirm(question: str, default: bool = True) -> bool:
    """Return the user's answer; Enter means `default`. Any other answer than yes or no repeats the question.

    Raises click.Abort at the end of the input.
    """
    if not sys.stdin.isatty():
        return click.confirm(question, default=default)
    while True:
        discard_typed()
        click.echo(f"{question} [{'Y/n' if default else 'y/N'}]: ", nl=False)
        with hidden_typing(whole_lines=False):
            answer = _read_answer().strip().lower()
        if not answer:
            return default
        if answer in _ANSWERS:
            return _ANSWERS[answer]
        click.echo("Please answer y or n.")


def discard_typed() -> None:
    """Discard what was typed or pasted before the question: the second line of a pasted key is no answer."""
    with suppress(ImportError, OSError, ValueError):  # not a terminal, or a system without termios
        import termios

        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


@contextmanager
def hidden_typing(whole_lines: bool = True) -> Iterator[None]:
    """Show nothing that is typed, until the end of the block. `whole_lines` False: each character can be read at once."""
    import termios

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    changed = [*before]
    changed[3] &= ~(termios.ECHO | (0 if whole_lines else termios.ICANON))
    handlers = exit_on_signals()  # so that the terminal shows again what is typed
    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, changed)
        yield
    finally:
        with suppress(OSError, termios.error):  # the terminal was closed
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@dataclass
class _Line:
    """The line that is being typed. Only what begins an answer is on the screen."""

    text: str = ""

    @property
    def shown(self) -> str:
        return self.text if any(answer.startswith(self.text.lower()) for answer in _ANSWERS) else ""

    def type(self, text: str) -> None:
        """Replace the text, and what is shown of it."""
        before = len(self.shown)
        self.text = text[:_LONGEST]
        click.echo("\b \b" * before + self.shown, nl=False)


def _read_answer() -> str:
    """Return a line from the terminal, at most `_LONGEST` characters of it."""
    line = _Line()
    while True:
        char = os.read(sys.stdin.fileno(), 1)
        if char in (b"", _END):
            raise click.Abort from EOFError()
        if char in _ENTER:
            click.echo()
            return line.text
        line.type(line.text[:-1] if char in _ERASE else line.text + char.decode("latin-1"))
