"""Connections to the first address that answers, and to this machine alone by the name localhost."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.happy_eyeballs import connect_tcp
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

LIMIT_S = 40.0
needs_ipv6 = pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")


@contextmanager
def listening(host: str) -> Iterator[tuple[str, int]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen()
        yield server.getsockname()[:2]


@contextmanager
def silent(host: str) -> Iterator[tuple[str, int]]:
    """Yield an address that neither accepts nor refuses a connection: its queue is full."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as opened:
        server = opened.enter_context(socket.socket(family))
        server.bind((host, 0))
        server.listen(0)
        for _ in range(4):
            filler = opened.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield server.getsockname()[:2]


@contextmanager
def refusing(host: str) -> Iterator[tuple[str, int]]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        bound.bind((host, 0))
        yield bound.getsockname()[:2]


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    families = [socket.AF_INET6 if ":" in host else socket.AF_INET for host, _ in addresses]
    found = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in zip(families, addresses, strict=True)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@needs_ipv6
@pytest.mark.parametrize("count", [1, 3])
def test_addresses_that_do_not_answer_hold_up_no_connection(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    with silent("::1") as dead, listening("127.0.0.1") as good:
        resolving_to(monkeypatch, *[dead] * count, good)
        with connect_tcp("name.example", 443, LIMIT_S) as connected:
            assert connected.getpeername()[:2] == good
            assert connected.gettimeout() == LIMIT_S


@needs_ipv6
def test_a_refused_address_leads_to_the_next_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing("::1") as bad, listening("127.0.0.1") as good:
        resolving_to(monkeypatch, *[bad] * 200, good)  # 200 delays would be longer than the limit
        with connect_tcp("name.example", 443, LIMIT_S) as connected:
            assert connected.getpeername()[:2] == good


def test_without_an_answer_in_time_the_connection_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent("127.0.0.1") as dead:
        resolving_to(monkeypatch, dead)
        with pytest.raises(TimeoutError):
            connect_tcp("name.example", 443, 0.05)


def test_when_every_address_refuses_the_connection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing("127.0.0.1") as bad:
        resolving_to(monkeypatch, bad, bad)
        with pytest.raises(ConnectionRefusedError):
            connect_tcp("name.example", 443, LIMIT_S)


def test_a_name_that_does_not_resolve_is_an_error_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(socket.gaierror):
        connect_tcp(f"{'x' * 64}.example", 443, LIMIT_S)


def test_localhost_is_this_machine_whatever_the_hosts_file_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver leads to another server, which must never get the key."""
    with SampleAccount() as account, listening("127.0.0.1") as evil:
        resolving_to(monkeypatch, evil)
        for name in ("localhost", "LOCALHOST"):
            url = account.url.replace("127.0.0.1", name)
            with Client(Secret(account.key), url) as client:
                assert client.credits().total_credits_usd > 0


@needs_ipv6
def test_localhost_is_found_on_ipv6_alone() -> None:
    with listening("::1") as (_, port), connect_tcp("localhost", port, LIMIT_S) as connected:
        assert connected.getpeername()[0] == "::1"
