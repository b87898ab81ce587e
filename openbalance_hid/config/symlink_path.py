"""The way to a file: which names are looked up in which directories, with every link followed as the system does it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MOST_LINKS = 8  # that are followed


class PathHop(NamedTuple):
    """A name that is looked up, and the directory where: a real one, below no link."""

    directory: Path
    name: str


def way_to(path: Path) -> tuple[PathHop, ...]:
    """Where something must happen for the file at the absolute `path` to become another, from the root on.

    Those are the file itself, each link on the way to it, and the directory that each of them is in, for one that is moved away
    takes along what is in it. Where the way does not go on, its end is in the file's place.
    """
    walked: list[PathHop] = []
    ends: list[int] = []  # the numbers of the links
    here, left = Path(path.anchor), [*reversed(path.relative_to(path.anchor).parts)]
    while left and len(ends) < MOST_LINKS:
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


def _target(path: Path) -> Path | None:
    """What a link says; None: it is none."""
    try:
        return path.readlink()
    except OSError:
        return None


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it is not for us to see
        return False
