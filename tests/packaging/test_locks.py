"""The locks fit the requirements of `pyproject.toml`; `make lock` renews them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = {
    "run.txt": PROJECT["dependencies"],
    "dev.txt": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = ("linux", "darwin")


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Each entry with its hashes."""
    text = (ROOT / "packaging/locks" / name).read_text().replace("\\\n", "")
    entries = [line.split("--hash=") for line in text.splitlines() if line and not line.startswith("#")]
    return [(Requirement(entry.strip()), [each.strip() for each in hashes]) for entry, *hashes in entries]


def of(entries: list[tuple[Requirement, list[str]]], python: str, system: str) -> dict[str, str]:
    """Name -> version, for one Python on one system."""
    here = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": system}
    held = [entry for entry, _ in entries if entry.marker is None or entry.marker.evaluate(here)]
    assert len({canonicalize_name(entry.name) for entry in held}) == len(held), "one version each"
    return {canonicalize_name(entry.name): str(entry.specifier).removeprefix("==") for entry in held}


@pytest.mark.parametrize("name", ASKED)
def test_everything_is_pinned_by_its_hashes(name: str) -> None:
    for entry, hashes in locked(name):
        assert re.fullmatch(r"==[^*,]+", str(entry.specifier)), entry
        assert hashes, entry
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), entry


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_asked_for_is_locked_on_each_python_and_system(name: str, python: str, system: str) -> None:
    pinned = of(locked(name), python, system)
    here = {"python_version": python, "sys_platform": system}
    for asked in map(Requirement, ASKED[name]):
        if asked.marker is None or asked.marker.evaluate(here):
            assert asked.specifier.contains(pinned[canonicalize_name(asked.name)]), f"{asked}: make lock"


def test_tests_run_with_the_versions_that_packages_bring() -> None:
    run, dev = ({(entry.name, str(entry.specifier)) for entry, _ in locked(name)} for name in ("run.txt", "dev.txt"))
    assert run <= dev
