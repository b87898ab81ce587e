"""Opens a page in the owner's browser: https, or the virtual deck of this machine. Nothing goes through a shell.

On Linux the desktop's portal is asked first, by a process of its own (`portal` says why), then xdg-open in a unit of the user's
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

from openbalance_hid.desktop.process_hardening import without_key_variables

log = logging.getLogger(__name__)

PORTAL = (sys.executable, "-P", "-m", "openbalance_hid.desktop.portal")  # -P: nothing is imported from where we were started
PATIENCE_S = 10.0  # an opener hands over to the browser and ends at once; one that does not is left alone


def open_url(url: str, failed: Callable[[], None] = lambda: None) -> None:
    """Ask the desktop for `url`; returns at once. On failure a warning is in the log, and another thread calls `failed`."""
    if not url.startswith("https://"):
        raise ValueError(f"not an https address: {url}")
    _hand_over(url, failed)


def open_page(url: str) -> None:
    """Show a page of this machine, the virtual deck's; returns at once."""
    if not url.startswith("http://127.0.0.1:"):
        raise ValueError(f"not an address of this machine: {url}")
    _hand_over(url, lambda: None)


def opened(url: str, env: Mapping[str, str], platform: str = sys.platform, patience_s: float = PATIENCE_S) -> bool:
    """Whether the desktop took `url`, by the first way that works. Says in the log what was in the way of each."""
    reasons = []
    for command in commands(url, env, platform):
        reason = _run(command, env, patience_s)
        if reason is None:
            return True
        reasons.append(f"{_name(command)}: {reason}")
    log.warning("cannot open %s: %s", url, "; ".join(reasons))
    return False


def commands(url: str, env: Mapping[str, str], platform: str) -> Iterator[list[str]]:
    """What can be started to open `url`, the best first."""
    if platform == "darwin":
        yield ["open", url]
        return
    yield [*PORTAL, url]
    manager = Path(env.get("XDG_RUNTIME_DIR") or "/nowhere", "systemd", "private")
    if manager.exists() and shutil.which("systemd-run", path=env.get("PATH")):
        # KillMode: the browser may be a child of xdg-open, and is to stay when that ends.
        yield ["systemd-run", "--user", "--quiet", "--collect", "--wait", "--property=KillMode=process", "xdg-open", url]
    yield ["xdg-open", url]


def _hand_over(url: str, failed: Callable[[], None]) -> None:
    def turn() -> None:
        if not opened(url, os.environ):
            failed()

    threading.Thread(target=turn, name="open page", daemon=True).start()


def _run(command: list[str], env: Mapping[str, str], patience_s: float) -> str | None:
    """Why the page was not opened; None when it was."""
    ours = _name(command) == "portal"  # which ends by itself, and says why
    try:
        ended = subprocess.run(  # noqa: S603 – a fixed program and an address of a fixed table
            command,
            env=without_key_variables(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if ours else subprocess.DEVNULL,
            timeout=4 * patience_s if ours else patience_s,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        return "not installed"
    except subprocess.TimeoutExpired:
        return "no answer" if ours else None  # an opener stays with its browser
    except OSError as error:
        return error.strerror or str(error)
    if ended.returncode == 0:
        return None
    return (ended.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2] or f"ended with {ended.returncode}"


def _name(command: list[str]) -> str:
    return "portal" if tuple(command[: len(PORTAL)]) == PORTAL else command[0]
