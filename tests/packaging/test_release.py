"""The plain steps of a release: tag, notes, checksums, recipes."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import openbalance_hid
from tools import release

ROOT = Path(__file__).parents[2]
CHANGELOG = """# Changelog

## Unreleased

- next

## 0.2.0 (1 December 2026)

First line.

- a change

## 0.1.0

- the first
"""

pytestmark = pytest.mark.skipif(not (ROOT / "CHANGELOG.md").exists(), reason="not in a checkout")


def test_the_notes_are_the_part_of_that_version_alone():
    assert release.release_notes(CHANGELOG, "0.2.0") == "First line.\n\n- a change\n"
    assert release.release_notes(CHANGELOG, "0.1.0") == "- the first\n"


@pytest.mark.parametrize("version", ["0.3.0", "0.2", "2.0"])
def test_a_version_without_notes_is_refused(version: str):
    with pytest.raises(SystemExit, match=re.escape(version)):
        release.release_notes(CHANGELOG, version)


def test_a_tag_of_another_version_is_refused():
    with pytest.raises(SystemExit, match=openbalance_hid.__version__):
        release.checked_version("v99.0.0")


def test_a_version_without_a_date_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(release, "ROOT", tmp_path)
    version = openbalance_hid.__version__
    (tmp_path / "CHANGELOG.md").write_text(f"## {version} (unreleased)\n\n- a change\n")
    with pytest.raises(SystemExit, match="no date"):
        release.checked_version(f"v{version}")
    (tmp_path / "CHANGELOG.md").write_text(f"## {version} (1 December 2026)\n\n- a change\n")
    assert release.checked_version(f"v{version}") == version


def test_the_files_of_a_release_have_their_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = tmp_path / "checkout"
    for name in release.RECIPES:
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes((ROOT / name).read_bytes())
    (root / "CHANGELOG.md").write_text(CHANGELOG)
    monkeypatch.setattr(release, "ROOT", root)
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "openbalance_hid-0.2.0.tar.gz").write_bytes(b"source")
    (dist / "openbalance_hid-0.2.0-py3-none-any.whl").write_bytes(b"wheel")
    release.prepare("0.2.0", dist, tmp_path / "release")
    files = tmp_path / "release/files"
    digest = hashlib.sha256(b"source").hexdigest()
    assert digest in (files / "PKGBUILD").read_text()
    assert f'sha256 "{digest}"' in (files / "openbalance-hid.rb").read_text()
    assert release.NO_CHECKSUM not in (files / "PKGBUILD").read_text() + (files / "openbalance-hid.rb").read_text()
    for line in (files / "SHA256SUMS").read_text().splitlines():
        expected, name = line.split("  ")
        place = dist if (dist / name).exists() else files
        assert release.sha256(place / name) == expected
    assert len((files / "SHA256SUMS").read_text().splitlines()) == 4


SCRIPTS = [path for path in sorted((ROOT / "tools/ci").glob("*")) if path.is_file() and path.suffix != ".py"]  # those: ruff


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_of_the_workflows_are_sound_shell(script: Path):
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck: apt install shellcheck")
    ended = subprocess.run(["shellcheck", "--shell=bash", str(script)], capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stdout) == (0, "")
