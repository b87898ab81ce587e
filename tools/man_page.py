"""The manual page, rendered from the commands; the tables here add exit codes, environment and files.

The format is man(7), which groff and mandoc both read.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

import click

from openbalance_hid import __version__

WRITTEN = "2026-11-30"  # when the text here was last reviewed

DESCRIPTION = """\
A daemon that opens an Elgato Stream Deck directly over USB HID and shows an OpenRouter account on its keys: balance, \
spend, models, and a spike alert. A tap on a key opens the matching page, a hold of two \
seconds refreshes."""

EXAMPLES = (
    ("openbalance-hid demo", "Try it without a deck and without a key."),
    ("openbalance-hid setup", "Store a Management key."),
    ("openbalance-hid service install", "Run the daemon as a service, now and at each login."),
    ("openbalance-hid config init", "Write a commented configuration to edit."),
)

EXIT_CODES = (
    ("0", "Done."),
    ("1", "Unexpected error: a bug, with a traceback in the log or in the named file; or the output cannot be written."),
    ("2", "The command line is wrong."),
    ("20", "A limit of the command guard is crossed."),
    ("21", "The data for guard is unknown, or older than four poll intervals."),
    ("69", "No daemon runs, no device is connected, or a required service does not answer."),
    ("75", "Another daemon is running."),
    ("77", "No key is stored, or permission is denied."),
    ("78", "The configuration has an error."),
    ("130", "Interrupted from the terminal."),
)

ENVIRONMENT = (
    ("OPENROUTER_MANAGEMENT_KEY", "The key of the default account; it takes precedence over stored keys."),
    ("OPENROUTER_MANAGEMENT_KEY_<ACCOUNT>", "The key of another account: its name in capitals, with _ for each hyphen."),
    ("CREDENTIALS_DIRECTORY", "Set by systemd(1): the credential openrouter-management-key[-<account>] in it is the key."),
    ("OPENBALANCE_CONFIG", "Path of the configuration file."),
    ("OPENBALANCE_STATE_DIR", "Folder for history and key files."),
    ("OPENBALANCE_RUNTIME_DIR", "Folder for the control socket."),
    ("OPENBALANCE_API_URL", "Address of the API: https, or http to a loopback address."),
    ("NO_COLOR", "If not empty: no colour in the output."),
    ("SOURCE_DATE_EPOCH", "Time of the sample accounts that preview draws, in seconds since 1970."),
)

FILES = (
    ("~/.config/openbalance-hid/config.toml", "The configuration. A running daemon applies changes at once."),
    ("~/.local/state/openbalance-hid/history.sqlite3", "The history of measured values."),
    ("~/.local/state/openbalance-hid/keys/", "Keys stored with --store file, mode 0600."),
    ("/run/user/UID/openbalance-hid/control.sock", "The control socket of the running daemon."),
    ("/etc/openbalance-hid/config.toml", "The configuration of the system service, for headless machines."),
    ("/etc/openbalance-hid/openrouter-management-key", "The key of the system service, readable by root only."),
)
ON_MACOS = "On macOS configuration and state are in ~/Library/Application Support/openbalance-hid."


def render_man_page(program: click.Group) -> str:
    """Return the manual page for `program` and all its commands."""
    name = str(program.name)
    context = click.Context(program, info_name=name, **program.context_settings)
    lines = [
        '.\\" Made by `make rendered`.',
        f'.TH {name.upper()} 1 {WRITTEN} "{name} {__version__}" "User Commands"',
        ".nh",  # no hyphenation of option names, no justification
        ".ad l",
        ".SH NAME",
        f"{_text(name)} \\- OpenRouter account on a Stream Deck",
        ".SH SYNOPSIS",
        f".B {_text(name)}",
        ".I command",
        "[options] [arguments]",
        ".SH DESCRIPTION",
        _text(DESCRIPTION),
        ".SH EXAMPLES",
        *_table(EXAMPLES),
        ".SH OPTIONS",
        *_options(program, context),
        ".SH COMMANDS",
        *_commands(program, context, ()),
        ".SH EXIT STATUS",
        *_table(EXIT_CODES),
        ".SH ENVIRONMENT",
        *_table(ENVIRONMENT),
        ".SH FILES",
        *_table(FILES),
        ".PP",
        _text(ON_MACOS),
        ".SH SEE ALSO",
        ".BR systemctl (1),",
        ".BR journalctl (1),",
        ".BR udev (7)",
    ]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, above: click.Context, path: tuple[str, ...]) -> Iterator[str]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        if command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=above, **command.context_settings)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield from _command(command, context, (*path, name))
        if isinstance(command, click.Group):
            yield from _commands(command, context, (*path, name))


def _command(command: click.Command, context: click.Context, path: tuple[str, ...]) -> Iterator[str]:
    arguments = [_argument(each) for each in command.get_params(context) if isinstance(each, click.Argument)]
    options = list(_options(command, context, with_help=False))
    yield f".SS {_text(' '.join([*path, *(['[options]'] if options else []), *arguments]))}"
    yield _text(command.help or "")
    yield from options
    note, _, examples = (command.epilog or "").partition("\b\nExamples:\n")
    if note.strip():
        yield ".PP"
        yield _text(note)
    if examples:
        yield from (".PP", "Examples:", ".PP", ".nf")
        yield from (f"  {_text(line)}" for line in examples.splitlines())
        yield ".fi"


def _options(command: click.Command, context: click.Context, with_help: bool = True) -> Iterator[str]:
    for option in command.get_params(context):
        if not isinstance(option, click.Option) or option.hidden or ("--help" in option.opts and not with_help):
            continue
        value = "" if option.is_flag or option.count else f" {_value(option)}"
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in sorted(option.opts, key=len))
        default = f" The default is {option.default}." if option.show_default and option.default is not None else ""
        yield ".TP"
        yield f"{names}{_italic(value)}"
        yield _text((option.help or "") + default) or "\\&"


def _value(parameter: click.Parameter) -> str:
    """Return the placeholder of the value: the choices, or a word."""
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(map(str, parameter.type.choices))
    return {"number": "N", "text": "TEXT"}.get(parameter.type.name, parameter.type.name).upper()


def _argument(argument: click.Argument) -> str:
    word = _value(argument) if isinstance(argument.type, click.Choice) else str(argument.name).upper()
    return word if argument.required else f"[{word}]"


def _italic(value: str) -> str:
    words = re.sub(r"[^|\s\[\]=]+", lambda word: f"\\fI{_text(word[0])}\\fR", value)
    return words.replace("|", "|\\:")  # where a long list may be broken


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in rows:
        yield from (".TP", f".B {_text(name)}", _text(text))


def _text(text: str) -> str:
    """Return the text escaped for roff, in ASCII."""
    flat = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    flat = "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in flat)
    lines = textwrap.wrap(flat, 78, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)
