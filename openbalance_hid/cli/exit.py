"""How a command ends: the exit code, and the message on standard error, for every exception.

An expected error prints two lines: what went wrong, and the command that helps. Only a bug has a traceback; it is written to
the log or, without a log, to a file, never to the terminal.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from openbalance_hid.cli.log_setup import ERROR, STDERR_FD, is_journal, with_priority
from openbalance_hid.cli.terminal import RED, discard_stdout, discard_unwritable, in_colour, prepare_streams
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import escape_unprintable

log = logging.getLogger(__name__)

UNEXPECTED = 1
USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as in a shell
READER_ENDED = 141  # 128 + SIGPIPE, as of every program at the start of a pipe
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)  # they end a program without a handler
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # full disk, quota, a terminal that is gone
_NO_MEMORY = ("cannot allocate memory", "failed to map segment")  # of the dynamic linker (dlerror(3))


class ReaderEndedError(Exception):
    """No program reads standard output any more. No OSError: click ends the program with 1 for those."""


def exit_on_signals() -> dict[signal.Signals, Any]:
    """Let each signal that would end the program at once raise SystemExit instead; return the handlers before.

    A signal that is ignored, as SIGHUP under nohup, stays ignored.
    """
    ending = [number for number in ENDING_SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    return {number: signal.signal(number, _exit_with) for number in ending}


def _exit_with(number: int, _: object) -> None:
    sys.exit(128 + number)  # as in a shell


def guarded(action: Callable[[], object]) -> int:
    """Run `action` and return the exit code; an int that it returns is its exit code. Errors are printed on stderr."""
    prepare_streams()
    try:
        return _exit_code(action)
    finally:
        discard_unwritable()


def _exit_code(action: Callable[[], object]) -> int:
    package = logging.getLogger("openbalance_hid")
    if not package.handlers:
        package.addHandler(logging.NullHandler())  # before a log is set up nothing is logged to the terminal
    try:
        result = action()
        if sys.stdout is not None:  # None: closed by the caller
            sys.stdout.flush()
    except OpenBalanceError as error:
        _print_error(error.message, error.hint)
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
    except (BrokenPipeError, ReaderEndedError):
        discard_stdout()
        return READER_ENDED
    except OSError as error:
        if _resource_of(error) or error.filename is not None or error.errno not in _UNWRITABLE:
            return _unexpected(error)
        discard_stdout()
        _print_error(f"cannot write the output: {(error.strerror or '').lower()}")
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001 - the outermost handler: anything else is a bug, and reported as one
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _print_error(message: str, hint: str = "") -> None:
    lines = [f"{in_colour('error:', RED, sys.stderr, os.environ)} {_safe(message)}"]
    if hint:
        lines.append(f"try: {_safe(hint)}")
    text = "\n".join(lines)
    _print_stderr(with_priority(text, ERROR) if is_journal(STDERR_FD, os.environ) else text)


def _print_stderr(text: str) -> None:
    if sys.stderr is not None:  # not click.echo, which removes colour by rules of its own
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)  # noqa: T201


def _safe(text: str) -> str:
    """Return `text` with API keys masked and control characters escaped: messages quote files and servers."""
    return escape_unprintable(mask_keys(text))


def _usage(error: click.ClickException) -> int:
    message = error.format_message().strip()
    context = getattr(error, "ctx", None)
    _print_error(message[:1].lower() + message[1:].removesuffix("."), f"{context.command_path} --help" if context else "")
    return error.exit_code


def _aborted(error: click.Abort) -> int:
    if isinstance(error.__cause__, EOFError):
        _print_error("nothing was entered")
        return USAGE
    return INTERRUPTED


def _unexpected(error: Exception) -> int:
    if resource := _resource_of(error):
        log.error("ended at a limit of the system", exc_info=error)
        _print_error(f"the system has no more {resource} for this program", hint(f"no more {resource}"))
        return UNEXPECTED
    where = _store_traceback(mask_keys("".join(traceback.format_exception(error))))
    summary = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    _print_error(f"unexpected {summary}")
    _print_stderr(f"please report this, with the traceback {where}")
    return UNEXPECTED


def _resource_of(error: Exception) -> str:
    """Return what the system has no more of, in words; empty for an error with another cause."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "file descriptors"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "threads"
    is_load = isinstance(error, ImportError) and any(words in str(error).lower() for words in _NO_MEMORY)
    is_no_memory = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    return "memory" if is_load or is_no_memory else ""


def _store_traceback(text: str) -> str:
    """Write the traceback to the log or to a file; return where, in words."""
    if logging.getLogger().handlers:
        log.error("unexpected error\n%s", text)
        return "in the log"
    from openbalance_hid.config.paths import paths
    from openbalance_hid.desktop.private_files import write_private

    try:
        where = paths(os.environ)
        file = where.private_dir(where.state_dir) / "last-crash.txt"
        write_private(file, text)
    except Exception as error:  # noqa: BLE001 - an error of the error handler would hide the first one
        return f"(which could not be stored: {getattr(error, 'message', None) or type(error).__name__})"
    return f"in {file}"
