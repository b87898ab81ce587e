"""Which requests go through the proxy of the environment. What goes through it is in `test_tls`."""

import base64

import pytest

from openbalance_hid.openrouter.connections import ReadBudget, connection_pool

PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("https_proxy", PROXY)


def proxy_of(origin: str) -> str | None:
    pool = connection_pool(origin, ReadBudget(lambda: 0.0))
    return None if pool.proxy is None else f"{pool.proxy.scheme}://{pool.proxy.host}:{pool.proxy.port}"


@pytest.mark.parametrize(
    ("origin", "no_proxy", "is_direct"),
    [
        ("https://openrouter.ai", "", False),
        ("https://openrouter.ai", "openrouter.ai", True),
        ("https://openrouter.ai", "other.test, .ai", True),
        ("https://openrouter.ai", "router.ai", False),
        ("https://openrouter.ai", "*", True),
        ("https://openrouter.ai", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://10.1.2.3:8443", "192.168.0.0/16,10.1.2.3/24", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.1.2.3", True),
        ("https://[fd00::1]", "fd00::/8", True),
        ("https://[fe80::1]", "fd00::/8,nonsense/99", False),
        ("http://127.0.0.1:9", "", True),
    ],
)
def test_no_proxy_names_hosts_and_networks_that_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch, origin: str, no_proxy: str, is_direct: bool
) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_of(origin) == (None if is_direct else PROXY)


def test_a_proxy_without_a_scheme_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.test:3128")
    assert proxy_of("https://openrouter.ai") == PROXY


def test_the_login_of_a_proxy_may_have_escaped_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me%40home:a%3Ab@proxy.test:3128")
    pool = connection_pool("https://openrouter.ai", ReadBudget(lambda: 0.0))
    login = base64.b64encode(b"me@home:a:b").decode()
    assert dict(pool.proxy_headers) == {"Proxy-Authorization": f"Basic {login}"}
