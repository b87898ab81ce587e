import pytest

from openbalance_hid.errors import ConfigError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.secret import Secret

KEY = "sk-or-v1-0123456789abcdef"


@pytest.mark.parametrize(
    "url",
    [
        OPENROUTER_URL,
        "http://127.0.0.1:8080/api/v1",
        "http://127.8.9.1/api/v1",
        "http://localhost:1/x",
        "http://LOCALHOST",
        "http://[::1]:65535/api/v1",
    ],
)
def test_openrouter_and_plain_http_to_loopback_are_accepted(url: str) -> None:
    assert checked_base_url(f" {url}/ ") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://openrouter.ai",
        "https://openrouter.ai.evil.example/api/v1",
        "https://openrouter.ai@evil.example/api/v1",
        "http://openrouter.ai/api/v1",
        "https://127.0.0.1/api/v1",
        "http://evil.example/api/v1",
        "http://192.168.1.2/api/v1",
        "http://0.0.0.0/",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:80@evil.example/",
        "http://user@127.0.0.1/",
        "http://localhost.evil.example/",
        "http://localhost\\@evil.example/",
        "http://localhost#@evil.example/",
        "http://localhost?@evil.example/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://127.0.0.256/",
        "http://2130706433/",
        "http://[::2]/",
        "http://[::ffff:10.0.0.1]/",
        "http://127.0.0.1/\r\nHost: evil.example",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_any_other_address_is_refused_before_a_request(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Client(Secret(KEY), url)
    assert caught.value.message.isprintable()


def test_a_password_in_a_refused_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        checked_base_url("http://me:hunter2@evil.example/")
    assert "hunter2" not in caught.value.message
