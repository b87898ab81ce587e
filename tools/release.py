"""What the release workflow does in plain steps: compare tag and version, cut the notes, fill in checksums.

python -m tools.release check v0.2.0
python -m tools.release prepare v0.2.0 dist release    # dist: the built packages; release: NOTES.md and files/ are written
"""

import hashlib
import re
import sys
from pathlib import Path

import openbalance_hid

ROOT = Path(__file__).parents[1]
NO_CHECKSUM = "0" * 64
RECIPES = ("packaging/aur/PKGBUILD", "packaging/homebrew/openbalance-hid.rb")


def checked_version(tag: str) -> str:
    """Return the version of a tag `vX.Y.Z`. SystemExit if the program has another one, or the changelog no part with a date."""
    version = tag.removeprefix("v")
    if version != openbalance_hid.__version__:
        raise SystemExit(f"the tag is {tag}, and the program has version {openbalance_hid.__version__}")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    release_notes(changelog, version)
    if re.search(rf"^## {re.escape(version)} \(unreleased\)$", changelog, re.MULTILINE):
        raise SystemExit(f"CHANGELOG.md has no date for {version}")
    return version


def release_notes(changelog: str, version: str) -> str:
    """Return the part of the changelog about a version. Raises SystemExit without one."""
    found = re.search(rf"^## {re.escape(version)}(?: [^\n]*)?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md has no part '## {version}'")
    return found[1].strip() + "\n"


def with_checksum(recipe: str, digest: str) -> str:
    """Return a recipe with the checksum of the source distribution in place of the zeros."""
    if recipe.count(NO_CHECKSUM) != 1:
        raise SystemExit("a recipe has one checksum to fill in")
    return recipe.replace(NO_CHECKSUM, digest)


def sha256(file: Path) -> str:
    """Return the digest of a file, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def prepare(version: str, dist: Path, release: Path) -> None:
    """Write notes, recipes and checksums for the packages in `dist`."""
    (source,) = dist.glob("*.tar.gz")
    files = release / "files"
    files.mkdir(parents=True)
    (release / "NOTES.md").write_text(
        release_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version), encoding="utf-8"
    )
    for name in RECIPES:
        recipe = (ROOT / name).read_text(encoding="utf-8")
        (files / Path(name).name).write_text(with_checksum(recipe, sha256(source)), encoding="utf-8")
    published = sorted([*dist.iterdir(), *files.iterdir()], key=lambda file: file.name)
    lines = [f"{sha256(file)}  {file.name}\n" for file in published]
    (files / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def main(words: list[str]) -> None:
    """Run one step."""
    match words:
        case ["check", tag]:
            checked_version(tag)
        case ["prepare", tag, dist, release]:
            prepare(checked_version(tag), Path(dist), Path(release))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
