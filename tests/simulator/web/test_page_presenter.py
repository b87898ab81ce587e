"""Messages to pages, and choices; a page that is slow, stuck or one too many."""

import base64
import queue
import threading

import pytest
from websockets.exceptions import InvalidStatus

from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.web import page_server
from openbalance_hid.simulator.web.page_client import PageClient
from tests.simulator.web.page_rig import Host, PageRig
from tests.waiting import PATIENCE_S

# --- messages to pages --------------------------------------------------------------------------------------------------


def test_a_page_gets_every_key_when_it_connects(rig: PageRig) -> None:
    rig.texts[0] = "Balance $74.25, ▼ $0.40 today"
    rig.host.draw(0, "#2060c0")
    with rig.page() as page:
        first = page.receive("key", key=0)
        assert first["text"] == "Balance $74.25, ▼ $0.40 today"
        assert base64.b64decode(first["png"]) == rig.deck.glass_png(0)
        assert [page.receive("key")["key"] for _ in range(14)] == list(range(1, 15))
        assert page.receive("brightness")["percent"] == 100
        assert page.receive("scenario")["name"] == "normal"
        assert page.receive("note")["text"] == ""


def test_a_changed_picture_is_sent_at_once_and_alone(rig: PageRig) -> None:
    with rig.page() as page:
        page.settle()
        rig.host.draw(7, "#108040")
        assert base64.b64decode(page.receive("key")["png"]) == rig.deck.glass_png(7)
        rig.server.note("end")
        assert page.receive("note")["text"] == "end"


def test_only_changed_texts_are_sent(rig: PageRig) -> None:
    with rig.page() as page:
        page.settle()
        rig.texts[4] = "Spike alert: normal"
        rig.server.texts_changed()
        assert page.receive("key")["key"] == 4
        rig.server.note("end")
        assert page.wire.recv(timeout=PATIENCE_S) == '{"type":"note","text":"end"}'


def test_an_unsupported_report_is_shown_on_the_page(rig: PageRig) -> None:
    with rig.page() as page:
        assert page.receive("invalid_reports") == {"type": "invalid_reports", "count": 0, "last": ""}
        rig.deck.send_feature(b"\x03\x44" + bytes(30))
        assert page.receive("invalid_reports")["last"] == "unknown report: feature report 03 44 00"
        rig.deck.write(b"\x02\x44" + bytes(1022))
        assert page.receive("invalid_reports", count=2)["last"] == "unknown report: command 0x44"
    rig.deck.faults.clear()


def test_brightness_is_sent_to_pages(rig: PageRig) -> None:
    with rig.page() as page:
        page.settle()
        rig.host.surface.set_brightness(30)
        assert page.receive("brightness")["percent"] == 30


def test_a_page_that_connects_later_gets_the_note(rig: PageRig) -> None:
    rig.server.note("would open https://openrouter.ai/activity")
    with rig.page() as page:
        assert page.receive("note")["text"] == "would open https://openrouter.ai/activity"


def test_no_more_pages_than_the_limit(rig: PageRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "CLIENTS", 2)
    with rig.page() as first, rig.page() as second:
        first.settle()
        second.settle()
        with pytest.raises(InvalidStatus) as refused, rig.page():
            pass
    assert refused.value.response.status_code == 503


class StuckWire:
    """A connection that blocks in `send` until `open` is set, as a full socket does."""

    def __init__(self) -> None:
        self.taken: queue.Queue[str] = queue.Queue()
        self.sending = threading.Event()
        self.open = threading.Event()
        self.disconnected = False

    def send(self, message: str) -> None:
        self.sending.set()
        assert self.open.wait(PATIENCE_S)
        self.taken.put(message)

    def disconnect(self) -> None:
        self.disconnected = True
        self.open.set()


def test_a_slow_page_gets_the_newest_picture_and_no_queue() -> None:
    wire, seen = StuckWire(), {"version": 0}
    client = PageClient(wire, lambda item: f"{item}:{seen['version']}", "slow-page")  # type: ignore[arg-type]
    client.start()
    client.changed([1])
    assert wire.sending.wait(PATIENCE_S)
    for version in range(1, 1001):
        seen["version"] = version
        client.changed([1, 2])
    client.changed([3])
    wire.open.set()
    assert [wire.taken.get(timeout=PATIENCE_S) for _ in range(4)] == ["1:0", "1:1000", "2:1000", "3:1000"]
    client.stop()
    assert wire.taken.empty()
    assert not wire.disconnected


def test_stop_disconnects_a_page_that_does_not_read() -> None:
    wire = StuckWire()
    client = PageClient(wire, str, "stuck-page")  # type: ignore[arg-type]
    client.start()
    client.changed([1])
    assert wire.sending.wait(PATIENCE_S)
    client.stop()
    client.stop()
    assert wire.disconnected


def test_an_error_of_one_item_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    wire = StuckWire()
    wire.open.set()

    def describe(item: object) -> str:
        if item == 1:
            raise ValueError("no such picture")
        return str(item)

    client = PageClient(wire, describe, "page")  # type: ignore[arg-type]
    client.changed([1, 2])
    client.start()
    assert wire.taken.get(timeout=PATIENCE_S) == "2"
    client.stop()
    assert "cannot describe 1" in caplog.text


# --- choices -------------------------------------------------------------------------------------------------------------


def test_a_chosen_scenario_calls_back_and_reaches_all_pages(rig: PageRig) -> None:
    with rig.page() as first, rig.page() as second:
        first.settle()
        second.settle()
        first.send("scenario", name="low-balance")
        assert [page.receive("scenario")["name"] for page in (first, second)] == ["low-balance", "low-balance"]
    assert rig.chosen == ["low-balance"]


def test_a_scenario_that_is_not_offered_is_not_called_back(rig: PageRig) -> None:
    with rig.page() as page:
        page.send("scenario", name="no-such")
        page.send("scenario", name="normal")
        page.send("press", key=0)
        assert rig.host.next_key() == (0, True)
    assert rig.chosen == ["normal"]


def test_a_scenario_changed_elsewhere_is_sent_to_pages(rig: PageRig) -> None:
    with rig.page() as page:
        page.settle()
        rig.chosen.append("low-balance")
        rig.server.scenario_changed()
        assert page.receive("scenario")["name"] == "low-balance"


def test_choosing_a_model_calls_back_and_shows_another_deck() -> None:
    asked: queue.Queue[str] = queue.Queue()
    with PageRig(models=[("mk2", "MK.2"), ("mini", "Mini")], set_model=asked.put) as rig, rig.page() as page:
        page.settle()
        page.send("press", key=14)
        assert rig.host.next_key() == (14, True)
        page.send("model", name="mini")
        assert asked.get(timeout=PATIENCE_S) == "mini"
        host = Host(VirtualDeck(MODELS["mini"], "B2"))
        rig.server.show_deck(host.deck)
        assert rig.host.next_key() == (14, False)
        shown = page.receive("deck")["deck"]
        assert (shown["model"]["name"], shown["serial"], len(shown["keys"])) == ("mini", "B2", 6)
        assert [page.receive("key")["key"] for _ in range(6)] == list(range(6))
        page.settle()
        rig.host.draw(0, "#ff0000")
        host.draw(1, "#00ff00")
        assert page.receive("key")["key"] == 1
        page.send("press", key=5)
        assert host.next_key() == (5, True)
        rig.server.stop()
        host.close()
