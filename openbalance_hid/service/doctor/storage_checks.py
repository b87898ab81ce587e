"""Checks of the configuration file, the directories and the history database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openbalance_hid.config.private_directory import check_private
from openbalance_hid.errors import ConfigError, OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.socket_path import shorter_path_command, socket_path_problem
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext

if TYPE_CHECKING:
    from openbalance_hid.history.checkup import Condition

LEAST_FREE_BYTES = 256 * 1024  # a write of the history, with its log, needs about half of it
_EXIT_CODE = ConfigError.exit_code


@dataclass(frozen=True, slots=True)
class DirectoryFacts:
    """A directory of this program. `problem`: why it cannot be used; `exists`: it was created already."""

    name: str
    path: str
    exists: bool
    problem: OpenBalanceError | None = None


def check_configuration(context: DoctorContext) -> list[Check]:
    """Check the file, and whether the connected decks have the keys and dials that it configures."""
    file = context.paths.config_file
    try:
        context.config()
    except ConfigError as error:
        return assess_configuration(str(file), True, error, ())
    return assess_configuration(str(file), file.exists(), None, _mismatches(context))


def assess_configuration(path: str, exists: bool, error: ConfigError | None, mismatches: Sequence[str]) -> list[Check]:
    """Return one check for each problem. `mismatches`: what the connected decks do not have."""
    if error is not None:
        return [
            failure("configuration", line, error.hint or hint("the configuration has problems", "doctor"), error.exit_code)
            for line in error.message.splitlines()
            if line.strip()
        ]
    good = ok("configuration", f"{path} is valid" if exists else f"no file at {path}: the defaults are used")
    return [
        good,
        *(
            warning("configuration", mismatch, hint("the configuration names what a deck does not have"))
            for mismatch in mismatches
        ),
    ]


def check_directories(context: DoctorContext) -> list[Check]:
    """Check the directories without creating them."""
    paths = context.paths
    found = [_directory("state", paths.state_dir), _directory("runtime", paths.runtime_dir)]
    problem = socket_path_problem(paths.socket_file, context.platform)
    return assess_directories(found, problem, shorter_path_command(context.env))


def assess_directories(found: Sequence[DirectoryFacts], socket_problem: str = "", command: str = "") -> list[Check]:
    """Return one check for each directory, and one when the path of the socket is too long. `command`: makes it shorter."""
    checks = [_assess_directory(directory) for directory in found]
    if socket_problem:
        checks.append(failure("directories", socket_problem, command, _EXIT_CODE, "runtime"))
    return checks


def check_history(context: DoctorContext) -> list[Check]:
    """Check the database by reading all of it."""
    from openbalance_hid.history.checkup import condition

    file = context.paths.history_file
    return assess_history(str(file), condition(file))


def assess_history(path: str, seen: Condition) -> list[Check]:
    """Return the state of the database, and a warning when a damaged one was set aside."""
    if seen.trouble is not None:
        return [
            failure("history", f"{path}: {seen.trouble}", hint("the history cannot be read", "doctor", path=path), _EXIT_CODE)
        ]
    if not seen.exists:
        checks = [ok("history", "none yet")]
    else:
        checks = [ok("history", f"{seen.samples} samples, {seen.size_bytes / 1024:.0f} KiB, no damage")]
    if seen.set_aside:
        newest = seen.set_aside[-1]
        checks.append(
            warning(
                "history", f"a damaged file was renamed to {newest}", hint("the history cannot be read", "doctor", path=path)
            )
        )
    return checks


def _assess_directory(directory: DirectoryFacts) -> Check:
    if directory.problem is None:
        state = "is private" if directory.exists else "will be created at the first start"
        return ok("directories", f"{directory.path} {state}", directory.name)
    command = directory.problem.hint or hint("a directory is not safe", path=directory.path)
    return failure("directories", directory.problem.message, command, _EXIT_CODE, directory.name)


def _directory(name: str, path: Path) -> DirectoryFacts:
    if not os.path.lexists(path):
        return DirectoryFacts(name, str(path), False, _creation_problem(path))
    try:
        check_private(path)
    except ConfigError as error:
        return DirectoryFacts(name, str(path), True, error)
    return DirectoryFacts(name, str(path), True, _write_problem(path))


def _creation_problem(path: Path) -> ConfigError | None:
    parent = next(parent for parent in path.parents if os.path.lexists(parent))  # a link that leads nowhere too
    if parent.is_dir() and _is_writable(parent):
        return _space_problem(parent)
    if parent.is_dir() and os.statvfs(parent).f_flag & os.ST_RDONLY:
        return _read_only(f"cannot create {path}", parent)
    reason = "is not writable" if parent.is_dir() else "is not a directory"
    return ConfigError(f"cannot create {path}: {parent} {reason}", hint("a directory is not safe", path=parent))


def _write_problem(directory: Path) -> ConfigError | None:
    if _is_writable(directory):
        return _space_problem(directory)
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        return _read_only(f"cannot write to {directory}", directory)
    return ConfigError(f"cannot write to {directory}: permission denied", hint("a directory is open to others", path=directory))


def _read_only(trouble: str, directory: Path) -> ConfigError:
    return ConfigError(f"{trouble}: its file system is read-only", hint("a directory is read-only", path=directory))


def _space_problem(directory: Path) -> ConfigError | None:
    """Return why no file can be written, though that is permitted. A file system without a number of files counts none."""
    found = os.statvfs(directory)
    if found.f_bavail * found.f_frsize >= LEAST_FREE_BYTES and (found.f_favail > 0 or found.f_files == 0):
        return None
    full = "has no free space" if found.f_bavail * found.f_frsize < LEAST_FREE_BYTES else "can hold no more files"
    return ConfigError(f"cannot write to {directory}: its file system {full}", hint("a directory is full", path=directory))


def _is_writable(directory: Path) -> bool:
    return os.access(directory, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _mismatches(context: DoctorContext) -> list[str]:
    from openbalance_hid.config.default_layout import check_against_deck

    if context.platform == "darwin":  # only the thread of `check_decks` may list them; `config check` reports the rest
        return []
    try:
        decks, status = context.decks(), context.daemon() or {}
    except OpenBalanceError:
        return []
    config = context.config()
    virtual = {deck["serial"] for deck in status.get("decks", ())}
    return config.misfits({found.serial for found in decks} | virtual) + [
        str(problem)
        for found in decks
        for problem in check_against_deck(
            config.deck_for(found.serial),
            found.deck.key_count(),
            found.deck.dial_count(),
            only_half=bool(found.deck.dial_count() or found.deck.touch_key_count()),
        )
    ]
