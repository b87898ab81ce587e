"""A running program: started on a simulated deck of its own, observed until its first picture, ended."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.neighbours.costs import Costs, costs_of
from bench.neighbours.deck_socket import DeckSocket
from bench.neighbours.installation import CannotRunError, cache, cause
from bench.neighbours.programs import Start

SOURCE = Path(__file__).with_name("fake_hidapi.c")
LIBRARY = "libhidapi-libusb.so"  # the name that python-elgato-streamdeck loads
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
LIMIT_S = 60.0
QUIET_S = 2.0
STOP_LIMIT_S = 10.0


def build_library() -> Path:
    """Compile the fake hidapi and return its path. Raises CannotRunError without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise CannotRunError("there is no C compiler to build the simulated hidapi with")
    found = cache() / LIBRARY
    found.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", found, SOURCE], check=True)
    return found


class RunningProgram:
    """One process. `first_picture_s`: from just before its start until a key showed something."""

    def __init__(self, start: Start, deck_socket: DeckSocket, home: Path, library: Path) -> None:
        own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        way = {"LD_PRELOAD": str(library)} if start.preload else {"LD_LIBRARY_PATH": str(library.parent)}
        places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "FAKE_HIDAPI_SOCKET": str(deck_socket.path)}
        self._socket = deck_socket
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 – closed in __exit__
        self._shown = threading.Event()
        self._shown_s = 0.0
        self._end_watch = deck_socket.deck.subscribe(self._on_change)
        started_s = time.monotonic()
        self._process = subprocess.Popen(
            start.command, env={**own, **places, **way, **start.env}, cwd=home, stdout=self._output, stderr=subprocess.STDOUT
        )
        self._wait_for_picture()
        self.first_picture_s = self._shown_s - started_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._end_watch()
        self._output.close()

    def settle(self) -> None:
        """Wait until no picture has arrived for a while."""
        deadline_s = time.monotonic() + LIMIT_S
        seen = -1
        while seen != self._socket.deck.pictures_received and time.monotonic() < deadline_s:
            seen = self._socket.deck.pictures_received
            time.sleep(QUIET_S)

    def costs(self) -> Costs:
        """Return the costs so far. Raises CannotRunError when the program has ended."""
        try:
            return costs_of(self._process.pid)
        except OSError as error:
            raise CannotRunError(f"it ended while it was measured: {self._last_output()}") from error

    def press(self, key: int) -> float:
        """Press a key; return the seconds until the program had the report."""
        return self._socket.press(key)

    def _wait_for_picture(self) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while not self._shown.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                words = self._last_output()
                self.__exit__(None, None, None)
                raise CannotRunError(f"it shows nothing on the deck: {words}")

    def _on_change(self, key: int) -> None:
        if key >= 0 and not self._shown.is_set() and self._socket.deck.glass(key).getbbox() is not None:
            self._shown_s = time.monotonic()
            self._shown.set()

    def _last_output(self) -> str:
        self._output.seek(0)
        return cause(self._output.read())
