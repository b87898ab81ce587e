"""Output of a command: colour on a terminal, bytes to a file or to standard output, streams that are closed or limited."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import TextIO

from openbalance_hid.errors import OpenBalanceError, UsageError
from openbalance_hid.hints import hint

STDOUT = Path("-")

GREEN, YELLOW, RED = "\x1b[32m", "\x1b[33m", "\x1b[31m"
_RESET = "\x1b[0m"


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether this stream is a terminal, so that a reader and no program reads it."""
    return stream is not None and stream.isatty()


def in_colour(text: str, colour: str, stream: TextIO | None, env: Mapping[str, str]) -> str:
    """Return `text` in `colour` if `stream` is a terminal with colours, unless NO_COLOR is set (https://no-color.org)."""
    has_colour = is_terminal(stream) and env.get("TERM", "dumb") != "dumb"
    return f"{colour}{text}{_RESET}" if has_colour and not env.get("NO_COLOR") else text


def write_output(file: Path, content: bytes) -> None:
    """Write `content` to `file`, or to standard output for `-`. UsageError if the file cannot be written."""
    write_pieces(file, (content,))


def write_pieces(file: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces one by one, as `write_output`. The file is opened when the first one is there."""
    waiting = iter(pieces)
    first = next(waiting, b"")
    if file == STDOUT:
        if sys.stdout is not None:  # None: closed by the caller
            sys.stdout.buffer.writelines(chain([first], waiting))
        return
    try:
        with file.open("wb") as out:
            out.writelines(chain([first], waiting))
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {(error.strerror or str(error)).lower()}", hint("a file cannot be written", path=file.parent)
        ) from error


def prepare_streams() -> None:
    """Let the standard streams write any character: one without an encoding (… on a latin-1 terminal) becomes an escape.

    A closed one becomes /dev/null: else a file that is opened later gets its number, and what is printed is written there.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            _redirect_to_null(descriptor)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def discard_unwritable() -> None:
    """Redirect a standard stream that cannot be written to /dev/null: the interpreter's last flush would fail with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            _redirect_to_null(stream.fileno())
        except ValueError:  # closed
            continue


def discard_stdout() -> None:
    """Redirect standard output to /dev/null, so that the interpreter's last flush cannot fail."""
    _redirect_to_null(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)


def _redirect_to_null(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != descriptor:  # it is, where the descriptor was closed
        os.dup2(null, descriptor)
        os.close(null)
    os.set_inheritable(descriptor, True)  # a program that is started gets it


def sentence(error: OpenBalanceError) -> str:
    """Return the message of an error as a sentence, where the command goes on after it."""
    return f"{error.message[:1].upper()}{error.message[1:].removesuffix('.')}."


def is_interactive() -> bool:
    """Return whether a user can read a question and answer it."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)
