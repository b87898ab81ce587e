"""A program at work: started on a simulated deck of its own, watched until its first picture, ended."""

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
from bench.neighbours.homes import CannotRunError, cache, last_line
from bench.neighbours.programs import Start
from bench.neighbours.wire import Wire

SOURCE = Path(__file__).with_name("fake_hidapi.c")
LIBRARY = "libhidapi-libusb.so"  # the name by which python-elgato-streamdeck asks for it
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
PATIENCE_S = 60.0
QUIET_S = 2.0
STOP_LIMIT_S = 10.0


def build_library() -> Path:
    """The fake hidapi, compiled anew. Raises CannotRunError without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise CannotRunError("there is no C compiler to build the simulated hidapi with")
    found = cache() / LIBRARY
    found.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", found, SOURCE], check=True)
    return found


class Running:
    """One process. `first_picture_s`: from just before its start until a key showed something."""

    def __init__(self, start: Start, wire: Wire, home: Path, library: Path) -> None:
        own = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        way = {"LD_PRELOAD": str(library)} if start.preload else {"LD_LIBRARY_PATH": str(library.parent)}
        places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "FAKE_HIDAPI_SOCKET": str(wire.socket_file)}
        self._wire = wire
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 – closed in __exit__
        self._lit = threading.Event()
        self._lit_s = 0.0
        self._end_watch = wire.deck.subscribe(self._look)
        began_s = time.monotonic()
        self._process = subprocess.Popen(
            start.command, env={**own, **places, **way, **start.env}, cwd=home, stdout=self._said, stderr=subprocess.STDOUT
        )
        self._await_light()
        self.first_picture_s = self._lit_s - began_s

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
        self._said.close()

    def settle(self) -> None:
        """Returns when no picture has come for a while."""
        deadline_s = time.monotonic() + PATIENCE_S
        seen = -1
        while seen != self._wire.deck.pictures_received and time.monotonic() < deadline_s:
            seen = self._wire.deck.pictures_received
            time.sleep(QUIET_S)

    def costs(self) -> Costs:
        """So far. Raises CannotRunError when it has ended."""
        try:
            return costs_of(self._process.pid)
        except OSError as error:
            raise CannotRunError(f"it ended while it was measured: {self._last_words()}") from error

    def press(self, key: int) -> float:
        """Seconds until it had the report."""
        return self._wire.press(key)

    def _await_light(self) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._lit.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                words = self._last_words()
                self.__exit__(None, None, None)
                raise CannotRunError(f"it shows nothing on the deck: {words}")

    def _look(self, key: int) -> None:
        if key >= 0 and not self._lit.is_set() and self._wire.deck.glass(key).getbbox() is not None:
            self._lit_s = time.monotonic()
            self._lit.set()

    def _last_words(self) -> str:
        self._said.seek(0)
        return last_line(self._said.read())
