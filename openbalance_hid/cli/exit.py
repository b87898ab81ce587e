"""How a command ends: exit code and words on stderr for everything that can go wrong. Nothing here knows any command.

An expected error is two lines: what, and the command that helps. Only a bug has a traceback, and it goes to the log or, where
no log is set up, into a file; never to the terminal.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TextIO

import click

from openbalance_hid.cli.journald import ERROR, leads_to_journal, marked
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import escape_unprintable

log = logging.getLogger(__name__)

UNEXPECTED = 1
USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # full disk, quota, a terminal that is gone

_RED = "\x1b[31m"
_PLAIN = "\x1b[0m"


def guarded(action: Callable[[], object]) -> int:
    """The exit code after `action`, with what went wrong said on stderr. An action that gives an int gives its exit code."""
    _prepare_streams()
    try:
        result = action()
        if sys.stdout is not None:  # None: started with it closed
            sys.stdout.flush()
    except OpenBalanceError as error:
        _say(error.message, error.hint)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.ClickException as error:
        return _usage(error)
    except click.Abort as error:
        return _aborted(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _pacify()
        return UNEXPECTED
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            return _unexpected(error)
        _pacify()
        _say(f"cannot write the output: {(error.strerror or '').lower()}")
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001 - the outermost edge: whatever comes this far is a bug, and is said to be one
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def coloured(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether colour is welcome: on a terminal that has it, unless NO_COLOR says otherwise (https://no-color.org)."""
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM", "dumb") != "dumb"


def _say(message: str, hint: str = "") -> None:
    head = f"{_RED}error:{_PLAIN}" if sys.stderr is not None and coloured(sys.stderr, os.environ) else "error:"
    lines = [f"{head} {_harmless(message)}"]
    if hint:
        lines.append(f"try: {_harmless(hint)}")
    text = "\n".join(lines)
    _to_stderr(marked(text, ERROR) if leads_to_journal(2, os.environ) else text)


def _to_stderr(text: str) -> None:
    if sys.stderr is not None:  # and not click.echo, which strips or keeps colour by rules of its own
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)  # noqa: T201


def _harmless(text: str) -> str:
    """Without keys, and without letters that could move a terminal's cursor: messages quote files and servers."""
    return escape_unprintable(mask_keys(text))


def _usage(error: click.ClickException) -> int:
    message = error.format_message().strip()
    context = getattr(error, "ctx", None)
    _say(message[:1].lower() + message[1:].removesuffix("."), f"{context.command_path} --help" if context else "")
    return error.exit_code


def _aborted(error: click.Abort) -> int:
    if isinstance(error.__cause__, EOFError):
        _say("nothing was typed")
        return USAGE
    return INTERRUPTED


def _unexpected(error: Exception) -> int:
    kept = _keep(mask_keys("".join(traceback.format_exception(error))))
    summary = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    _say(f"unexpected {summary}")
    _to_stderr(f"please report this, with the traceback {kept}")
    return UNEXPECTED


def _keep(text: str) -> str:
    """Puts the traceback where it can be found later; where that is, in words."""
    if logging.getLogger().handlers:
        log.error("unexpected error\n%s", text)
        return "in the log"
    from openbalance_hid.config.paths import paths
    from openbalance_hid.desktop.private_files import write_private

    try:
        places = paths(os.environ)
        file = places.private_dir(places.state_dir) / "last-crash.txt"
        write_private(file, text)
    except OpenBalanceError as error:
        return f"(which could not be kept: {error.message})"
    return f"in {file}"


def _prepare_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # a terminal without … or — still gets its answer
    package = logging.getLogger("openbalance_hid")
    if not package.handlers:
        package.addHandler(logging.NullHandler())  # what a command logs before any log is set up stays off the terminal


def _pacify() -> None:
    """Lets the interpreter flush at its end into nothing instead of into what does not take it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    os.close(nowhere)
