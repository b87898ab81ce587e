"""Questions to the user on a terminal. Without a terminal nothing is asked, and each question has its own answer."""

from __future__ import annotations

import sys
from contextlib import suppress

import click


def is_interactive() -> bool:
    """Return whether a user can read a question and answer it."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def confirm(question: str, default: bool = True) -> bool:
    """Return the user's answer; Enter means `default`. Any other answer than yes or no repeats the question."""
    discard_typed()
    return click.confirm(question, default=default)


def discard_typed() -> None:
    """Discard what was typed or pasted before the question: the second line of a pasted key is no answer."""
    with suppress(ImportError, OSError, ValueError):  # not a terminal, or a system without termios
        import termios

        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
