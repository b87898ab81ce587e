"""The guest's disk: built from the recipe into a folder of the cache, once, and again when the recipe changes."""

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kernel import clients, recipe
from tests.kernel.wheels import download, requirements

PROGRAMS = ("qemu-system-x86_64", "mmdebstrap", "fakeroot", "mke2fs", "npm", "ssh", "ssh-keygen", "setpriv")
BUILD_LIMIT_S = 1800.0


@dataclass(frozen=True)
class Image:
    """A folder with a disk, what boots it, and the key of the tests; and the state of the machine after booting."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.ext4"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def state(self) -> Path:
        return self.folder / "booted.state"


def missing_programs() -> list[str]:
    """What has to be installed first."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]


@contextmanager
def cached_image(tell: Callable[[str], None], boot: Callable[[Image], None]) -> Iterator[Image]:
    """The image, for this process alone until the end of the block: what is there, or made now, which takes the network.

    `boot` has to leave its `state`. Images of other recipes are removed. Raises AssertionError when it cannot be made.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openbalance-hid" / "kernel"
    cache.mkdir(parents=True, exist_ok=True)
    image = Image(cache / _fingerprint())
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for old in cache.glob("*"):
            if old.is_dir() and old != image.folder:
                shutil.rmtree(old)
        if not image.folder.exists():
            tell(f"building the guest in {image.folder}: some minutes, once")
            draft = Image(cache / "draft")
            draft.folder.mkdir()
            _make(draft)
            tell("booting it")
            boot(draft)
            draft.folder.rename(image.folder)
        yield image


def _fingerprint() -> str:
    """Of everything that disk and state depend on: the recipe, what is installed, and the emulator."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, check=True).stdout
    ingredients = {name: value for name, value in vars(recipe).items() if name.isupper()}
    return hashlib.sha256(repr((version, requirements(), ingredients)).encode()).hexdigest()[:16]


def _make(image: Image) -> None:
    folder = image.folder
    _run(folder, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests of openbalance-hid", "-f", str(image.key))
    tree, tar, wheels, others = (
        folder / name for name in ("tree", "tree.tar", Path(recipe.WHEELS).name, Path(recipe.CLIENTS).name)
    )
    download(wheels)
    clients.download(others)
    _run(
        folder,
        "mmdebstrap",
        "--variant=minbase",
        f"--architectures={recipe.ARCHITECTURE}",
        f"--include={','.join(recipe.PACKAGES)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.UNUSED),
        f"--essential-hook={recipe.BEFORE}",
        f"--customize-hook=copy-in {shlex.quote(str(wheels))} {Path(recipe.WHEELS).parent}",
        f"--customize-hook=copy-in {shlex.quote(str(others))} {Path(recipe.CLIENTS).parent}",
        f"--customize-hook={recipe.AFTER}",
        recipe.SUITE,
        str(tar),
        PUBLIC_KEY=image.key.with_suffix(".pub").read_text().strip(),
    )
    # mke2fs copies only folders; fakeroot gives the files the owners of the archive without root
    tree.mkdir()
    unpack, fill = 'tar -C "$1" --exclude "./dev/*" -xf "$2"', 'mke2fs -q -t ext4 -m 0 -d "$1" "$3" "$4"'
    words = (str(tree), str(tar), str(image.disk), recipe.DISK)
    _run(folder, "fakeroot", "sh", "-c", f'PATH="$PATH:/usr/sbin:/sbin" && {unpack} && {fill}', "sh", *words)
    for name, found in (("vmlinuz", image.kernel), ("initrd.img", image.initrd)):
        (source,) = (tree / "boot").glob(f"{name}-*")
        shutil.copyfile(source, found)
    tar.unlink()
    shutil.rmtree(tree)
    shutil.rmtree(wheels)
    shutil.rmtree(others)


def _run(folder: Path, *words: str, **variables: str) -> None:
    log = folder / "build.log"
    with log.open("ab") as out:
        ended = subprocess.run(
            ["nice", "-n", "10", *words],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=BUILD_LIMIT_S,
            check=False,
        )
    assert ended.returncode == 0, f"{words[0]} failed: {log.read_text(errors='replace')[-3000:]}"
