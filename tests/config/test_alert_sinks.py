"""The `[[alerts]]` tables: which addresses and programs are accepted, and that no message repeats an address."""

import pytest

from openbalance_hid.config.alert_sinks import is_accepted_url, split_url
from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import ALERT_KINDS, Config
from openbalance_hid.errors import ConfigError

SECRET = "T0PSECRET"


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse(text, "c.toml")
    return error.value.message


def test_addresses_and_programs_become_sinks_with_every_kind_unless_named():
    config = parse(
        f'[[alerts]]\nurl = "https://hooks.slack.com/services/{SECRET}"\nformat = "slack"\non = ["spike", "key"]\n'
        '[[alerts]]\nrun = ["/usr/bin/logger", "-t", "alert"]\n',
        "c.toml",
    )
    slack, program = config.alerts
    assert (slack.name, slack.format, slack.on) == ("hooks.slack.com", "slack", ("spike", "key"))
    assert (program.name, program.run, program.on) == ("/usr/bin/logger", ("/usr/bin/logger", "-t", "alert"), ALERT_KINDS)
    assert SECRET not in repr(config), "an address is a secret"
    assert parse(render_effective(config), "c.toml") == config
    assert Config().alerts == ()


@pytest.mark.parametrize(
    "url",
    [
        f"http://ntfy.sh/{SECRET}",
        f"https://user:{SECRET}@ntfy.sh/x",
        f"https://ntfy.sh@evil.example/{SECRET}",
        f"https://ntfy.sh/{SECRET}#x",
        f"https://ntfy.sh\\\\@evil.example/{SECRET}",
        f"https://ntfy.sh/{SECRET} x",
        f"https://ntfy.sh:99999/{SECRET}",
        f"http://127.0.0.1.evil.example/{SECRET}",
        f"http://10.0.0.1/{SECRET}",
        f"ftp://ntfy.sh/{SECRET}",
        f"//ntfy.sh/{SECRET}",
        f"file:///etc/{SECRET}",
        f"https:///{SECRET}",
        SECRET,
        "https://ntfy.sh/" + SECRET * 300,
    ],
)
def test_any_other_address_is_refused_and_no_message_repeats_it(url: str):
    message = refused(f'[[alerts]]\nurl = "{url}"')
    assert message.startswith("c.toml:2: alerts[0].url: found ")
    assert SECRET not in message


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/", "http://[::1]:1/a?b=c", "https://a.b"])
def test_https_and_this_machine_are_accepted(url: str):
    assert is_accepted_url(url)
    base, target = split_url(url)
    assert base + target == url
    assert base.count("/") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c.toml:1: alerts[0]: found neither url nor run, accepted: one of them"),
        ('url = "https://a.b"\nrun = ["/x"]', "c.toml:1: alerts[0]: found url and run, accepted: one of them"),
        ('run = ["x"]', "c.toml:2: alerts[0].run[0]: found 'x', accepted: the absolute path of a program"),
        ("run = []", "c.toml:2: alerts[0].run: found no words, accepted: a program's absolute path and its arguments"),
        ('run = "/x"', "c.toml:2: alerts[0].run: found '/x', accepted: a list of texts; write [\"/x\"]"),
        ('run = ["/x"]\nformat = "ntfy"', "c.toml:3: alerts[0].format: found beside run, accepted: only beside url"),
        (
            'url = "https://a.b"\non = ["spik"]',
            "c.toml:3: alerts[0].on[0]: found 'spik', accepted: 'spike', 'balance', 'budget', 'key', 'stale';"
            " did you mean 'spike'?",
        ),
        ("url = 3", "c.toml:2: alerts[0].url: found 3, accepted: an https address without a user name"),
    ],
)
def test_each_mistake_in_a_sink_is_reported(text: str, message: str):
    assert message in refused(f"[[alerts]]\n{text}").splitlines()


def test_the_same_sink_twice_and_too_many_sinks_are_reported():
    table = '[[alerts]]\nurl = "https://a.b/x"\n'
    assert refused(table * 2) == "c.toml:3: alerts[1]: found a.b, which alerts[0] in line 1 uses as well"
    many = "".join(f'[[alerts]]\nurl = "https://a.b/{number}"\n' for number in range(17))
    assert "found 17 tables, accepted: at most 16" in refused(many)
