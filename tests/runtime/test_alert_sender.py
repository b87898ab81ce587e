"""Alerts on their way to real addresses and programs: formats, results, and nothing secret in the log."""

import json
import logging
from datetime import UTC, datetime

import pytest

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.account.spike import Level
from openbalance_hid.app.effects import SendToSink
from openbalance_hid.app.events import SinkReported
from openbalance_hid.config.schema import AlertSink
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.runtime.alert_sender import AlertSender
from openbalance_hid.tiles.program_output import ProgramEnd
from tests.runtime.alert_receiver import AlertReceiver
from tests.waiting import until, until_no_thread

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXT = "9× the usual spend, mostly <!channel> *Model* @everyone"
NOTICE = AlertNotice(
    AlertKind.SPIKE, "work", AlertStage.BEGAN, Level.CRITICAL, AT, AT, "OpenRouter: Critical (work)", TEXT, None, True
)


@pytest.fixture
def receiver():
    with AlertReceiver() as made:
        yield made


def sent(receiver: AlertReceiver, path: str, style: str, notice: AlertNotice = NOTICE) -> tuple[str, dict]:
    results: list[SinkReported] = []
    result = AlertSender(results.append, ProgramRunner()).deliver(AlertSink(receiver.url + path, style), notice)
    assert results == [result]
    assert result.error is None
    path, _, body = receiver.received[-1]
    return path, json.loads(body)


def test_json_has_everything_and_an_identity(receiver):
    path, body = sent(receiver, "/hook?token=1", "json")
    assert path == "/hook?token=1"
    assert body == {
        "program": "openbalance-hid",
        "id": "work-spike-1795348800-began-4",
        "kind": "spike",
        "stage": "began",
        "account": "work",
        "level": "critical",
        "urgent": True,
        "title": "OpenRouter: Critical (work)",
        "text": TEXT,
        "since": "2026-11-22T12:00:00Z",
        "at": "2026-11-22T12:00:00Z",
    }


def test_ntfy_gets_json_at_its_root_with_the_topic(receiver):
    path, body = sent(receiver, "/my-topic?auth=x", "ntfy")
    assert (path, body["topic"], body["title"], body["message"]) == ("/?auth=x", "my-topic", NOTICE.title, TEXT)
    assert body["priority"] == 5
    assert sent(receiver, "/sub/topic", "ntfy")[0] == "/sub/"


def test_slack_makes_no_mention_and_no_link_of_a_name(receiver):
    _, body = sent(receiver, "/services/T/B/x", "slack")
    assert body["text"].endswith("mostly &lt;!channel&gt; *Model* @everyone")
    assert body["mrkdwn"] is False


def test_discord_mentions_nobody_and_shows_marks_as_they_are(receiver):
    _, body = sent(receiver, "/api/webhooks/1/x", "discord")
    assert body["allowed_mentions"] == {"parse": []}
    assert "\\*Model\\*" in body["embeds"][0]["description"]


def test_gotify_gets_title_message_and_priority(receiver):
    path, body = sent(receiver, "/message?token=x", "gotify")
    assert (path, body) == ("/message?token=x", {"title": NOTICE.title, "message": TEXT, "priority": 8})


def test_a_failing_address_is_logged_once_by_its_host_and_once_when_it_works(receiver, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.answer = 500
    results: list[SinkReported] = []
    sender, sink = AlertSender(results.append, ProgramRunner()), AlertSink(f"{receiver.url}/T0PSECRET?token=T0PSECRET")
    for _ in range(3):
        sender.deliver(sink, NOTICE)
    receiver.answer = 200
    sender.deliver(sink, NOTICE)
    ours = [record for record in caplog.records if record.name.startswith("openbalance_hid")]
    assert [record.levelname for record in ours] == ["WARNING", "INFO"]
    assert "T0PSECRET" not in "".join(record.getMessage() for record in ours) + repr(results)


def test_an_address_that_hangs_blocks_no_other_sink(receiver, tmp_path):
    receiver.answer = "hang"
    results: list[SinkReported] = []
    programs = ProgramRunner()
    sender = AlertSender(results.append, programs)
    sender.send(SendToSink(AlertSink(receiver.url + "/x"), NOTICE))
    until(lambda: receiver.received)
    sender.send(SendToSink(AlertSink(run=("/nowhere/alert",)), NOTICE))
    until(lambda: results)
    assert results[0].error == "/nowhere/alert does not exist"
    receiver.released.set()
    until_no_thread("alert sink")
    programs.close()


class QuickRunner(ProgramRunner):
    """The runner with a time limit that a test can wait for."""

    def call(self, words: tuple[str, ...], content: bytes, limit_s: float = 1.0) -> ProgramEnd:
        return super().call(words, content, limit_s)


@pytest.mark.parametrize(
    ("runner", "run", "error"),
    [
        (ProgramRunner, ("/nowhere/alert",), "/nowhere/alert does not exist"),
        (QuickRunner, ("/bin/sh", "-c", "sleep 600"), "/bin/sh did not end within 1 s"),
        (ProgramRunner, ("/bin/sh", "-c", "exit 3"), "/bin/sh ended with exit code 3"),
        (ProgramRunner, ("/bin/sh", "-c", "head -c 20000000 /dev/zero"), None),
        (ProgramRunner, ("/bin/sh", "-c", "head -c 20000000 /dev/zero >&2; exit 1"), "/bin/sh ended with exit code 1"),
    ],
)
def test_a_program_that_fails_is_an_error_and_what_it_prints_is_discarded(receiver, runner, run, error):
    results: list[SinkReported] = []
    programs = runner()
    sender = AlertSender(results.append, programs)
    found = sender.deliver(AlertSink(run=run), NOTICE)
    assert found.error == error
    assert sender.deliver(AlertSink(receiver.url + "/x"), NOTICE).error is None, "the other sink gets its message"
    programs.close()


def test_a_bug_in_a_sink_is_reported_without_the_address(monkeypatch):
    results: list[SinkReported] = []
    AlertSender(results.append, ProgramRunner()).deliver(AlertSink("https://a.example/T0PSECRET", "no such format"), NOTICE)
    assert results[0].error == "internal error: KeyError"
