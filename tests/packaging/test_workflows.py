"""The workflows of CI: actions pinned to a commit, and no permission but reading."""

import re
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github/workflows").glob("*.yml"))

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="a source distribution holds no workflows")


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.name)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text())


def test_every_action_is_pinned_by_its_commit_and_says_its_version(text: str) -> None:
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_a_job_may_read_the_repository_and_nothing_else(text: str) -> None:
    assert "\npermissions: {}\n" in text
    granted = set(re.findall(r"^ {4}permissions:\n((?: {6}.*\n)+)", text, re.MULTILINE))
    assert granted == {"      contents: read\n"}
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
