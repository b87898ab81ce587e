"""The recipes for systems that are not here: what can be checked without them. That they are fresh is `test_rendered`'s."""

import hashlib
import plistlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from openbalance_hid.service.units import render_agent
from tests.packaging.test_locks import locked
from tools.recipes_of_checkout import formula_of

ROOT = Path(__file__).parents[2]
PKGBUILD = ROOT / "packaging/aur/PKGBUILD"
FORMULA = ROOT / "packaging/homebrew/openbalance-hid.rb"
SOURCES = tomllib.loads((ROOT / "packaging/locks/sources.toml").read_text())
# makepkg reads some variables and sets others, and ends at the first command that fails.
READ_BY_MAKEPKG = "--exclude=SC2034,SC2154,SC2164"
CHECKERS = {
    "bash": ["bash", "-n", str(PKGBUILD)],
    "shellcheck": ["shellcheck", "--shell=bash", READ_BY_MAKEPKG, str(PKGBUILD)],
    "ruby": ["ruby", "-wc", str(FORMULA)],
}
SCRIPTS = [ROOT / "packaging/deb" / name for name in ("postinst", "prerm", "postrm")]


@pytest.mark.parametrize("program", CHECKERS)
def test_the_language_of_a_recipe_is_right(program: str) -> None:
    check(CHECKERS[program])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_the_scripts_of_the_debian_package_are_plain_shell(script: Path) -> None:
    check(["shellcheck", "--shell=sh", str(script)])


def test_the_formula_of_a_checkout_differs_in_source_and_deck_alone(tmp_path: Path) -> None:
    source = tmp_path / "openbalance_hid.tar.gz"
    source.write_bytes(b"archive")
    formula = FORMULA.read_text().splitlines()
    changed = [line for line in formula_of(source).splitlines() if line not in formula]
    assert changed == [
        f'  url "file://{source}"',
        f'  sha256 "{hashlib.sha256(b"archive").hexdigest()}"',
        '    run [opt_bin/"openbalance-hid", "run", "--launchd", "--deck", "virtual", "--no-browser", "--port", "0"]',
    ]


def check(words: list[str]) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]}: apt install {words[0]}")
    ended = subprocess.run(words, capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_what_recipes_fetch_is_what_is_locked() -> None:
    pinned = {entry.name: (str(entry.specifier), hashes) for entry, hashes in locked("run.txt")}
    assert len(SOURCES) > 20
    for name, row in SOURCES.items():
        version, hashes = pinned[name]
        assert version == f"=={row['version']}"
        assert f"sha256:{row['sha256']}" in hashes


def test_a_recipe_names_a_checksum_for_each_file_that_it_fetches() -> None:
    known = {row["url"]: row["sha256"] for row in SOURCES.values()}
    fetched = dict(re.findall(r'url "(.*)"\n *sha256 "(.*)"', FORMULA.read_text()))
    (release,) = fetched.keys() - known.keys()
    assert release.endswith(".tar.gz")
    assert {url: digest for url, digest in fetched.items() if url != release} == {
        url: known[url] for url in fetched if url != release
    }

    text = PKGBUILD.read_text()
    urls, digests = (re.findall(r"""^  ['"](.*)['"]$""", part, re.MULTILINE) for part in arrays(text, "source", "sha256sums"))
    assert len(urls) == len(digests) == 4
    assert [known[url] for url in urls[1:]] == digests[1:]


def arrays(text: str, *names: str) -> list[str]:
    return [re.findall(rf"^{name}=\((.*?)^\)", text, re.DOTALL | re.MULTILINE)[0] for name in names]


def test_an_unfinished_recipe_cannot_be_taken_for_a_finished_one() -> None:
    for recipe in (PKGBUILD, FORMULA):
        assert re.findall(r"""['"]0{64}['"]""", recipe.read_text()), "at a release the checksum is filled in a copy"


def test_the_formula_starts_the_service_as_our_own_agent_does() -> None:
    agent = plistlib.loads(render_agent(("/x",), "/log").encode())
    block = FORMULA.read_text().split("service do", 1)[1].split("  end", 1)[0]
    assert f"process_type :{agent['ProcessType'].lower()}\n" in block
    assert f"throttle_interval {agent['ThrottleInterval']}\n" in block
    assert "keep_alive successful_exit: false\n" in block
    assert '"run", "--launchd"' in block
