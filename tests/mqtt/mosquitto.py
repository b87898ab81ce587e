"""Debian's Mosquitto with TLS, passwords and an ACL: the publisher writes, desks read and may request a refresh.

The configuration is the one of `docs/team.md`.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.waiting import PATIENCE_S

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/sbin")
needs_mosquitto = pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed (apt: mosquitto)")

PUBLISHER, DESK, PASSWORD = "publisher", "desk", "correct-horse"
ACL = f"""\
user {PUBLISHER}
topic readwrite openbalance/#
topic write homeassistant/device/+/config
user {DESK}
topic read openbalance/#
topic write openbalance/+/refresh
"""


class Mosquitto:
    """One broker on a free port of this machine. It can be stopped and started again: retained messages are on disk."""

    def __init__(self, folder: Path, more: str = "", expired: bool = False) -> None:
        assert PROGRAM is not None
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        authority = trustme.CA()
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        certificate = authority.issue_cert("localhost", "127.0.0.1", not_after=until)
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
        certificate.private_key_pem.write_to_path(str(folder / "server.key"))
        (folder / "acl").write_text(ACL)
        passwords = folder / "passwords"
        for user in (PUBLISHER, DESK):
            create = [] if passwords.exists() else ["-c"]
            subprocess.run(["mosquitto_passwd", "-b", *create, str(passwords), user, PASSWORD], check=True, capture_output=True)
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n"
            f"certfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
            f"allow_anonymous false\npassword_file {passwords}\nacl_file {folder}/acl\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\n"
            "user root\n" + more
        )

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    @property
    def place(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"mqtts://{self.place}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        """Start, and wait until the port is open."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([str(PROGRAM), "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log)
        end_s = time.monotonic() + PATIENCE_S
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end_s, self.log
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None


@contextmanager
def mosquitto(folder: Path, more: str = "", expired: bool = False) -> Iterator[Mosquitto]:
    """Run a broker until the end of the block."""
    broker = Mosquitto(folder, more, expired)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
