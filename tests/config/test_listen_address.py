"""`[metrics] listen`: which addresses are accepted, and which of them leave this machine."""

import pytest

from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.listen_address import ListenAddress, parse_listen_address
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import Config
from openbalance_hid.errors import ConfigError


def test_metrics_are_off_without_the_table_and_on_loopback_without_an_address():
    assert parse("", "c.toml").metrics is None
    config = parse("[metrics]", "c.toml")
    assert config.metrics == ListenAddress("127.0.0.1", 9469)
    assert config.metrics.is_loopback


@pytest.mark.parametrize(
    ("written", "address", "loopback"),
    [
        ("127.0.0.1:9469", ListenAddress("127.0.0.1", 9469), True),
        ("127.8.8.8:1", ListenAddress("127.8.8.8", 1), True),
        ("localhost:65535", ListenAddress("127.0.0.1", 65535), True),
        ("[::1]:9469", ListenAddress("::1", 9469), True),
        ("[0:0:0:0:0:0:0:1]:9469", ListenAddress("::1", 9469), True),
        ("0.0.0.0:9469", ListenAddress("0.0.0.0", 9469), False),
        ("[::]:9469", ListenAddress("::", 9469), False),
        ("192.168.1.5:9469", ListenAddress("192.168.1.5", 9469), False),
    ],
)
def test_an_ip_address_with_a_port_is_accepted(written: str, address: ListenAddress, loopback: bool):
    config = parse(f'[metrics]\nlisten = "{written}"', "c.toml")
    assert (config.metrics, address.is_loopback) == (address, loopback)
    assert parse(render_effective(config), "shown") == config


@pytest.mark.parametrize(
    "written",
    [
        ":9469",
        "9469",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:09469",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:９４６９",
        "127.1:9469",
        "256.0.0.1:9469",
        "127.0.0.01:9469",
        "::1:9469",
        "[::1]",
        "[::1%lo]:9469",
        "[127.0.0.1]:9469",
        "224.0.0.1:9469",
        "desk.example:9469",
        "*:9469",
        "http://127.0.0.1:9469",
        "127.0.0.1:9469/metrics",
        " 127.0.0.1:9469",
        "127.0.0.1:9469\\n",
        "",
    ],
)
def test_no_other_text_is_taken_for_an_address(written: str):
    with pytest.raises(ConfigError) as refused:
        parse(f'[metrics]\nlisten = "{written}"', "c.toml")
    assert refused.value.message.startswith("c.toml:2: metrics.listen: found ")
    assert len(refused.value.message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[metrics]\nlisten = 9469", "c.toml:2: metrics.listen: found 9469, accepted: a text of 1 to 64 characters"),
        ("[metrics]\nport = 9469", "c.toml:2: metrics.port: unknown, accepted: listen"),
        ('metrics = "127.0.0.1:9469"', "c.toml:1: metrics: found '127.0.0.1:9469', accepted: a table"),
        ('listen = "127.0.0.1:9469"', "c.toml:1: listen: not a setting of this table; put it below [metrics]"),
        ("[[metrics]]", "c.toml:1: found [[metrics]], write [metrics]"),
    ],
)
def test_the_usual_slips_are_recognised(text: str, message: str):
    with pytest.raises(ConfigError) as refused:
        parse(text, "c.toml")
    assert refused.value.message.startswith(message)


def test_an_address_is_shown_as_it_is_written():
    assert [str(parse_listen_address(text)) for text in ("localhost:1", "[::]:2")] == ["127.0.0.1:1", "[::]:2"]
    assert Config().metrics is None
