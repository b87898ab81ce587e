import logging
import subprocess
import sys

from openbalance_hid.cli.run import set_up_log
from openbalance_hid.desktop.guarded_process import without_key_variables
from openbalance_hid.desktop.open_url import _run


def test_another_program_is_handed_no_key(tmp_path) -> None:
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    spy.chmod(0o755)
    env = {
        "PATH": "/usr/bin:/bin",
        "OPENROUTER_MANAGEMENT_KEY": "a",
        "OPENROUTER_MANAGEMENT_KEY_WORK": "b",
        "CREDENTIALS_DIRECTORY": "/run/credentials",
    }
    assert without_key_variables(env) == {"PATH": "/usr/bin:/bin"}
    assert _run([str(spy)], env, 30.0) is None
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "OPENROUTER" not in seen
    assert "CREDENTIALS" not in seen


def test_what_a_server_sent_is_not_quoted_by_a_library() -> None:
    before = logging.getLogger("urllib3").level
    try:
        set_up_log("debug")
        assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.ERROR)
    finally:
        logging.getLogger("urllib3").setLevel(before)


def test_a_process_leaves_no_image_of_its_memory_behind() -> None:
    program = (
        "import resource; from openbalance_hid.desktop.guarded_process import forbid_core_dumps; "
        "forbid_core_dumps(); print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "(0, 0)"
