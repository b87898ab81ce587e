"""`doctor`: check every known cause of problems, and print the command that fixes each."""

from __future__ import annotations

import json
import os
import sys
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


@click.command("doctor", short_help="Find problems, and the commands that fix them.")
@click.option("--json", "as_json_", is_flag=True, help="Print JSON, for programs.")
def doctor(as_json_: bool) -> int:
    """Check every known cause of problems, and print the command that fixes each.

    Without a failure the exit code is 0; otherwise it is the code of the first failure: 69, 77 or 78.
    """
    guard_memory()
    context = DoctorContext(os.environ, paths(os.environ), program_words(sys.argv[0], sys.executable))
    checks = []
    for check in run_checks(context):
        checks.append(check)
        if not as_json_:
            click.echo(mask_keys("\n".join(_lines(check))), color=True)
            sys.stdout.flush()
    if as_json_:
        click.echo(mask_keys(json.dumps(as_json(checks, __version__), indent=1, ensure_ascii=False)))
    else:
        click.echo(f"\n{_summary(checks)}")
    return exit_code(checks)


def _lines(check: Check) -> list[str]:
    word = in_colour(f"{check.verdict.value:8}", _COLOURS[check.verdict], sys.stdout, os.environ)
    about = f"{check.about}: " if check.about else ""
    lines = [f"{word} {check.name:{_NAME}}  {about}{escape_unprintable(check.found, keep_lines=False)}"]
    lines += [f"{'':8} {'':{_NAME}}  · {escape_unprintable(detail, keep_lines=False)}" for detail in check.details]
    if check.hint:
        lines.append(f"{'':8} {'':{_NAME}}  try: {escape_unprintable(check.hint, keep_lines=False)}")
    return lines


def _summary(checks: Sequence[Check]) -> str:
    counts = Counter(check.verdict for check in checks)
    parts = [
        f"{counts[each]} {each.value}{'s' if counts[each] != 1 else ''}"
        for each in (CheckStatus.FAILURE, CheckStatus.WARNING)
        if counts[each]
    ]
    return ", ".join(parts) if parts else "no problems found"
