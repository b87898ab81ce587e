"""`alerts` and `alerts test`: what an alert that is calm at present says, and which sinks get a test message."""

import pytest
from msgspec.structs import replace

from openbalance_hid.account.alert_notice import AlertNotice
from openbalance_hid.app.events import SinkReported
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import AlertSink
from openbalance_hid.ipc.alert_commands import alerts_status, claim_probes, probe_sinks
from tests.app.test_alerts import left
from tests.app.test_controller import Story
from tests.app.test_spike_alerts import TILE, spending
from tests.build import NOON

SINK = '[[alerts]]\nurl = "https://a.example/x"\n'


def accept(sink: AlertSink, notice: AlertNotice) -> SinkReported:
    return SinkReported(sink.identity, notice, None)


@pytest.mark.parametrize(
    ("text", "results"),
    [
        (SINK, {"desktop": "no notification service", "a.example": None}),
        ("notify = false\n" + SINK, {"a.example": None}),
        ("notify = false\n", {}),
    ],
)
def test_a_desktop_that_is_off_gets_no_test_message_and_fails_no_test(text: str, results: dict[str, str | None]):
    story = Story(parse(text, "config.toml"), left(50))
    found = probe_sinks(claim_probes(story.controller, story.now), NOON, accept, lambda: "no notification service")
    assert {each["sink"]: each["error"] for each in found} == results


def test_a_second_test_within_a_minute_says_when_the_next_one_is_sent():
    story = Story(parse("notify = false\n" + SINK, "config.toml"), left(50))
    for expected in (None, "it has just received a message, and gets one a minute: try again in 60 s"):
        (result,) = probe_sinks(claim_probes(story.controller, story.now), NOON, accept, lambda: None)
        assert result["error"] == expected


def test_a_spike_that_is_over_for_now_has_words_for_that_beside_its_highest_level():
    story = Story(parse(TILE, "config.toml"), spending(1)).plugged()
    story.tell(spending(13))
    (alert,) = alerts_status(story.controller, story.now)["active"]
    assert (alert["title"], "normal" in alert["text"]) == ("OpenRouter: Critical", False)
    story.wait(60)
    story.tell(replace(spending(2), polls=3))
    (alert,) = alerts_status(story.controller, story.now)["active"]
    assert alert["title"] == "OpenRouter: Critical"
    assert alert["text"].startswith("1.0× the usual spend in the last 24 hours")
    assert alert["text"].endswith("That is normal; after 60 minutes of it the alert ends")
