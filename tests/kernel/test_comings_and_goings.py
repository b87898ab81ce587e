"""The device, the daemon or what is between them goes away and comes back: the right tiles are there again, whoever it was."""

from collections.abc import Callable

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles.actions import WebPage
from tests.kernel.desk import Desk, Tile, expected, is_black, stands, until_stands
from tests.kernel.guest import PATIENCE_S
from tests.kernel.recipe import OPENED
from tests.kernel.states import Machine
from tests.waiting import until

pytestmark = pytest.mark.kernel

MODEL = "mk2-scissor"
BALANCE, MONTHLY_SPEND = 0, 1
# USBDEVFS_RESET of the device that the first hidraw node belongs to.
RESET = """\
device=$(realpath /sys/class/hidraw/hidraw0/device/../..)
node=$(printf /dev/bus/usb/%03d/%03d $(cat $device/busnum) $(cat $device/devnum))
python3 -c "import fcntl; fcntl.ioctl(open('$node', 'wb'), 0x5514, 0)"
"""


def plugged(desk: Desk, account: SampleAccount) -> dict[int, Tile]:
    """The tiles of a deck that has been plugged in, and they stand."""
    tiles = expected(account, desk.decks[0])
    until_stands(desk.plug(), tiles)
    return tiles


def test_a_deck_that_is_plugged_in_again_shows_its_tiles_and_its_press_fires_nothing(
    serving: Machine, account: SampleAccount, tell: Callable[[str], None]
) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = plugged(desk, account), desk.decks
        before = deck.pictures_received
        deck.press(BALANCE)
        assert deck.wait_until(lambda: deck.pictures_received > before, PATIENCE_S)  # drawn pressed
        desk.unplug()
        serving.guest.until("! test -e /dev/hidraw0")
        desk.plug()
        until_stands(deck, tiles)
        deck.press(MONTHLY_SPEND)
        deck.release(MONTHLY_SPEND)
        assert serving.guest.until(f"grep . {OPENED}").split() == [WebPage.ACTIVITY.value]
        serving.until_logged(f"{deck.serial} is back")
        log = serving.log()
        assert (log.count(f"{deck.serial} is here"), log.count(f"{deck.serial} is back")) == (1, 1), log
        assert log.count("lost deck") == 1, log
        took_s = serving.seconds_between("hidraw0: USB HID", f"{deck.serial} is back")
        tell(f"plugged in again, a deck was open {took_s:.1f} s after its node was there, on an emulated and shared processor")


def test_a_connection_that_drops_in_the_middle_of_the_pictures_leaves_no_wrong_tile(
    serving: Machine, account: SampleAccount
) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = expected(account, desk.decks[0]), desk.decks
        deck.slow(0.2)
        desk.plug()
        assert deck.wait_until(lambda: deck.pictures_received == 3, PATIENCE_S)
        desk.unplug()
        until(lambda: not desk.is_attached(), limit_s=PATIENCE_S)
        deck.slow(0.0)
        desk.plug()
        until_stands(deck, tiles)


def test_a_handle_that_dies_while_the_cable_stays_in_is_opened_again(serving: Machine, account: SampleAccount) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = plugged(desk, account), desk.decks
        interface = serving.guest.run("basename $(realpath /sys/class/hidraw/hidraw0/device/..)").strip()
        before = deck.pictures_received
        for word in ("unbind", "bind"):
            serving.guest.root(f"echo {interface} > /sys/bus/usb/drivers/usbhid/{word}")
        assert deck.wait_until(lambda: deck.pictures_received >= before + deck.model.keys, PATIENCE_S)
        until_stands(deck, tiles)
        assert desk.is_attached()
        serving.until_logged(f"{deck.serial} is back")
        assert serving.log().count("lost deck") == 1


def test_a_reset_of_the_bus_loses_neither_tiles_nor_presses(serving: Machine, account: SampleAccount) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = plugged(desk, account), desk.decks
        serving.guest.root(RESET)
        deck.press(BALANCE)
        deck.release(BALANCE)
        assert serving.guest.until(f"grep . {OPENED}").split() == [WebPage.CREDITS.value]
        until_stands(deck, tiles)


def test_a_glass_that_a_sleep_has_cleared_is_painted_again(serving: Machine, account: SampleAccount) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = plugged(desk, account), desk.decks
        deck.lose_pictures()
        assert not stands(deck, tiles)  # a picture that was on its way shows one key at most
        # what logind says at the end of a sleep; the guest itself cannot sleep, because vhci-hcd refuses to with a device
        serving.guest.root("busctl emit /org/freedesktop/login1 org.freedesktop.login1.Manager PrepareForSleep b false")
        until_stands(deck, tiles)
        assert "lost deck" not in serving.log()


def test_a_stop_leaves_the_glass_black_and_a_start_paints_it_again(serving: Machine, account: SampleAccount) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = plugged(desk, account), desk.decks
        serving.guest.run("systemctl --user stop openbalance-hid")
        assert is_black(deck)
        assert not deck.showing_logo
        serving.guest.run("systemctl --user start openbalance-hid")
        until_stands(deck, tiles)
        serving.guest.run("systemctl --user kill --signal=TERM openbalance-hid")
        until(lambda: is_black(deck), limit_s=PATIENCE_S)
        serving.guest.until("test $(systemctl --user is-active openbalance-hid) = inactive")
        assert serving.guest.run("systemctl --user show --property=Result --value openbalance-hid") == "success\n"


def test_a_daemon_that_was_killed_is_started_again_and_paints_everything(serving: Machine, account: SampleAccount) -> None:
    with Desk(serving.guest, MODEL) as desk:
        tiles, (deck,) = plugged(desk, account), desk.decks
        before = deck.pictures_received
        serving.guest.run("systemctl --user kill --signal=KILL openbalance-hid")
        assert deck.wait_until(lambda: deck.pictures_received >= before + deck.model.keys, PATIENCE_S)
        until_stands(deck, tiles)
        assert serving.guest.run("systemctl --user show --property=NRestarts --value openbalance-hid") == "1\n"
        assert deck.faults == []
