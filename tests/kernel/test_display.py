"""Tiles, taps and holds through the guest's kernel, on two kinds of deck."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openbalance_hid.openrouter.cadence import REFRESH_GAP_S
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles.actions import WebPage
from tests.kernel.attached_decks import AttachedDecks, expected, texts, texts_in_status, until_key_shows, until_shown
from tests.kernel.guest import PATIENCE_S
from tests.kernel.recipe import OPENED
from tests.kernel.states import Machine
from tests.waiting import until

pytestmark = pytest.mark.kernel

JPEG, BMP = "mk2-scissor", "module-6"  # and neither is in systemd's own hardware database
BALANCE, MONTHLY_SPEND = 0, 1

REST_S = 20
# How often each thread of the daemon has gone to sleep voluntarily: "/proc/…/status:voluntary_ctxt_switches: 3".
NAPS = "grep -H ^voluntary_ctxt /proc/$(systemctl --user show --property=MainPID --value openbalance-hid)/task/*/status"

TWO = """\
[[decks]]
serial = "A00KERNEL0"
rest = "blank"
[[decks.keys]]
key = 7
tile = "balance"
theme = "light"
[[decks]]
serial = "A00KERNEL1"
rest = "blank"
[[decks.keys]]
key = 0
tile = "runway"
[[decks.keys]]
key = 5
tile = "spike-alert"
"""


@pytest.mark.parametrize("model", [JPEG, BMP])
def test_every_tile_is_shown_with_the_text_of_the_status(serving: Machine, account: SampleAccount, model: str) -> None:
    with AttachedDecks(serving.guest, model) as attached:
        deck = attached.plug()
        tiles = expected(account, deck)
        until_shown(deck, tiles)
        assert texts_in_status(serving.status(), deck.serial) == texts(tiles)
        assert deck.faults == []


def test_two_decks_each_show_their_own_tiles(serving: Machine, account: SampleAccount, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(TWO)
    serving.configure(tmp_path / "config.toml")
    with AttachedDecks(serving.guest, JPEG, BMP) as attached:
        decks = [attached.plug(1), attached.plug(0)]  # the order does not matter
        for deck in decks:
            until_shown(deck, expected(account, deck, tmp_path / "config.toml"))
            assert deck.faults == []


def test_a_tap_opens_the_page_of_the_tile_once(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, JPEG) as attached:
        deck = attached.plug()
        tiles = expected(account, deck)
        until_shown(deck, tiles)
        deck.press(BALANCE)
        deck.release(BALANCE)
        assert serving.guest.until(f"grep . {OPENED}").split() == [WebPage.CREDITS.value]
        until_shown(deck, tiles)  # and the key is neither pressed nor marked as failed


def test_a_hold_polls_while_the_key_is_down_and_suppresses_the_tap(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, JPEG) as attached:
        deck = attached.plug()
        serving.command("refresh")  # else a poll that is due in the saved machine could be mistaken for the poll of the hold
        until_shown(deck, expected(account, deck))
        time.sleep(REFRESH_GAP_S)
        account.set_scenario("low-balance")
        asked = len(account.requests)
        deck.press(BALANCE)
        until(lambda: any(request.path == "/credits" for request in account.requests[asked:]), limit_s=PATIENCE_S)
        deck.release(BALANCE)
        until_key_shows(deck, BALANCE, expected(account, deck)[BALANCE])
        deck.press(MONTHLY_SPEND)
        deck.release(MONTHLY_SPEND)
        assert serving.guest.until(f"grep . {OPENED}").split() == [WebPage.ACTIVITY.value]


def naps_by_thread(serving: Machine) -> dict[str, int]:
    """Return the naps so far. The thread of the HTTP process ends 10 s after a poll, and is in no later list."""
    lines = (line.split() for line in serving.guest.run(NAPS).splitlines())
    return {thread: int(count) for thread, count in lines}


def test_a_deck_at_rest_wakes_the_daemon_less_than_twice_a_second(
    serving: Machine, account: SampleAccount, report: Callable[[str], None]
) -> None:
    with AttachedDecks(serving.guest, JPEG) as attached:
        deck = attached.plug()
        until_shown(deck, expected(account, deck))
        naps = []
        for _ in range(3):  # a poll may be due in one of them
            before = naps_by_thread(serving)
            serving.guest.run(f"sleep {REST_S}")
            naps.append(sum(count - before.get(thread, 0) for thread, count in naps_by_thread(serving).items()))
        report(f"idle, the daemon was woken {min(naps) / REST_S:.1f} times a second")
        assert min(naps) < 2 * REST_S, naps
