"""Small files that only this user may read: refused when others may, and written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from openbalance_hid.errors import CredentialError, OpenBalanceError
from openbalance_hid.hints import hint

LARGEST_BYTES = 64 * 1024


class KeyPaths(Protocol):
    """The directories; `private_dir` creates one that only this user may enter, or raises OpenBalanceError."""

    @property
    def state_dir(self) -> Path: ...
    @property
    def key_file_dir(self) -> Path: ...
    def private_dir(self, path: Path) -> Path: ...


def read_private(path: Path) -> str | None:
    """Return the text of the file, None if it does not exist.

    CredentialError when it is a link or no regular file, belongs to another user, is open to others, or cannot be read.
    """
    with _opened(path) as file:
        if file is None:
            return None
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise CredentialError(f"{path} is not a file", _look(path))
        if found.st_uid != os.geteuid():
            raise CredentialError(f"{path} belongs to user {found.st_uid}, not to {os.geteuid()}", _look(path))
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            raise CredentialError(f"{path} is open to others: mode {mode:04o}", hint("a key file is open to others", path=path))
        return _text(file, path)


def read_credential(path: Path) -> str | None:
    """Return the text of a file from the service manager, which sets its owner and mode; None if it does not exist."""
    with _opened(path) as file:
        if file is None:
            return None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise CredentialError(f"{path} is not a file", _look(path))
        return _text(file, path)


def write_private(path: Path, text: str) -> None:
    """Write `text` to the file at `path`, mode 0600, whole or not at all.

    The directory must be private already. CredentialError on failure; the old file is then unchanged.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            draft.rename(path)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    except OSError as error:
        raise CredentialError(f"cannot write {path}: {_reason(error)}", _look(path.parent)) from error


def private_dir(paths: KeyPaths, path: Path) -> Path:
    """Return `path`, a directory below the state directory, after making it private. CredentialError on failure."""
    try:
        paths.private_dir(paths.state_dir)
        return paths.private_dir(path)
    except CredentialError:
        raise
    except OpenBalanceError as error:
        raise CredentialError(error.message, error.hint) from error


def remove(path: Path) -> bool:
    """Remove the file. Return whether it existed. CredentialError on failure."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CredentialError(f"cannot remove {path}: {_reason(error)}", _look(path)) from error
    return True


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        # O_NONBLOCK: a pipe under this name must not block.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    except OSError as error:
        what = "is a link, not a file" if error.errno == errno.ELOOP else f"cannot be read: {_reason(error)}"
        raise CredentialError(f"{path} {what}", _look(path)) from error
    try:
        yield file
    finally:
        os.close(file)


def _text(file: int, path: Path) -> str:
    try:
        raw = os.read(file, LARGEST_BYTES + 1)
        if len(raw) > LARGEST_BYTES:
            raise CredentialError(f"{path} is larger than {LARGEST_BYTES // 1024} KiB", _look(path))
        return raw.decode("utf-8")
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {_reason(error)}", _look(path)) from error
    except UnicodeDecodeError:
        pass
    raise CredentialError(f"{path} is not text", _look(path))  # not `from`: a UnicodeDecodeError carries the bytes


def _look(path: Path) -> str:
    return f"ls -ld {shlex.quote(str(path))}"


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
