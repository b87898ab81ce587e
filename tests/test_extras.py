"""An optional package that is missing is named, with the command that installs it where this program is."""

import shlex
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from openbalance_hid.extras import install_command, missing_extra, packages_of


@pytest.mark.parametrize(
    ("extra", "names"), [("metrics", {"prometheus-client"}), ("report", {"pygal", "jinja2"}), ("no-such", set())]
)
def test_the_packages_of_an_extra_are_those_of_the_installed_version(extra: str, names: set[str]):
    assert {canonicalize_name(Requirement(package).name) for package in packages_of(extra)} == names


def test_the_message_names_the_packages_and_the_hint_installs_them_for_this_python():
    error = missing_extra("report", "a report needs")
    assert error.message.lower() in (
        "a report needs pygal and jinja2, not installed",
        "a report needs jinja2 and pygal, not installed",
    )
    assert shlex.split(error.hint)[:4] == [sys.executable, "-m", "pip", "install"]
    assert len(shlex.split(error.hint)) == 6
    assert error.exit_code == 69


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/share/pipx/venvs/openbalance-hid", "pipx inject openbalance-hid 'a>=1'"),
        ("/home/me/.local/share/uv/tools/openbalance-hid", "uv tool install 'openbalance-hid[x]'"),
        ("/home/me/venv", "/usr/bin/python -m pip install 'a>=1'"),
    ],
)
def test_the_command_fits_how_the_program_was_installed(prefix: str, command: str):
    assert install_command("x", ["a>=1"], prefix, "/usr/bin/python") == command
