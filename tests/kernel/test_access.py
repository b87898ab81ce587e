"""Who may open a deck: nobody without the rule, the person at the seat with it, a group where nobody sits."""

import pytest

from openbalance_hid.deck.udev_rules import GROUP
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.kernel.desk import Desk, expected, until_stands
from tests.kernel.recipe import VISITOR
from tests.kernel.states import Machine

pytestmark = pytest.mark.kernel

UNKNOWN = "mk2-scissor"  # one of those that systemd's own hardware database leaves out
TRY_OPEN = "python3 -c 'import os; os.close(os.open(\"/dev/hidraw0\", os.O_RDWR))'"


def test_a_refused_deck_is_said_everywhere_and_taken_once_the_printed_command_has_run(
    fresh: Machine, account: SampleAccount
) -> None:
    with Desk(fresh.guest, UNKNOWN) as desk:
        deck = desk.plug()
        fresh.guest.until("test -e /dev/hidraw0")
        refused = ("permission denied", "openbalance-hid udev install")
        fresh.command("service install")
        fresh.until_logged("permission denied")
        for said in (fresh.command("devices"), fresh.command("status"), fresh.log()):
            assert all(said.count(part) == 1 for part in refused), said
        assert deck.reports_received == 0

        fresh.allow()
        until_stands(deck, expected(account, deck))
        assert "in use by the running daemon" in fresh.command("devices")
        assert "already installed" in fresh.command("udev install")
        assert deck.faults == []


def test_the_rule_is_for_who_sits_there_and_for_nobody_else(serving: Machine) -> None:
    with Desk(serving.guest, UNKNOWN) as desk:
        desk.plug()
        serving.guest.until(TRY_OPEN)
        assert "Permission denied" in serving.guest.tried(TRY_OPEN, VISITOR).stderr
        serving.guest.root("systemctl stop getty@tty1")  # the owner gets up
        serving.guest.until(f"! {TRY_OPEN}")


def test_where_nobody_sits_the_headless_rule_lets_a_group_in(fresh: Machine) -> None:
    guest = fresh.guest
    guest.root("systemctl stop getty@tty1")
    with Desk(guest, UNKNOWN, "mk2") as desk:
        for number in (0, 1):
            desk.plug(number)
        guest.until("test -e /dev/hidraw1")
        assert fresh.command("devices").count("permission denied") == 2
        fresh.allow("--headless")
        guest.log_in_again()
        assert GROUP in guest.run("id --name --groups")
        assert fresh.command("devices").count("can be opened") == 2
        assert "Permission denied" in guest.tried(TRY_OPEN, VISITOR).stderr
