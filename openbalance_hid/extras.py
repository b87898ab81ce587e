"""The optional packages: what an extra of this program needs, and the command that installs it here.

The names come from this program's own metadata, so that a message is true for the installed version.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import PurePath

from openbalance_hid.errors import MissingPackageError

_DISTRIBUTION = "openbalance-hid"
_OF_EXTRA = re.compile(r"""^(?P<package>[^;]+?)\s*;.*\bextra == ['"](?P<extra>[\w-]+)['"]""")


def missing_extra(extra: str, purpose: str) -> MissingPackageError:
    """Return the error for a missing optional package. `purpose`: what needs it, in words: "reports need"."""
    packages = packages_of(extra)
    names = " and ".join(re.split(r"[<>=!~ \[]", package, maxsplit=1)[0] for package in packages)
    return MissingPackageError(f"{purpose} {names or f'the extra {extra}'}, not installed", install_command(extra, packages))


def packages_of(extra: str) -> tuple[str, ...]:
    """Return the requirements of an extra, as `pygal>=3.0`; empty if this program is not installed as a package."""
    from importlib import metadata  # 15 ms, for an error only

    try:
        wanted = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return ()
    found = map(_OF_EXTRA.match, wanted)
    return tuple(match["package"] for match in found if match is not None and match["extra"] == extra)


def install_command(extra: str, packages: Sequence[str], prefix: str = sys.prefix, python: str = sys.executable) -> str:
    """Return the command that installs the packages beside this program. `prefix`: of its environment."""
    parts = PurePath(prefix).parts
    wanted = packages or (f"{_DISTRIBUTION}[{extra}]",)
    if "pipx" in parts and "venvs" in parts:
        return shlex.join(["pipx", "inject", _DISTRIBUTION, *wanted])
    if "uv" in parts and "tools" in parts:
        return shlex.join(["uv", "tool", "install", f"{_DISTRIBUTION}[{extra}]"])
    return shlex.join([python, "-m", "pip", "install", *wanted])
