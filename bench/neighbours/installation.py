"""The installation of the other programs: each by its package manager, into a folder of its own in the user's cache."""

import json
import os
import re
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
INSTALL_LIMIT_S = 600.0
ERROR = re.compile(r"[\w.]*error\b.*:", re.IGNORECASE)
INSTALLER = ("pip", "pip-*", "setuptools", "setuptools-*", "_distutils_hack", "pkg_resources", "distutils-precedence.pth")


class CannotRunError(Exception):
    """Why a program cannot be measured, in one line."""


class Manager(Enum):
    """A package manager."""

    PIP = "pip"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed program. `bytes_on_disk`: everything except the interpreter and the package manager."""

    folder: Path
    version: str
    bytes_on_disk: int


def cache() -> Path:
    """Return the folder for all installations."""
    return Path(os.environ.get(CACHE) or user_cache_path("openbalance-hid-bench"))


def install(name: str, wanted: str, manager: Manager) -> Installation:
    """Install `name` if it is not installed yet. Raises CannotRunError with the last line of the installer."""
    folder = cache() / name
    folder.mkdir(parents=True, exist_ok=True)
    return _with_pip(folder, name, wanted) if manager is Manager.PIP else _with_npm(folder, wanted)


def install_ourselves() -> Installation:
    """Install this checkout as a user would get it."""
    folder = cache() / "openbalance-hid"
    if (folder / "bin").exists():
        _run(folder / "bin" / "pip", "uninstall", "--quiet", "--yes", "openbalance-hid")  # the version may be the same
    return install("openbalance-hid", str(ROOT), Manager.PIP)


def _with_pip(folder: Path, name: str, wanted: str) -> Installation:
    if not (folder / "bin" / "pip").exists():
        venv.create(folder, with_pip=True)
    _run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", wanted)
    command = f"from importlib.metadata import version; print(version({name!r}))"
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    left_out = {found for pattern in INSTALLER for found in packages.glob(pattern)}
    sizes = (_bytes_of(found) for found in packages.iterdir() if found not in left_out)
    return Installation(folder, _run(folder / "bin" / "python", "-c", command), sum(sizes))


def _with_npm(folder: Path, wanted: str) -> Installation:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotRunError("there is no Node.js with npm on this machine")
    package, _, _ = wanted.rpartition("@")
    modules = folder / "node_modules"
    if not modules.exists():
        _run(Path(npm), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), wanted)
    about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
    return Installation(folder, about["version"], _bytes_of(modules))


def _run(*words: str | Path) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=True)
    except subprocess.CalledProcessError as error:
        raise CannotRunError(f"it cannot be installed: {cause(error.stderr)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRunError(f"it cannot be installed: {error}") from error
    return done.stdout.strip()


def cause(output: str) -> str:
    """Return the last line that names an error, else the last one that is not blank. Node.js ends with its version."""
    lines = [line.strip() for line in reversed(output.splitlines()) if line.strip()]
    return next((line for line in lines if ERROR.match(line)), lines[0] if lines else "no output")


def _bytes_of(place: Path) -> int:
    """Return the size on disk in whole blocks, as du counts it."""
    files = [place] if place.is_file() else [found for found in place.rglob("*") if not found.is_symlink()]
    return sum(512 * found.lstat().st_blocks for found in files)
