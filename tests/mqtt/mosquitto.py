"""Debian's Mosquitto with TLS, passwords and an ACL: the publisher writes, desks read and may request a refresh.

The configuration is the one of `docs/team.md`.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.waiting import PATIENCE_S, until

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/sbin")
needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None or shutil.which("mosquitto_pub") is None,
    reason="mosquitto and its clients are not installed (apt: mosquitto mosquitto-clients)",
)

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
        self._log_start = 0
        authority = trustme.CA()
        ends_at = datetime.now(UTC) - timedelta(days=1) if expired else None
        certificate = authority.issue_cert("localhost", "127.0.0.1", not_after=ends_at)
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
        """What it has logged since its last start."""
        return (self.folder / "log").read_bytes()[self._log_start :].decode()

    def start(self) -> None:
        """Start, and wait until it serves, by its log.

        Not by a connection: Mosquitto counts one that ends in its TLS handshake as two that have left (`max_connections`).
        """
        with (self.folder / "log").open("ab") as log:
            self._log_start = log.tell()
            self._process = process = subprocess.Popen(
                [str(PROGRAM), "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        until(lambda: " running\n" in self.log or process.poll() is not None, lambda: self.log)
        assert process.poll() is None, self.log

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
