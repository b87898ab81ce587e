"""Other programs for a Stream Deck, downloaded from their registries for the guest. None of them is in the repository."""

import subprocess
import sys
import tarfile
from pathlib import Path

from tests.kernel import recipe

LIMIT_S = 600.0


def download(folder: Path) -> None:
    """Put the clients into a folder, which is created: `node_modules`, and `python` with the examples of the library."""
    folder.mkdir()
    _run(
        *("npm", "install", "--prefix", str(folder), f"--before={recipe.NODE_CLIENT_BEFORE}"),
        *("--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier", recipe.NODE_CLIENT),
    )
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download")
    _run(*pip, "--no-deps", "--no-binary=:all:", f"--dest={folder}", recipe.PYTHON_CLIENT)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        packed.extractall(folder, filter="data")
    source.unlink()
    (unpacked,) = folder.glob("streamdeck-*")
    (unpacked / "src").rename(folder / "python")


def _run(*words: str) -> None:
    ended = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, check=False)
    assert ended.returncode == 0, f"{' '.join(words)} failed: {ended.stdout}{ended.stderr}"
