"""The states in which the machine is saved: booted, with the wheel, in service. A test starts from one of them."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.kernel.guest import PATIENCE_S, Guest
from tests.kernel.image import Image
from tests.waiting import until

CONFIG = Path(__file__).with_name("config.toml")
ACCOUNT_PORT = 8000  # in the guest
API = f"OPENBALANCE_API_URL=http://127.0.0.1:{ACCOUNT_PORT}/api/v1"
DECKS_PORT = 3240  # usbip's own
OWN_PROGRAM, SYSTEM_PROGRAM = "~/.local/bin/openbalance-hid", "/usr/bin/openbalance-hid"


@dataclass(frozen=True)
class Saved:
    """A disk, and the state of its machine."""

    image: Image
    disk: Path
    state: Path


class Machine:
    """The guest with the program in it, and the commands of its user."""

    def __init__(self, guest: Guest, program: str) -> None:
        self.guest = guest
        self._program = program

    def tried(self, words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command of the program and return how it ended."""
        return self.guest.tried(f"{API} {self._program} {words}", typed=typed)

    def command(self, words: str, typed: str = "") -> str:
        """Run a command of the program, which must succeed, and return its output."""
        ended = self.tried(words, typed)
        assert ended.returncode == 0, f"{words} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def status(self) -> Any:
        return json.loads(self.command("status --json"))

    def log(self) -> str:
        """Return the log of the service."""
        return self.guest.run("journalctl --user --unit=openbalance-hid --output=cat --no-pager")

    def until_logged(self, words: str) -> None:
        """Wait for these words in the service's log: journald writes a line a moment after the service has."""
        until(lambda: words in self.log(), lambda: f"{words!r} is not in the log: {self.log()}", PATIENCE_S)

    def seconds_between(self, first: str, then: str) -> float:
        """Return the time by the guest's clock between the last lines of its journal with these words."""
        lines = self.guest.root("journalctl --output=short-monotonic --no-pager").splitlines()
        at = [[float(line[1:].partition("]")[0]) for line in lines if words in line][-1] for words in (first, then)]
        return at[1] - at[0]

    def configure(self, file: Path) -> None:
        """Install a configuration file."""
        self.guest.put([file], "~/.config/openbalance-hid")

    def allow(self, options: str = "") -> None:
        """Install the rules as a user would: by the line that the program prints."""
        output = self.command(f"udev install {options}")
        (line,) = (line for line in output.splitlines() if "udevadm control" in line)
        self.guest.run(line)


def boot(image: Image) -> None:
    """Start the machine for the first time and save it; its changes on the disk stay."""
    with Guest(image, image.folder, image.disk, kept=True) as guest:
        guest.run("systemctl is-system-running --wait")
        guest.until("loginctl list-sessions | grep seat0")
        guest.save(image.state)


def install(booted: Saved, folder: Path, wheel: Path, account: SampleAccount) -> Saved:
    """Install the wheel and store a key, as the user."""
    with _changing(booted, folder, account) as (machine, saved):
        guest = machine.guest
        guest.put([wheel], "/tmp/wheel")
        guest.run("app/bin/pip install --quiet --no-index /tmp/wheel/*.whl")
        guest.run("mkdir -p .local/bin && ln -s ~/app/bin/openbalance-hid .local/bin/")
        machine.configure(CONFIG)
        machine.command("setup --stdin --store file", typed=f"{account.key}\n")
        guest.save(saved.state)
    return saved


def put_in_service(installed: Saved, folder: Path, account: SampleAccount) -> Saved:
    """Install rules and service with the program's own commands; it runs without a deck."""
    with _changing(installed, folder, account) as (machine, saved):
        machine.allow()
        machine.command("service install")
        machine.guest.save(saved.state)
    return saved


@contextmanager
def started(saved: Saved, folder: Path, account: SampleAccount, program: str = OWN_PROGRAM) -> Iterator[Machine]:
    """Start a saved machine; its changes are discarded. `folder`: for logs."""
    with Guest(saved.image, folder, saved.disk, state=saved.state) as guest:
        yield _greeted(guest, account, program)


@contextmanager
def _changing(before: Saved, folder: Path, account: SampleAccount) -> Iterator[tuple[Machine, Saved]]:
    folder.mkdir()
    after = Saved(before.image, folder / "disk.ext4", folder / "saved.state")
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(before.disk), str(after.disk)], check=True)
    with Guest(before.image, folder, after.disk, kept=True, state=before.state) as guest:
        yield _greeted(guest, account), after


def _greeted(guest: Guest, account: SampleAccount, program: str = OWN_PROGRAM) -> Machine:
    """Make the account reachable, also for the user's services, and set the clock."""
    guest.reach(ACCOUNT_PORT, int(account.url.split(":")[2].split("/")[0]))
    guest.set_clock()
    guest.run(f"systemctl --user set-environment {API}")  # a unit never has the address of an API
    return Machine(guest, program)
