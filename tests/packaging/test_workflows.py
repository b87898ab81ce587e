"""The workflows of CI: actions pinned to a commit, and no permission but what a job needs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="a source distribution holds no workflows")


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.name)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text())


def test_every_action_is_pinned_by_its_commit_and_says_its_version(text: str) -> None:
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


# The release publishes: one job gets a token for PyPI and none for the repository, one may write a release.
GRANTED = {"check.yml": {"contents: read"}, "release.yml": {"contents: read", "id-token: write", "contents: write"}}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_each_job_has_one_permission_and_no_other(file: Path) -> None:
    text = file.read_text()
    assert "\npermissions: {}\n" in text
    granted = re.findall(r"^ {4}permissions:\n((?: {6}.*\n)+)", text, re.MULTILINE)
    assert len(granted) == len(re.findall(r"^ {4}runs-on:", text, re.MULTILINE))
    assert {each.strip() for each in granted} == GRANTED[file.name]
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_each_step_is_a_script_or_a_target_that_exists(text: str) -> None:
    """What a workflow runs can be run by hand: no step has a program of its own."""
    scripts = set(re.findall(r"(tools/ci/\w+(?:\.py)?)", text))
    assert all((ROOT / script).is_file() for script in scripts)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([\w-]+)", text)) <= targets


# Retired (actions/runner-images issues 10721, 13046, 13518): a job with one of them waits for a runner for ever.
RETIRED = ("macos-12", "macos-13", "macos-14", "ubuntu-20.04")


def test_no_job_waits_for_a_runner_that_github_has_retired() -> None:
    for file in WORKFLOWS:
        named = re.findall(r"\b(?:macos|ubuntu)-[\w.]+", file.read_text())
        assert not set(RETIRED) & set(named), file


def test_macos_is_tested_on_every_version_and_processor_that_github_has() -> None:
    check = next(file for file in WORKFLOWS if file.name == "check.yml").read_text()
    macos = check.split("  macos:\n")[1].split("\n  formula:")[0]
    systems = re.findall(r"os: (macos-[\w-]+)", macos)
    assert {"macos-15", "macos-26", "macos-15-intel"} <= set(systems), "Apple silicon and Intel"
    assert len(set(systems)) == len(systems), "each uploads an artifact with this name"
    for step in (
        "tools/ci/install_test_packages",
        "tools/ci/test_with_report",
        "tools/ci/hidapi_threads.py",
        "upload-artifact",
    ):
        assert step in macos


def test_only_the_checked_build_is_published() -> None:
    jobs = re.split(
        r"^  (?=\w+:$)", next(file for file in WORKFLOWS if file.name == "release.yml").read_text(), flags=re.MULTILINE
    )
    build, pypi, github = (next(job for job in jobs if job.startswith(f"{name}:")) for name in ("build", "pypi", "github"))
    assert "make test-wheel" in build
    assert "test-deb" in build
    assert "needs: build" in pypi
    assert "environment: pypi" in pypi
    assert "needs: pypi" in github
