"""A user's first minutes: `setup` at a terminal, its questions answered, and the deck is live as a service."""

from collections.abc import Callable
from importlib.resources import as_file, files

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.cli.terminal_user import TerminalUser
from tests.kernel.attached_decks import ALIKE, AttachedDecks, error, expected
from tests.kernel.guest import PATIENCE_S
from tests.kernel.states import API, Machine

pytestmark = pytest.mark.kernel

LIVE_TILES = 4


def test_the_answers_to_setup_lead_to_live_tiles_of_a_service(
    fresh: Machine, account: SampleAccount, report: Callable[[str], None]
) -> None:
    guest = fresh.guest
    guest.run("rm -r ~/.config/openbalance-hid ~/.local/state/openbalance-hid")
    with AttachedDecks(guest, "mk2-scissor") as attached:
        deck = attached.plug()
        guest.until("test -e /dev/hidraw0")
        program = guest.words_for_terminal(f"{API} ~/.local/bin/openbalance-hid setup")
        with TerminalUser({}, program=program, limit_s=PATIENCE_S) as user:
            user.answers("Open this page in the browser?", "n")
            user.answers("Store it in a file that only you can read", "y")
            user.answers("Management key", account.key)
            user.answers("Write it?", "y")
            user.answers("Run it now?", "y")
            user.answers("Install the service?", "y")
            assert user.ends() == 0, user.screen
            report(f"$ openbalance-hid setup\n{user.screen}")
            assert account.key not in user.raw
        with as_file(files("openbalance_hid.config").joinpath("default.toml")) as default:
            tiles = expected(account, deck, default)

        def alike() -> list[int]:
            return [key for key, tile in tiles.items() if error(deck.glass(key), tile.picture) < ALIKE]

        assert deck.wait_until(lambda: len(alike()) >= LIVE_TILES, PATIENCE_S), fresh.log()
        report(fresh.command("status"))
        assert guest.run("systemctl --user is-active openbalance-hid") == "active\n"
        assert deck.faults == []
