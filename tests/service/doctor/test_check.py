"""Verdicts and exit codes of a report."""

from __future__ import annotations

from openbalance_hid.service.doctor.check import CheckStatus, exit_code, failure, ok, overall, warning


def test_the_exit_code_comes_from_the_first_failure_and_never_from_a_warning():
    checks = [ok("a", ""), warning("b", ""), failure("c", "", "", 77), failure("d", "", "", 78)]
    assert (exit_code(checks), overall(checks)) == (77, CheckStatus.FAILURE)
    assert (exit_code(checks[:2]), overall(checks[:2])) == (0, CheckStatus.WARNING)
    assert (exit_code([]), overall([])) == (0, CheckStatus.OK)
