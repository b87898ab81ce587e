"""The whole daemon as a process of its own, as a user starts it, and a page's view of its virtual deck."""

import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from tests.waiting import PATIENCE_S, until

COMMAND = [sys.executable, "-m", "openbalance_hid"]


def command_of(env: Mapping[str, str]) -> list[str]:
    """Return the command of the program, in the Python of another environment if `env` names one."""
    return [env.get("PYTHON_OF_TEST", sys.executable), *COMMAND[1:]]


class DaemonProcess:
    """A running daemon. `url`: the page of its virtual deck; `log`: its stderr so far."""

    def __init__(self, process: "subprocess.Popen[str]", env: Mapping[str, str], page: bool) -> None:
        self.process = process
        self.env = env
        self._log_lines: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        assert process.stdout is not None
        self.url = ""
        if not page:
            return
        first = process.stdout.readline()
        if not first.startswith("Virtual deck: "):
            process.wait(PATIENCE_S)
            self._reader.join(PATIENCE_S)
            raise AssertionError(f"first line of stdout is {first!r}; stderr: {self.log}")
        self.url = first.removeprefix("Virtual deck: ").strip()

    @property
    def log(self) -> str:
        return "".join(self._log_lines)

    def address(self, path: str) -> str:
        return re.sub(r"/\?token=", f"{path}?token=", self.url)

    def ask(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the environment of the daemon."""
        return ask(self.env, *words)

    def status(self) -> Any:
        return json.loads(self.ask("status", "--json").stdout)

    def until_deck(self) -> None:
        """Wait for the first deck: the address of the page is printed before the deck is opened."""
        until(lambda: self.status()["decks"], lambda: f"no deck has been opened, but {self.log}")

    def until_polled(self) -> None:
        """Wait for the end of the first poll; the balance is shown before."""
        until(lambda: self.status()["counters"]["polls"], lambda: f"no poll has ended, but {self.log}")

    def until_logged(self, words: str) -> None:
        until(lambda: words in self.log, lambda: f"{words!r} was never logged, but {self.log}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log_lines.append(line)


def ask(env: Mapping[str, str], *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command that ends by itself."""
    return subprocess.run(
        [*command_of(env), *words], env=env, input=typed, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment without the developer's own keys, configuration and keyring."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START", "PYTHONPATH")
    }
    return {
        **kept,
        "OPENBALANCE_RUNTIME_DIR": str(folder / "run"),
        "OPENBALANCE_STATE_DIR": str(folder / "state"),
        "OPENBALANCE_CONFIG": str(folder / "config.toml"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        **more,
    }


@contextmanager
def started(env: Mapping[str, str], *words: str, page: bool = True) -> Iterator[DaemonProcess]:
    """Run a daemon until the end of the block. `page`: it has a virtual deck, and prints its address."""
    process = subprocess.Popen(
        [*command_of(env), *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # as a service: without a controlling terminal SIGHUP reloads
    )
    try:
        yield DaemonProcess(process, env, page)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()


@contextmanager
def watching(running: DaemonProcess, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command with `--watch` beside the daemon, as text through pipes, and kill it at the end of the block."""
    command = [*COMMAND, *words, "--watch"]
    process = subprocess.Popen(command, env=running.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


class Page:
    """The connection of a page with the virtual deck: what each key shows, and presses."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.texts: dict[int, str] = {}
        self.pictures: dict[int, Image.Image] = {}
        self.seen: list[dict[str, Any]] = []

    def send(self, **words: object) -> None:
        self._socket.send(json.dumps(words))

    def tap(self, key: int) -> None:
        self.send(type="press", key=key)
        self.send(type="release", key=key)

    def until(self, reached: Callable[["Page"], bool]) -> None:
        """Receive messages until `reached` returns true."""
        end_s = time.monotonic() + PATIENCE_S
        while not reached(self):
            left_s = end_s - time.monotonic()
            assert left_s > 0, f"it never happened; the keys show {self.texts}"
            try:
                message = json.loads(self._socket.recv(timeout=left_s))
            except TimeoutError:
                continue
            self.seen.append(message)
            if message["type"] == "key":
                self.texts[message["key"]] = message["text"]
                if message.get("png"):
                    self.pictures[message["key"]] = Image.open(io.BytesIO(base64.b64decode(message["png"]))).convert("RGB")

    def until_key(self, key: int, words: str) -> None:
        self.until(lambda page: words in page.texts.get(key, ""))


@contextmanager
def page_of(running: DaemonProcess) -> Iterator[Page]:
    origin = requests.compat.urlsplit(running.url)
    with connect(
        running.address("/events").replace("http:", "ws:"), origin=f"http://{origin.netloc}", close_timeout=1
    ) as socket:
        yield Page(socket)
