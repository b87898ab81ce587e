"""`doctor`: check every known cause of problems, and print the command that fixes each."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence

import click

from openbalance_hid import __version__
from openbalance_hid.cli.terminal import GREEN, RED, YELLOW, in_colour
from openbalance_hid.config.paths import paths
from openbalance_hid.deck.udev_rules import program_words
from openbalance_hid.desktop.process_hardening import guard_memory
from openbalance_hid.secret import mask_keys
from openbalance_hid.service.doctor.check import Check, CheckStatus, as_json, exit_code
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.runner import run_checks
from openbalance_hid.text import escape_unprintable

_COLOURS = {CheckStatus.OK: GREEN, CheckStatus.WARNING: YELLOW, CheckStatus.FAILURE: RED}
_NAME = max(len(name) for name in ("configuration", "notifications"))
_MARGIN = " " * (8 + 1 + _NAME)


@click.command("doctor", short_help="Find problems, and the commands that fix them.")
@click.option("--json", "as_json_", is_flag=True, help="Print JSON, for programs.")
def doctor(as_json_: bool) -> int:
    """Check every known cause of problems, and print the command that fixes each.

    Without a failure the exit code is 0; otherwise it is the code of the first failure: 69, 77 or 78.
    """
    guard_memory()
    _prepare_hidapi()
    context = DoctorContext(os.environ, paths(os.environ), program_words(sys.argv[0], sys.executable))
    if not as_json_ and sys.stdout is not None and sys.stdout.isatty():
        click.echo("checking…", err=True)
    checks = list(run_checks(context))
    if as_json_:
        click.echo(mask_keys(json.dumps(as_json(checks, __version__), indent=1, ensure_ascii=False)))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
        lines = [*_first_step(checks), *(line for check in checks for line in _lines(check, width)), "", _summary(checks)]
        click.echo(mask_keys("\n".join(lines)), color=True)
    return exit_code(checks)


def _prepare_hidapi() -> None:
    """Call `prepare_hidapi`, because each check runs on a thread of its own. A missing package costs its check alone."""
    try:
        from openbalance_hid.deck.hid_module import prepare_hidapi
    except ImportError:
        return
    prepare_hidapi()


def _first_step(checks: Sequence[Check]) -> list[str]:
    """Return what to do first: the first failure's command, else the first warning's; nothing without either."""
    for verdict in (CheckStatus.FAILURE, CheckStatus.WARNING):
        for check in checks:
            if check.verdict is verdict and check.hint:
                reason = escape_unprintable(check.found, keep_lines=False)
                return [f"do first: {escape_unprintable(check.hint, keep_lines=False)}", f"because   {reason}", ""]
    return []


def _lines(check: Check, width: int | None) -> list[str]:
    """Return the lines of one check, wrapped to `width` columns; None: not wrapped. A command stays on one line."""
    word = in_colour(f"{check.verdict.value:8}", _COLOURS[check.verdict], sys.stdout, os.environ)
    about = f"{check.about}: " if check.about else ""
    first, *rest = _wrapped(f"{about}{escape_unprintable(check.found, keep_lines=False)}", width)
    lines = [f"{word} {check.name:{_NAME}}  {first}", *(f"{_MARGIN}  {line}" for line in rest)]
    for detail in check.details:
        first, *rest = _wrapped(escape_unprintable(detail, keep_lines=False), width)
        lines += [f"{_MARGIN}  · {first}", *(f"{_MARGIN}    {line}" for line in rest)]
    if check.hint:
        lines.append(f"{_MARGIN}  try: {escape_unprintable(check.hint, keep_lines=False)}")
    return lines


def _wrapped(text: str, width: int | None) -> list[str]:
    if width is None:
        return [text]
    room = max(20, width - len(_MARGIN) - 4)
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def _summary(checks: Sequence[Check]) -> str:
    counts = Counter(check.verdict for check in checks)
    parts = [
        f"{counts[each]} {each.value}{'s' if counts[each] != 1 else ''}"
        for each in (CheckStatus.FAILURE, CheckStatus.WARNING)
        if counts[each]
    ]
    return ", ".join(parts) if parts else "no problems found"
