"""A sample account, and children for its requests that a test can look at."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from openbalance_hid.desktop.child_process import ChildProcess
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.session import NewSession
from openbalance_hid.runtime.http_process import MODULE, HttpProcess
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.waiting import PATIENCE_S, until, until_no_thread

AMPLE = HttpLimits(connect_s=60.0, read_s=60.0, total_s=60.0, stream_s=60.0, body_bytes=200_000)  # for a slow machine
THREAD = "HTTP process"


class Children:
    """Starts children and remembers them. `module`: what they run."""

    def __init__(self, module: str = MODULE) -> None:
        self.module = module
        self.started: list[ChildProcess] = []

    def __call__(self, channel: socket.socket) -> ChildProcess:
        self.started.append(
            ChildProcess(self.module, channel, {**os.environ, "OPENROUTER_MANAGEMENT_KEY_X": "sk-or-v1-secret"})
        )
        return self.started[-1]

    @property
    def running(self) -> list[int]:
        return [child.pid for child in self.started if child.is_running]


@pytest.fixture
def children() -> Children:
    return Children()


@pytest.fixture
def process(children: Children) -> Iterator[HttpProcess]:
    with closing(HttpProcess(children, linger_s=PATIENCE_S)) as made:
        yield made
    until(lambda: not children.running)
    until_no_thread(THREAD)


@pytest.fixture
def account() -> Iterator[SampleAccount]:
    with SampleAccount() as made:
        yield made


def client(account: SampleAccount, new_session: NewSession, url: str = "", limits: HttpLimits = AMPLE) -> Client:
    return Client(Secret(account.key), url or account.url, limits=limits, new_session=new_session)
