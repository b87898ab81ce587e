"""A machine of its own under QEMU: booted, or as it was when its state was saved; spoken to through ssh.

No KVM, so that it runs wherever there is a processor; it is some ten times slower than the machine under it. The guest reaches
nothing by itself. What it is to reach on this machine is brought to its own loopback by ssh. QEMU ends with this process.
"""

import json
import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.kernel.image import Image
from tests.kernel.recipe import KERNEL_WORDS, MACHINE, OWNER

# Reached only when something never happens: on a busy machine the guest is a hundred times slower than that machine.
PATIENCE_S = 600.0  # a limit for what takes seconds
BOOT_LIMIT_S = 1800.0
COMMAND_LIMIT_S = 1800.0  # an installation compiles for minutes
QUIET = ("-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes")


class Guest:
    """`with Guest(image, folder) as guest`. `disk`: its own; `kept`: what is written to it stays.

    `state`: continue from there rather than boot. `folder`: a short path for sockets and logs.
    """

    def __init__(
        self, image: Image, folder: Path, disk: Path | None = None, kept: bool = False, state: Path | None = None
    ) -> None:
        self._image = image
        self._folder = folder
        self._disk = disk or image.disk
        self._kept = kept
        self._state = state
        self._logins: dict[str, int] = {}  # how often each user has logged in; the last login is his shell
        self._port = 0

    def __enter__(self) -> "Guest":
        ours, theirs = socket.socketpair()
        with theirs, (self._folder / "qemu.log").open("wb") as log:
            words, monitor = self._arguments(theirs.fileno()), (theirs.fileno(),)
            self._qemu = subprocess.Popen(words, pass_fds=monitor, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._monitor = _Monitor(ours)
        try:
            self._monitor.greet()
            self._go_on()
            self._port = self._forwarded_port()
            self._let_in(OWNER, BOOT_LIMIT_S)
        except BaseException as error:
            self.__exit__(None, None, None)
            error.add_note((self._folder / "qemu.log").read_text(errors="replace"))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leave()
        self._monitor.close()
        self._qemu.kill()
        self._qemu.wait()

    # --- what is done in it ---

    def run(self, command: str, user: str = OWNER, typed: str | bytes = b"", check: bool = True) -> str:
        """What a shell of that user prints on stdout; with `check` it must end with 0."""
        ended = self.tried(command, user, typed)
        assert not check or ended.returncode == 0, f"{command!r} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def tried(self, command: str, user: str = OWNER, typed: str | bytes = b"") -> "subprocess.CompletedProcess[str]":
        """How a command of that user ended."""
        if user not in self._logins:
            self._let_in(user, PATIENCE_S)
        given = typed.encode() if isinstance(typed, str) else typed
        ended = subprocess.run(
            self._ssh(user, "--", command), input=given, capture_output=True, timeout=COMMAND_LIMIT_S, check=False
        )
        return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def root(self, command: str) -> str:
        """The same for root."""
        return self.run(f"sudo sh -c {shlex.quote(command)}")

    def until(self, command: str, user: str = OWNER) -> str:
        """Run a command again and again until it ends with 0, and return its output."""
        end_s = time.monotonic() + PATIENCE_S
        while (ended := self.tried(command, user)).returncode:
            assert time.monotonic() < end_s, f"{command!r} still ends with {ended.returncode}: {ended.stdout}{ended.stderr}"
            time.sleep(0.2)
        return ended.stdout

    def words_for_terminal(self, command: str) -> list[str]:
        """Return what runs a command of the user on a terminal of the guest."""
        return self._ssh(OWNER, "-tt", "--", command)

    def put(self, files: Sequence[Path], place: str) -> None:
        """Copy files into a folder of the user, which is created."""
        packed = subprocess.run(
            ["tar", "-c", *(word for file in files for word in ("-C", str(file.parent), file.name))],
            capture_output=True,
            check=True,
        )
        self.run(f"mkdir -p {place} && tar -x -C {place}", typed=packed.stdout)

    def log_in_again(self) -> None:
        """Run the user's commands through a new login from now on: groups are fixed at a login."""
        self._let_in(OWNER, PATIENCE_S)

    def reach(self, port: int, ours: int) -> None:
        """Forward the guest's own 127.0.0.1:`port` to this machine's port `ours`."""
        words = self._ssh(OWNER, "-O", "forward", "-R", f"127.0.0.1:{port}:127.0.0.1:{ours}")
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr

    def set_clock(self) -> None:
        """Set the guest's wall clock to ours: a restored machine has the time at which it was saved."""
        self.root(f"date --set=@{time.time():.0f}")

    def save(self, state: Path) -> None:
        """End the machine and save its state, to be restored with the same disk."""
        self.root("sync && echo 3 > /proc/sys/vm/drop_caches")
        self._leave()
        self._monitor.ask("stop")
        self._monitor.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        draft = state.with_suffix(".draft")
        self._monitor.ask("migrate", uri=f"exec:cat > {shlex.quote(str(draft))}")
        end_s = time.monotonic() + PATIENCE_S
        while (reply := self._monitor.ask("query-migrate"))["status"] != "completed":
            assert reply["status"] != "failed" and time.monotonic() < end_s, reply
            time.sleep(0.1)
        self._monitor.ask("quit")
        self._qemu.wait(PATIENCE_S)
        draft.rename(state)

    # --- the machine under it ---

    def _arguments(self, monitor: int) -> list[str]:
        image, disk = self._image, self._disk
        return [
            *("setpriv", "--pdeathsig", "KILL", "nice", "-n", "10", "qemu-system-x86_64"),
            *(*MACHINE, "-nodefaults", "-no-user-config", "-display", "none"),
            *("-serial", f"file:{self._folder}/console.log"),
            *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
            *("-append", KERNEL_WORDS),
            *("-drive", f"file={disk},format=raw,if=virtio,cache=unsafe,snapshot={'off' if self._kept else 'on'}"),
            *(
                "-netdev",
                "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22",
                "-device",
                "virtio-net-pci,netdev=net,romfile=",
            ),
            *("-device", "virtio-rng-pci"),
            *(("-incoming", f"exec:cat {shlex.quote(str(self._state))}") if self._state is not None else ()),
        ]

    def _go_on(self) -> None:
        """Continue a restored machine: it is paused after it has been read."""
        if self._state is not None:
            end_s = time.monotonic() + PATIENCE_S
            while self._monitor.ask("query-status")["status"] == "inmigrate":
                assert time.monotonic() < end_s, "the saved state is still being read"
                time.sleep(0.05)
            self._monitor.ask("cont")

    def _forwarded_port(self) -> int:
        """Return the port of this machine that QEMU has picked for the guest's ssh."""
        reply = self._monitor.ask("human-monitor-command", **{"command-line": "info usernet"})
        (line,) = (line for line in reply.splitlines() if "HOST_FORWARD" in line)
        return int(line.split()[3])

    # --- ssh ---

    def _socket(self, user: str, login: int) -> str:
        return str(self._folder / f"{user}{login}.ssh")

    def _ssh(self, user: str, *words: str, login: int | None = None) -> list[str]:
        return ["ssh", "-S", self._socket(user, login or self._logins[user]), f"{user}@127.0.0.1", *words]

    def _let_in(self, user: str, limit_s: float) -> None:
        """Open the connection that all commands of that user share; retried until the guest is up."""
        login = self._logins.get(user, 0) + 1
        words = [
            "ssh",
            "-f",
            "-N",
            "-M",
            "-S",
            self._socket(user, login),
            "-p",
            str(self._port),
            "-i",
            str(self._image.key),
            *QUIET,
        ]
        words += ["-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=60", f"{user}@127.0.0.1"]
        log, end_s = self._folder / "ssh.log", time.monotonic() + limit_s
        while True:
            with log.open("ab") as out:  # and not a pipe, which the connection would keep open
                ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
            if ended.returncode == 0:
                self._logins[user] = login
                return
            assert self._qemu.poll() is None, "QEMU has ended"
            assert time.monotonic() < end_s, f"no answer: {log.read_text()[-500:]}"
            time.sleep(1.0)

    def _leave(self) -> None:
        for user, logins in self._logins.items():
            for login in range(1, logins + 1):
                subprocess.run(self._ssh(user, "-O", "exit", login=login), capture_output=True, check=False)
        self._logins.clear()


class _Monitor:
    """QEMU's protocol QMP: a JSON object a line, replies in order, events in between."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        wire.settimeout(PATIENCE_S)
        self._lines = wire.makefile("r")

    def greet(self) -> None:
        self._receive("QMP")
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: object) -> Any:
        self._wire.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        return self._receive("return")

    def close(self) -> None:
        self._lines.close()
        self._wire.close()

    def _receive(self, kind: str) -> Any:
        for line in self._lines:
            word = json.loads(line)
            assert "error" not in word, word
            if kind in word:
                return word[kind]
        raise AssertionError("QEMU has closed the connection")
