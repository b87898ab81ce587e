"""README and docs/: links lead somewhere, the site builds, the README is short, and every command in them is understood."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from openbalance_hid.cli import main as program

ROOT = Path(__file__).parents[2]
README_LINES = 160
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

pytestmark = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documentation is in the repository only")


def commands_of(page: Path) -> Iterator[str]:
    """Return every command of the program on a page, in a block of shell code or in the running text."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield from re.findall(r"(?:^|&& |; )(openbalance-hid [^#>|&;]*)", line.strip())
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`(openbalance-hid [^`|…]*)`", prose)


def refusal(command: str) -> str:
    """Return why click refuses the command line; nothing when it is understood."""
    words = shlex.split(command)[1:]
    group: click.Command = program
    context = click.Context(program, info_name="openbalance-hid", **program.context_settings)
    try:
        while isinstance(group, click.Group) and words:
            name = words.pop(0)
            if name == "--help":
                return ""
            found = group.get_command(context, name)
            if found is None:
                return f"{command}: no command {name}"
            group, context = found, click.Context(found, info_name=name, parent=context)
            if isinstance(found, click.Group) and found.invoke_without_command and words and words[0].startswith("-"):
                break
        if words:  # a command named alone is the name of the command
            group.parse_args(context, list(words))
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        return f"{command}: {error.format_message()}"
    return ""


def test_the_pages_have_commands_to_check():
    assert sum(len(list(commands_of(page))) for page in PAGES) > 50


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_is_understood(page: Path):
    assert [said for command in commands_of(page) if (said := refusal(command.strip()))] == []


@pytest.mark.parametrize("command", ["openbalance-hid configg init", "openbalance-hid status --jsn", "openbalance-hid press x"])
def test_a_wrong_command_on_a_page_would_be_found(command: str):
    assert refusal(command) != ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|#|\.\./\.\./security)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}


def test_the_site_builds_without_a_warning(tmp_path: Path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install -e '.[docs]'")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert (tmp_path / "site/index.html").is_file()
