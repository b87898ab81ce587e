"""The page about a team's decks has the configuration of the broker that the tests run with."""

import re
from pathlib import Path

import pytest

from openbalance_hid.account.endpoints import STALE_INTERVALS
from openbalance_hid.mqtt import account_publisher, account_reader
from openbalance_hid.mqtt.broker_address import AccountTopics
from openbalance_hid.mqtt.snapshot_schema import EXPIRES_S, LARGEST_MESSAGE_BYTES, SCHEMA
from tests.mqtt.mosquitto import ACL, PROGRAM, Mosquitto, needs_mosquitto

PAGE = Path(__file__).parents[2] / "docs/team.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is in the repository only")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def test_the_acl_of_the_page_is_the_one_that_was_run():
    assert block("acl") == ACL


@needs_mosquitto
def test_the_broker_of_the_page_has_the_settings_that_were_run(tmp_path: Path):
    assert PROGRAM
    Mosquitto(tmp_path)
    run = {line.split()[0] for line in (tmp_path / "mosquitto.conf").read_text().splitlines()}
    shown = {line.split()[0] for line in block("conf").splitlines()}
    assert shown <= run | {"autosave_interval"}


def test_topics_and_limits_of_the_page_are_those_of_the_code():
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    topics = AccountTopics("openbalance/ACCOUNT")
    for topic in (topics.snapshot, topics.availability, topics.refresh, topics.publishers):
        assert f"| `{topic}` |" in page
    assert f"kept for {EXPIRES_S // 86400} days" in page
    assert f"no message above {LARGEST_MESSAGE_BYTES // 1024**2} MiB" in page
    assert f"`schema`, at present {SCHEMA}" in page
    assert f"within {account_reader.REPLY_LIMIT_S:.0f} seconds" in page
    assert f"away for {account_reader.GRACE_S:.0f} seconds" in page
    assert f"for {STALE_INTERVALS} of its intervals" in page
    assert account_publisher.REFRESH_GAP_S == 60
