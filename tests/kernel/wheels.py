"""What a user would download: the wheel of this working tree, and the locked wheels of what it needs on the guest's Python."""

import subprocess
import sys
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.kernel.recipe import PYTHON

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "packaging" / "locks" / "run.txt"
LIMIT_S = 600.0
GUEST = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "linux", "platform_system": "Linux"}


def make_wheel(folder: Path) -> Path:
    """Ours, in that folder."""
    _python("build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def requirements() -> str:
    """What the lock file names for the guest, hashes included: pip would judge its conditions by the Python that runs it."""
    environment = {**default_environment(), **GUEST}
    chosen = []
    for entry in LOCK.read_text(encoding="utf-8").replace("\\\n", "").splitlines():
        text, *hashes = entry.split("--hash=")
        if text.strip() and not text.startswith("#"):
            need = Requirement(text.strip())
            if need.marker is None or need.marker.evaluate(environment):
                chosen.append(" ".join([f"{need.name}{need.specifier}", *(f"--hash={each.strip()}" for each in hashes)]))
    return "\n".join(chosen) + "\n"


def download(folder: Path) -> None:
    """The wheels of `requirements`, beside them in a folder that is made."""
    folder.mkdir()
    listed = folder / "requirements.txt"
    listed.write_text(requirements())
    platforms = (f"--platform={tag}_x86_64" for tag in ("manylinux_2_36", "manylinux_2_34", "manylinux_2_28", "manylinux2014"))
    _python(
        *("pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"),
        *(f"--python-version={PYTHON}", *platforms, f"--dest={folder}", f"--requirement={listed}"),
    )


def _python(*words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, check=False
    )
    assert ended.returncode == 0, f"python -m {' '.join(words[:3])} failed: {ended.stdout}{ended.stderr}"
