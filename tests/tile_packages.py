"""Packages with tiles, as an installer leaves them in a folder for packages."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/example-tile"

GOOD = """
from openbalance_hid.tiles.interface import INTERFACE_VERSION, Hero, Option, Tile, TileView

def view(scene):
    return TileView("Hello", (Hero(str(scene.options["word"])),))

TILE = Tile(interface=INTERFACE_VERSION, help="says hello", view=view, options=(
    Option("word", "choice", "hello", ("hello", "hi")), Option("period", "choice", "today", ("today", "7d")),
))
"""


def tile_with(body: str, **declared: str) -> str:
    """Return a module whose tile has this body of `view(scene)`, or these other fields of `Tile`, as source."""
    fields = {"interface": "INTERFACE_VERSION", "help": "'a test'", "view": "view", **declared}
    lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
    words = ", ".join(f"{name}={value}" for name, value in fields.items())
    return f"from openbalance_hid.tiles.interface import *\n\ndef view(scene):\n{lines}\n\nTILE = Tile({words})\n"


def install(folder: Path, package: str, modules: Mapping[str, str], version: str = "1.0") -> None:
    """Install a package with one module for each tile. A tile's name has hyphens where its module has underscores."""
    module_folder = folder / package.replace("-", "_")
    module_folder.mkdir(parents=True)
    (module_folder / "__init__.py").write_text("")
    for name, source in modules.items():
        (module_folder / f"{name.replace('-', '_')}.py").write_text(source)
    info = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    rows = [f"{name} = {package.replace('-', '_')}.{name.replace('-', '_')}:TILE" for name in modules]
    (info / "entry_points.txt").write_text("\n".join(["[openbalance_hid.tiles]", *rows]) + "\n")


def environment_with_example(folder: Path) -> Path:
    """Create an environment with the program and, installed by pip, the example package. Return its Python."""
    if not EXAMPLE.is_dir():
        pytest.skip("the examples are in the repository only")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    (packages_of(folder) / "program.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(EXAMPLE)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return python


def packages_of(folder: Path) -> Path:
    """Return the directory for packages of an environment."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
