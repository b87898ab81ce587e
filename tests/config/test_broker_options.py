"""`[publish]` and the `source` of an account: which addresses are accepted, and that no message repeats a password."""

import pytest

from openbalance_hid.config.broker_options import PublishConfig, SourceConfig
from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.load import parse
from openbalance_hid.errors import ConfigError

PASSWORD = "T0PSECRET"


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse(text, "c.toml")
    return error.value.message


def test_publish_and_source_are_read_and_written_again():
    config = parse(
        '[accounts.team]\nsource = "mqtts://Broker.example/openbalance/team"\nsource_ca_file = "/ca.pem"\n'
        '[publish]\nmqtt = "mqtts://broker.example:8884"\ntopic = "a/b"\nhome_assistant = true\n',
        "c.toml",
    )
    assert config.accounts["team"].source == SourceConfig("mqtts://broker.example:8883/openbalance/team", "/ca.pem")
    assert config.publish == PublishConfig("mqtts://broker.example:8884", "a/b", True)
    assert parse(render_effective(config), "c.toml") == config
    assert parse("", "c.toml").publish is None


@pytest.mark.parametrize(
    "address", ["mqtt://127.0.0.1", "mqtt://localhost:1", "mqtt://[::1]:1883", "mqtts://[2001:db8::1]", "MQTTS://b"]
)
def test_tls_everywhere_and_plain_text_on_this_machine_are_accepted(address: str):
    publish = parse(f'[publish]\nmqtt = "{address}"', "c.toml").publish
    assert publish is not None
    assert publish.address.tls is address.lower().startswith("mqtts")


@pytest.mark.parametrize(
    "address",
    [
        f"mqtts://user:{PASSWORD}@broker.example",
        f"mqtts://{PASSWORD}@broker.example/openbalance/team",
        f"mqtts://broker.example@evil.example/{PASSWORD}",
        f"mqtt://broker.example/{PASSWORD}",
        f"mqtt://127.0.0.1.evil.example/{PASSWORD}",
        f"https://broker.example/{PASSWORD}",
        f"mqtts://broker.example:99999/{PASSWORD}",
        f"mqtts://broker.example:0/{PASSWORD}",
        f"mqtts:///{PASSWORD}",
        f"mqtts://broker example/{PASSWORD}",
        f"mqtts://broker.example/{PASSWORD}/#",
        f"mqtts://broker.example/+/{PASSWORD}",
        f"mqtts://broker.example/$SYS/{PASSWORD}",
        f"mqtts://broker.example//{PASSWORD}",
        f"mqtts://broker.example/{PASSWORD}?x=1",
        f"mqtts://broker.example/{PASSWORD}/",
        "mqtts://broker.example/" + PASSWORD * 60,
        "mqtts://broker.example/\\n" + PASSWORD,
        PASSWORD,
        "",
    ],
)
@pytest.mark.parametrize("where", ["[publish]\nmqtt", "[accounts.team]\nsource"])
def test_any_other_address_is_refused_and_no_message_repeats_it(where: str, address: str):
    message = refused(f'{where} = "{address}"')
    assert message.startswith(("c.toml:2: publish.mqtt: ", "c.toml:2: accounts.team.source: "))
    assert PASSWORD not in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[publish]", "publish.mqtt: missing, accepted: mqtts://HOST"),
        ("[publish]\nmqtt = 5", "publish.mqtt: found 5, accepted: mqtts://HOST"),
        ('[publish]\nmqtt = "mqtts://b/x"', "publish.mqtt: found an address with a topic"),
        ('[publish]\nmqtt = "mqtts://b"\ntopic = "a/#"', "publish.topic: found 'a/#', accepted: letters"),
        ('[publish]\nmqtt = "mqtts://b"\ntopik = "a"', "did you mean 'topic'?"),
        ('[publish]\nmqtt = "mqtts://b"\npassword = "x"', "publish.password: unknown"),
        ('[accounts.t]\nsource = "mqtts://b"', "accounts.t.source: found an address without a topic"),
        ('[accounts.t]\nsource_ca_file = "/x"', "accounts.t.source_ca_file: found without source"),
        (
            '[accounts.t]\nsource = "mqtts://b/t"\nallow_key_switch = true',
            "accounts.t.allow_key_switch: found true beside source",
        ),
        ('[publish]\nmqtt = "mqtts://u:p@b"', "store them with openbalance-hid setup --broker"),
    ],
)
def test_each_other_mistake_is_named_in_words(text: str, words: str):
    assert words in refused(text)
