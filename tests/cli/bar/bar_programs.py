"""The real programs that parse the line of a bar, as far as they run without a screen, and their result."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE_S

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
needs_i3blocks = pytest.mark.skipif(shutil.which("i3blocks") is None, reason="i3blocks is not installed")
_LIBRARY = ctypes.util.find_library("pango-1.0")
needs_pango = pytest.mark.skipif(_LIBRARY is None, reason="Pango is not installed (apt: libpango-1.0-0)")


def pango_text(markup: str) -> str | None:
    """Return the text that Pango shows for its markup; None if the markup is invalid."""
    parse = ctypes.CDLL(_LIBRARY).pango_parse_markup
    parse.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32, *[ctypes.c_void_p] * 4]
    text = ctypes.c_char_p()
    raw = markup.encode()
    good = parse(raw, len(raw), 0, None, ctypes.addressof(text), None, None)
    return text.value.decode() if good and text.value is not None else None


def i3blocks_block(line: str, folder: Path) -> dict[str, Any]:
    """Return the block that i3blocks passes to the bar for the output of its command."""
    (folder / "line").write_text(line + "\n")
    (folder / "i3blocks.conf").write_text(f"[ours]\ncommand=cat {folder / 'line'}\nformat=json\ninterval=once\n")
    with subprocess.Popen(["i3blocks", "-c", str(folder / "i3blocks.conf")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                blocks = json.loads(line.strip().strip(",")) if "full_text" in line else []
                if blocks and blocks[-1]["full_text"]:  # the first one is empty; the second follows when the command has ended
                    return dict(blocks[-1])
        finally:
            process.kill()
    raise AssertionError("i3blocks handed on nothing")


@contextlib.contextmanager
def tmux_status(line: str, folder: Path) -> Iterator[str]:
    """Return tmux's status line for `#(…)` of a program that prints `line`, as an outer tmux shows it."""
    (folder / "line").write_text(line + "\n")
    (folder / "inner.conf").write_text(
        f'set -g status-left ""\nset -g status-right "#(cat {folder / "line"})"\nset -g status-right-length 250\n'
        'set -g status-interval 1\nset -g window-status-format ""\nset -g window-status-current-format ""\n'
    )
    outer = ["tmux", "-u", "-f", "/dev/null", "-S", str(folder / "o")]
    inner = f"exec env -u TMUX TERM=screen tmux -u -f {folder / 'inner.conf'} -S {folder / 'i'} new-session 'sleep 60'"
    env = {**os.environ, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
    subprocess.run([*outer, "new-session", "-d", "-x", "260", "-y", "6", inner], env=env, check=True)
    try:
        end_s, shown = time.monotonic() + PATIENCE_S, ""
        while not shown.strip().endswith("END") and time.monotonic() < end_s:
            time.sleep(0.1)
            rows = subprocess.run([*outer, "capture-pane", "-p"], env=env, capture_output=True, text=True, check=True).stdout
            shown = next((row for row in reversed(rows.splitlines()) if row.strip()), "")
        yield shown.strip()
    finally:
        for place in ("i", "o"):
            subprocess.run(["tmux", "-S", str(folder / place), "kill-server"], check=False)
