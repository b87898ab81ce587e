"""How long the path of a Unix socket may be on each system: for both ends of the control socket, and for `doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from openbalance_hid.hints import hint

# Bytes without the final zero byte. `sun_path` has 104 on macOS and the BSDs (<sys/un.h>), and 108 on Linux (unix(7)).
SOCKET_PATH_LIMITS: Mapping[str, int] = MappingProxyType({"linux": 107, "darwin": 103})
SHORTEST_LIMIT = 103


def socket_path_problem(file: Path, platform: str = sys.platform) -> str:
    """Return why no socket can have this path: it is too long. Empty without a problem."""
    length, limit = len(os.fsencode(file)), SOCKET_PATH_LIMITS.get(platform, SHORTEST_LIMIT)
    return f"the path of the socket is {length} bytes long, more than the limit of {limit}: {file}" if length > limit else ""


def shorter_path_command(env: Mapping[str, str]) -> str:
    """Return the command that makes the path of the socket shorter."""
    is_set = bool(env.get("OPENBALANCE_RUNTIME_DIR"))
    return hint(
        "the OPENBALANCE_RUNTIME_DIR that is set is too long" if is_set else "the path of the control socket is too long"
    )
