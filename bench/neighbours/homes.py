"""Where the neighbours live: each installed by its own package manager into a folder of its own, in the user's cache."""

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from platformdirs import user_cache_path

CACHE = "OPENBALANCE_BENCH_CACHE"
ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 600.0
INSTALLER = ("pip", "pip-*", "setuptools", "setuptools-*", "_distutils_hack", "pkg_resources", "distutils-precedence.pth")


class CannotRunError(Exception):
    """Why a program has no place in this run's table, in one line."""


class Manager(Enum):
    """Who installs it."""

    PIP = "pip"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Home:
    """An installed program. `bytes_on_disk`: everything that came with it, but not the interpreter and the package manager."""

    folder: Path
    version: str
    bytes_on_disk: int


def cache() -> Path:
    """The folder for all of them."""
    return Path(os.environ.get(CACHE) or user_cache_path("openbalance-hid-bench"))


def install(name: str, wanted: str, manager: Manager) -> Home:
    """The home of `name`, set up as far as it is not. Raises CannotRunError with the installer's last words."""
    folder = cache() / name
    folder.mkdir(parents=True, exist_ok=True)
    return _with_pip(folder, name, wanted) if manager is Manager.PIP else _with_npm(folder, wanted)


def ourselves() -> Home:
    """This checkout, installed as a user would get it."""
    folder = cache() / "openbalance-hid"
    if (folder / "bin").exists():
        _run(folder / "bin" / "pip", "uninstall", "--quiet", "--yes", "openbalance-hid")  # the version may be the same
    return install("openbalance-hid", str(ROOT), Manager.PIP)


def _with_pip(folder: Path, name: str, wanted: str) -> Home:
    if not (folder / "bin" / "pip").exists():
        venv.create(folder, with_pip=True)
    _run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", wanted)
    asking = f"from importlib.metadata import version; print(version({name!r}))"
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    left_out = {found for pattern in INSTALLER for found in packages.glob(pattern)}
    sizes = (_bytes_of(found) for found in packages.iterdir() if found not in left_out)
    return Home(folder, _run(folder / "bin" / "python", "-c", asking), sum(sizes))


def _with_npm(folder: Path, wanted: str) -> Home:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotRunError("there is no Node.js with npm on this machine")
    package, _, _ = wanted.rpartition("@")
    modules = folder / "node_modules"
    if not modules.exists():
        _run(Path(npm), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), wanted)
    about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
    return Home(folder, about["version"], _bytes_of(modules))


def _run(*words: str | Path) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except subprocess.CalledProcessError as error:
        raise CannotRunError(f"it cannot be installed: {last_line(error.stderr)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRunError(f"it cannot be installed: {error}") from error
    return done.stdout.strip()


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it says nothing")


def _bytes_of(place: Path) -> int:
    """On disk, in whole blocks, as du counts."""
    files = [place] if place.is_file() else [found for found in place.rglob("*") if not found.is_symlink()]
    return sum(512 * found.lstat().st_blocks for found in files)
