"""Where a command puts what it has made: a file, or standard output for `-`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from openbalance_hid.errors import UsageError

STDOUT = Path("-")


def put(file: Path, made: bytes) -> None:
    """Writes `made`. UsageError when the system refuses the file."""
    if file == STDOUT:
        if sys.stdout is not None:  # None: started with it closed
            sys.stdout.buffer.write(made)
        return
    try:
        file.write_bytes(made)
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {(error.strerror or str(error)).lower()}", f"ls -ld {shlex.quote(str(file.parent))}"
        ) from error
