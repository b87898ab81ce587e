"""Keys reach no other program: not by the environment, the log, a core dump or /proc."""

import logging
import resource
import signal
import subprocess
import sys

import pytest

from openbalance_hid.cli.log_setup import set_up_log
from openbalance_hid.desktop.open_url import try_openers
from openbalance_hid.desktop.process_hardening import without_key_variables


def test_another_program_receives_no_key(tmp_path) -> None:
    spy = tmp_path / "xdg-open"
    spy.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    spy.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "OPENROUTER_MANAGEMENT_KEY": "a",
        "OPENROUTER_MANAGEMENT_KEY_WORK": "b",
        "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef",
        "HEADERS": "Authorization: Bearer sk-or-v1-0123456789abcdef",
        "CREDENTIALS_DIRECTORY": "/run/credentials",
    }
    assert without_key_variables(env) == {"PATH": env["PATH"]}
    assert try_openers("https://example.org", env, "linux", 30.0)
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "OPENROUTER" not in seen
    assert "CREDENTIALS" not in seen


def test_no_library_logs_what_a_server_sent() -> None:
    before = logging.getLogger("urllib3").level
    try:
        set_up_log("debug")
        assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.ERROR)
    finally:
        logging.getLogger("urllib3").setLevel(before)


GUARD = "from openbalance_hid.desktop.process_hardening import guard_memory as guard; guard(); guard()"
WAIT = "import os, sys; print('ready', flush=True); sys.stdin.read(); os.abort()"
AT_START = """
import os, sys
os.environ["OPENROUTER_MANAGEMENT_KEY"] = "sk-or-v1-0123456789abcdef"
class Stop:
    def find_spec(self, name, *_):
        if name == "openbalance_hid.cli":
            raise SystemExit
sys.meta_path.insert(0, Stop())
from openbalance_hid.__main__ import main
try:
    main()
except SystemExit:
    pass
"""
READ = "import sys; open(sys.argv[1], 'rb').read(1)"
PR_CAPBSET_DROP = 24  # linux/prctl.h
TRACERS = (19, 21, 38)  # CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_PERFMON: each lets its holder read any memory


def test_a_guarded_process_leaves_no_core_dump(tmp_path) -> None:
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    program = f"{GUARD}; import resource; print(resource.getrlimit(resource.RLIMIT_CORE), flush=True); {WAIT}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        input="",
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)),
    )
    assert (done.stdout, done.returncode) == ("(0, 0)\nready\n", -signal.SIGABRT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_no_other_program_of_the_same_user_reads_a_guarded_process() -> None:
    import ctypes

    prctl = ctypes.CDLL(None).prctl

    def no_tracer() -> None:
        """Drop what lets root read everything; other users never have it."""
        for capability in TRACERS:
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    def may_read(program: str) -> set[bool]:
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=no_tracer
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            looks = [
                subprocess.run(
                    [sys.executable, "-c", READ, f"/proc/{process.pid}/{name}"], stderr=subprocess.DEVNULL, preexec_fn=no_tracer
                )
                for name in ("environ", "maps")
            ]
            process.kill()
        return {look.returncode == 0 for look in looks}

    assert may_read(WAIT) == {True}
    assert may_read(f"{AT_START}\n{WAIT}") == {False}
    assert may_read(f"{GUARD}; {WAIT}") == {False}
