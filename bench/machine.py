"""The heading of the table: the machine and the versions that it was measured with."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("streamdeck", "hidapi", "Pillow")


def heading() -> str:
    """Return two lines of Markdown: machine and load, versions and date (UTC). No name of a host or a person."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; "
        f"load before: {os.getloadavg()[0]:.1f}.  \n"
        f"With: Python {platform.python_version()}, {packages}. Measured {datetime.now(UTC):%Y-%m-%d}."
    )


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()
