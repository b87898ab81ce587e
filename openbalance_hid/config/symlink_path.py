"""The names and directories that the system looks up on the path to a file, every symbolic link followed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MAX_LINKS = 8  # followed; more are a loop


class PathHop(NamedTuple):
    """A name that is looked up, and the directory where. The path of that directory contains no link."""

    directory: Path
    name: str


def hops_to(path: Path) -> tuple[PathHop, ...]:
    """Return where a change can replace the file at the absolute `path`, from the root down.

    These are the file, each link on its path, and the directory that contains each of them: a directory that is moved takes its
    files along. If part of the path does not exist, the first missing name takes the place of the file.
    """
    walked: list[PathHop] = []
    ends: list[int] = []  # the numbers of the links
    here, left = Path(path.anchor), [*reversed(path.relative_to(path.anchor).parts)]
    while left and len(ends) < MAX_LINKS:
        if (name := left.pop()) == "..":
            here = here.parent
            continue
        walked.append(PathHop(here, name))
        target = _target(here / name)
        if target is not None:
            ends.append(len(walked) - 1)
            here /= target.anchor
            left += reversed(target.relative_to(target.anchor).parts)
        elif _is_directory(here / name):
            here /= name
        else:
            break
    ends.append(len(walked) - 1)
    matter = {number for end in ends for number in (end - 1, end) if number >= 0}
    return tuple(walked[number] for number in sorted(matter))


def dangling_link(path: Path) -> tuple[Path, Path] | None:
    """Return the link on the way to `path` that leads to nothing, and its target; None: there is none."""
    links = ((each, target) for each in (path, *path.parents) if (target := _target(each)) is not None)
    return next(((link, target) for link, target in links if not _exists(link)), None)


def _target(path: Path) -> Path | None:
    """Return the target of a link; None: not a link."""
    try:
        return path.readlink()
    except OSError:
        return None


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no permission
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # no permission
        return True
