"""The rules of the test suite: hardware is opt-in, and a skip is a failure where everything is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.hardware
def test_on_hardware(request):
    assert request.config.getoption("--deck") == "A1"

def test_plain():
    pass
"""
LONG = """
import pytest

@pytest.mark.torture
def test_torture():
    pass

@pytest.mark.kernel
def test_kernel():
    pass

def test_plain():
    pass
"""
SKIPPED = """
import pytest

@pytest.mark.skip(reason="no Chromium here")
def test_skipped():
    pass

@pytest.mark.xfail(strict=True)
def test_known_bug():
    assert False
"""
SKIPPED_WHOLE = """
import pytest
pytest.importorskip("a_module_that_does_not_exist")
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    conftest = Path(__file__).parents[1] / "conftest.py"
    (tmp_path / "conftest.py").write_text(conftest.read_text("utf-8"), "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  hardware: x\n  torture: x\n  kernel: x\n", "utf-8")
    return tmp_path


def run(suite: Path, *args: str, all_installed: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *args],
        cwd=suite,
        env={
            "OPENBALANCE_TEST_ALL": "1" if all_installed else "0",
            "PATH": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),  # the rules are a part of the tests
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_hardware_tests_are_left_out_unless_a_deck_is_named(suite: Path) -> None:
    (suite / "test_it.py").write_text(TESTS, "utf-8")
    assert "1 passed, 1 deselected" in run(suite, all_installed=True).stdout
    assert "2 passed" in run(suite, "--deck", "A1").stdout


@pytest.mark.parametrize("kind", ["plain", "torture", "kernel"])
def test_long_tests_run_only_on_request_and_then_alone(suite: Path, kind: str) -> None:
    (suite / "test_it.py").write_text(LONG, "utf-8")
    output = run(suite, "-v", *([] if kind == "plain" else [f"--{kind}"])).stdout
    assert f"test_it.py::test_{kind} PASSED" in output
    assert "1 passed, 2 deselected" in output


def test_a_skip_is_a_failure_only_where_everything_is_installed(suite: Path) -> None:
    (suite / "test_it.py").write_text(SKIPPED, "utf-8")
    assert "1 skipped, 1 xfailed" in run(suite).stdout
    strict = run(suite, all_installed=True)
    assert strict.returncode == 1
    assert "1 xfailed, 1 error" in strict.stdout
    assert "does not allow: Skipped: no Chromium here" in strict.stdout


def test_a_module_that_skips_itself_is_a_failure_too(suite: Path) -> None:
    (suite / "test_it.py").write_text(SKIPPED_WHOLE, "utf-8")
    assert "1 skipped" in run(suite).stdout
    strict = run(suite, all_installed=True)
    assert strict.returncode != 0
    assert "does not allow" in strict.stdout
