"""Opens a page in the user's browser: https, or the virtual deck on this machine. Nothing goes through a shell.

On Linux the desktop portal is tried first, from a process of its own (see `portal`), then xdg-open in a unit of the user's
service manager, so that the browser is outside of our sandbox, then xdg-open itself. On macOS it is `open`.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from openbalance_hid.desktop.child_process import RUN_MODULE
from openbalance_hid.desktop.process_hardening import without_key_variables

log = logging.getLogger(__name__)

PORTAL = (*RUN_MODULE, "openbalance_hid.desktop.portal")
OPENER_LIMIT_S = 10.0  # an opener passes the page to the browser and ends; one that goes on is left running


def open_url(url: str, failed: Callable[[], None] = lambda: None) -> None:
    """Open `url`; return at once. On failure another thread logs a warning and calls `failed`."""
    if not url.startswith("https://"):
        raise ValueError(f"not an https address: {url}")
    _open_on_thread(url, failed)


def open_page(url: str) -> None:
    """Open a page of the virtual deck on this machine; return at once."""
    if not url.startswith("http://127.0.0.1:"):
        raise ValueError(f"not an address of this machine: {url}")
    _open_on_thread(url, lambda: None)


def try_openers(url: str, env: Mapping[str, str], platform: str = sys.platform, limit_s: float = OPENER_LIMIT_S) -> bool:
    """Return whether one of the openers opened `url`. If not, log the reason of each."""
    reasons = []
    for command in opener_commands(url, env, platform):
        reason = _run(command, env, limit_s)
        if reason is None:
            return True
        reasons.append(f"{_name(command)}: {reason}")
    log.warning("cannot open %s: %s", url, "; ".join(reasons))
    return False


def opener_commands(url: str, env: Mapping[str, str], platform: str) -> Iterator[list[str]]:
    """Return the command lines that may open `url`, the best first."""
    if platform == "darwin":
        yield ["open", url]
        return
    yield [*PORTAL, url]
    manager = Path(env.get("XDG_RUNTIME_DIR") or "/nowhere", "systemd", "private")
    if os.access(manager, os.F_OK) and shutil.which("systemd-run", path=env.get("PATH")):
        # KillMode: the browser may be a child of xdg-open, and must survive its end.
        yield ["systemd-run", "--user", "--quiet", "--collect", "--wait", "--property=KillMode=process", "xdg-open", url]
    yield ["xdg-open", url]


def _open_on_thread(url: str, failed: Callable[[], None]) -> None:
    def run() -> None:
        if not try_openers(url, os.environ):
            failed()

    threading.Thread(target=run, name="open page", daemon=True).start()


def _run(command: list[str], env: Mapping[str, str], limit_s: float) -> str | None:
    """Return why the page was not opened; None when it was."""
    is_portal = _name(command) == "portal"  # ends by itself, and prints the reason of a failure
    try:
        ended = subprocess.run(  # noqa: S603 – a fixed program and an address of a fixed table
            command,
            env=without_key_variables(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if is_portal else subprocess.DEVNULL,
            timeout=4 * limit_s if is_portal else limit_s,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        return "not installed"
    except subprocess.TimeoutExpired:
        return "no answer" if is_portal else None  # some openers run as long as the browser
    except OSError as error:
        return error.strerror or str(error)
    if ended.returncode == 0:
        return None
    return (ended.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2] or f"exit code {ended.returncode}"


def _name(command: list[str]) -> str:
    return "portal" if tuple(command[: len(PORTAL)]) == PORTAL else command[0]
