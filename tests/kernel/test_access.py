"""Access to a deck: none without the rules, for the user at the seat with them, for a group with the headless rules."""

import pytest

from openbalance_hid.deck.udev_rules import GROUP
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.kernel.attached_decks import AttachedDecks, expected, until_shown
from tests.kernel.recipe import VISITOR
from tests.kernel.states import Machine

pytestmark = pytest.mark.kernel

UNKNOWN = "mk2-scissor"  # not in systemd's own hardware database
TRY_OPEN = "python3 -c 'import os; os.close(os.open(\"/dev/hidraw0\", os.O_RDWR))'"


def test_a_refused_deck_is_reported_and_opened_after_the_printed_command(fresh: Machine, account: SampleAccount) -> None:
    with AttachedDecks(fresh.guest, UNKNOWN) as attached:
        deck = attached.plug()
        fresh.guest.until("test -e /dev/hidraw0")
        refused = ("permission denied", "openbalance-hid udev install")
        fresh.command("service install")
        fresh.until_logged("permission denied")
        for output in (fresh.command("devices"), fresh.command("status"), fresh.log()):
            assert all(output.count(part) == 1 for part in refused), output
        assert deck.reports_received == 0

        fresh.allow()
        until_shown(deck, expected(account, deck))
        assert "in use by the running daemon" in fresh.command("devices")
        assert "already installed" in fresh.command("udev install")
        assert deck.faults == []


def test_the_desktop_rule_gives_access_to_the_user_at_the_seat_alone(serving: Machine) -> None:
    with AttachedDecks(serving.guest, UNKNOWN) as attached:
        attached.plug()
        serving.guest.until(TRY_OPEN)
        assert "Permission denied" in serving.guest.tried(TRY_OPEN, VISITOR).stderr
        serving.guest.root("systemctl stop getty@tty1")  # the user logs out at the seat
        serving.guest.until(f"! {TRY_OPEN}")


def test_the_headless_rule_gives_access_to_a_group(fresh: Machine) -> None:
    guest = fresh.guest
    guest.root("systemctl stop getty@tty1")
    with AttachedDecks(guest, UNKNOWN, "mk2") as attached:
        for number in (0, 1):
            attached.plug(number)
        guest.until("test -e /dev/hidraw1")
        assert fresh.command("devices").count("permission denied") == 2
        fresh.allow("--headless")
        guest.log_in_again()
        assert GROUP in guest.run("id --name --groups")
        assert fresh.command("devices").count("can be opened") == 2
        assert "Permission denied" in guest.tried(TRY_OPEN, VISITOR).stderr
