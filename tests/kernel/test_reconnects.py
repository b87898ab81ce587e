"""The device, the daemon or the connection is lost and comes back: the right tiles are shown again."""

from collections.abc import Callable

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles.actions import WebPage
from tests.kernel.attached_decks import AttachedDecks, Tile, expected, is_black, is_shown, until_shown
from tests.kernel.guest import PATIENCE_S
from tests.kernel.recipe import OPENED
from tests.kernel.states import Machine
from tests.waiting import until

pytestmark = pytest.mark.kernel

MODEL = "mk2-scissor"
BALANCE, MONTHLY_SPEND = 0, 1
# USBDEVFS_RESET of the device of the first hidraw node.
RESET = """\
device=$(realpath /sys/class/hidraw/hidraw0/device/../..)
node=$(printf /dev/bus/usb/%03d/%03d $(cat $device/busnum) $(cat $device/devnum))
python3 -c "import fcntl; fcntl.ioctl(open('$node', 'wb'), 0x5514, 0)"
"""


def plugged(attached: AttachedDecks, account: SampleAccount) -> dict[int, Tile]:
    """Connect the first deck, wait until it shows its tiles, and return them."""
    tiles = expected(account, attached.decks[0])
    until_shown(attached.plug(), tiles)
    return tiles


def test_a_deck_that_is_plugged_in_again_shows_its_tiles_and_drops_its_press(
    serving: Machine, account: SampleAccount, report: Callable[[str], None]
) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = plugged(attached, account), attached.decks
        before = deck.pictures_received
        deck.press(BALANCE)
        assert deck.wait_until(lambda: deck.pictures_received > before, PATIENCE_S)  # drawn pressed
        attached.unplug()
        serving.guest.until("! test -e /dev/hidraw0")
        attached.plug()
        until_shown(deck, tiles)
        deck.press(MONTHLY_SPEND)
        deck.release(MONTHLY_SPEND)
        assert serving.guest.until(f"grep . {OPENED}").split() == [WebPage.ACTIVITY.value]
        serving.until_logged(f"{deck.serial} is back")
        log = serving.log()
        assert (log.count(f"{deck.serial} is here"), log.count(f"{deck.serial} is back")) == (1, 1), log
        assert log.count("lost deck") == 1, log
        took_s = serving.seconds_between("hidraw0: USB HID", f"{deck.serial} is back")
        report(f"a deck was open {took_s:.1f} s after its node was there again, on an emulated and shared processor")


def test_a_connection_that_drops_in_the_middle_of_the_pictures_leaves_no_wrong_tile(
    serving: Machine, account: SampleAccount
) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = expected(account, attached.decks[0]), attached.decks
        deck.slow(0.2)
        attached.plug()
        assert deck.wait_until(lambda: deck.pictures_received == 3, PATIENCE_S)
        attached.unplug()
        until(lambda: not attached.is_attached(), limit_s=PATIENCE_S)
        deck.slow(0.0)
        attached.plug()
        until_shown(deck, tiles)


def test_a_handle_that_dies_while_the_deck_stays_connected_is_opened_again(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = plugged(attached, account), attached.decks
        interface = serving.guest.run("basename $(realpath /sys/class/hidraw/hidraw0/device/..)").strip()
        before = deck.pictures_received
        for word in ("unbind", "bind"):
            serving.guest.root(f"echo {interface} > /sys/bus/usb/drivers/usbhid/{word}")
        assert deck.wait_until(lambda: deck.pictures_received >= before + deck.model.keys, PATIENCE_S)
        until_shown(deck, tiles)
        assert attached.is_attached()
        serving.until_logged(f"{deck.serial} is back")
        assert serving.log().count("lost deck") == 1


def test_a_reset_of_the_bus_loses_neither_tiles_nor_presses(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = plugged(attached, account), attached.decks
        serving.guest.root(RESET)
        deck.press(BALANCE)
        deck.release(BALANCE)
        assert serving.guest.until(f"grep . {OPENED}").split() == [WebPage.CREDITS.value]
        until_shown(deck, tiles)


def test_a_display_that_a_sleep_has_cleared_is_painted_again(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = plugged(attached, account), attached.decks
        deck.lose_pictures()
        assert not is_shown(deck, tiles)  # a picture that was on its way shows one key at most
        # logind's signal at the end of a sleep; the guest itself cannot sleep, because vhci-hcd refuses to with a device
        serving.guest.root("busctl emit /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForSleep b false")
        until_shown(deck, tiles)
        assert "lost deck" not in serving.log()


def test_a_stop_leaves_the_display_black_and_a_start_paints_it_again(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = plugged(attached, account), attached.decks
        serving.guest.run("systemctl --user stop openbalance-hid")
        assert is_black(deck)
        assert not deck.showing_logo
        serving.guest.run("systemctl --user start openbalance-hid")
        until_shown(deck, tiles)
        serving.guest.run("systemctl --user kill --signal=TERM openbalance-hid")
        until(lambda: is_black(deck), limit_s=PATIENCE_S)
        serving.guest.until("test $(systemctl --user is-active openbalance-hid) = inactive")
        assert serving.guest.run("systemctl --user show --property=Result --value openbalance-hid") == "success\n"


def test_a_daemon_that_was_killed_is_started_again_and_paints_everything(serving: Machine, account: SampleAccount) -> None:
    with AttachedDecks(serving.guest, MODEL) as attached:
        tiles, (deck,) = plugged(attached, account), attached.decks
        before = deck.pictures_received
        serving.guest.run("systemctl --user kill --signal=KILL openbalance-hid")
        assert deck.wait_until(lambda: deck.pictures_received >= before + deck.model.keys, PATIENCE_S)
        until_shown(deck, tiles)
        assert serving.guest.run("systemctl --user show --property=NRestarts --value openbalance-hid") == "1\n"
        assert deck.faults == []
