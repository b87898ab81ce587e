"""The doctor's rows about the programs that the configuration names."""

from __future__ import annotations

from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.program_checks import assess_programs
from tests.service.doctor.doctor_context import doctor_context, single_result


def test_without_programs_one_row_says_so(tmp_path):
    result = single_result(doctor_context(tmp_path), "programs")
    assert (result.verdict, result.found) == (CheckStatus.OK, "the configuration names none")


def test_programs_that_can_be_run_share_a_row_without_their_arguments():
    (row,) = assess_programs([("/bin/sh", "-c", "T0PSECRET"), ("/bin/cat",), ("/bin/sh", "-e")])
    assert (row.verdict, row.found) == (CheckStatus.OK, "can be run: /bin/sh, /bin/cat")


def test_a_missing_program_is_a_warning_that_leads_to_the_editor():
    (row,) = assess_programs([("/nowhere/x", "T0PSECRET")])
    assert (row.verdict, row.about, row.found) == (CheckStatus.WARNING, "/nowhere/x", "/nowhere/x does not exist")
    assert row.hint == "openbalance-hid config edit"


def test_a_program_that_others_may_write_is_a_warning_with_the_command_that_helps(tmp_path):
    program = tmp_path / "x"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o777)
    (row,) = assess_programs([(str(program),)])
    assert row.verdict is CheckStatus.WARNING
    assert row.hint.startswith("chmod go-w /")
    assert "may be written by other users" in row.found


def test_a_script_that_others_may_write_is_the_file_that_the_command_changes(tmp_path):
    script = tmp_path / "x"
    script.write_text("echo")
    script.chmod(0o666)
    (row,) = assess_programs([("/bin/sh", str(script))])
    assert row.found == f"{script} may be written by other users"
    assert row.hint == f"chmod go-w {script}"
