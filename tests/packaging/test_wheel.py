"""The contents of the wheel and of the source distribution. `make test-wheel` runs the suite against the wheel."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import openbalance_hid

ROOT = Path(__file__).parents[2]
PACKAGE = Path(openbalance_hid.__file__).parent
NAME = f"openbalance_hid-{openbalance_hid.__version__}"


def build(source: Path, into: Path, *kinds: str) -> None:
    words = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(into), str(source)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr + ended.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the source distribution and the wheel that was built from it."""
    if not (ROOT / "openbalance_hid").is_dir():
        pytest.skip("the package is installed here, and its source is not beside the tests")
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)  # both, the wheel from the source distribution
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_every_file_of_the_package_and_no_other(built: Path) -> None:
    files = {file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    expected = {file.relative_to(PACKAGE.parent).as_posix(): file.read_bytes() for file in files}
    found = contents(built / f"{NAME}-py3-none-any.whl")
    assert {name: data for name, data in found.items() if name.startswith("openbalance_hid/")} == expected
    page = f"{NAME}.data/data/share/man/man1/openbalance-hid.1"
    assert found[page] == (ROOT / "packaging/man/openbalance-hid.1").read_bytes()
    others = {name.partition("/")[0] for name in found} - {"openbalance_hid"}
    assert others == {f"{NAME}.data", f"{NAME}.dist-info"}


def test_the_wheel_holds_no_generator_and_no_sheet(built: Path) -> None:
    names = contents(built / f"{NAME}-py3-none-any.whl")
    assert [
        name for name in names if re.search(r"(^|/)(tools|tests|bench)/|contact_sheet|tile_gallery|man_page|recipes", name)
    ] == []


def test_the_tree_and_the_source_distribution_build_the_same_wheel(built: Path, tmp_path: Path) -> None:
    build(ROOT, tmp_path, "--wheel")
    name = f"{NAME}-py3-none-any.whl"
    assert (tmp_path / name).read_bytes() == (built / name).read_bytes()


def test_the_source_distribution_has_all_that_tests_and_packagers_need(built: Path) -> None:
    with tarfile.open(built / f"{NAME}.tar.gz") as archive:
        found = {name.removeprefix(f"{NAME}/") for name in archive.getnames()}
    needed = ("tests", "bench", "tools", "packaging", "systemd", "launchd", "udev", ".github/pictures")
    files = {
        file for folder in needed for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts
    }
    assert {file.relative_to(ROOT).as_posix() for file in files} - found == set()
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile", "pyproject.toml"} <= found
    assert [name for name in found if name.startswith((".ci", ".github/workflows"))] == []
