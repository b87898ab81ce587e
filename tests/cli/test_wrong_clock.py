"""Ages in `status`, `bar` and `keys` on a machine with a wrong clock: instants of an account are by OpenRouter's clock."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.cli.bar.line import line_of
from openbalance_hid.cli.control import status_lines
from openbalance_hid.cli.keys import key_lines
from openbalance_hid.config.schema import Config
from openbalance_hid.ipc.key_commands import list_keys
from openbalance_hid.ipc.status import ProcessInfo, status
from tests.build import NOON, api_key, days_back, snapshot

SERVED = NOON - timedelta(minutes=5)  # by OpenRouter's clock


def seen(skew: timedelta) -> Snapshot:
    keys = [api_key("laptop", 1, last_used_at=SERVED)]
    found = snapshot(days=days_back([1, 2, 3]), measured=SERVED, keys=keys)
    return replace(found, server_skew_s=skew.total_seconds())


@pytest.mark.parametrize("skew", [timedelta(0), timedelta(days=2), timedelta(days=-2)])
def test_ages_are_those_of_the_deck_whatever_the_clock_of_the_machine_is(skew: timedelta):
    local = NOON - skew
    controller = Controller(Config(), {"default": seen(skew)}, Moment(local, 1000.0))
    reply = status(controller, (), ProcessInfo(1, 1.0, "/c.toml", local, None), Moment(local, 1000.0))
    account = reply["accounts"]["default"]
    assert not account["stale"]
    assert "measured 5 min ago" in "\n".join(status_lines(reply, local))
    assert "Measured 5 min ago" in line_of(account, "default", "both", "today", local).details
    lines = key_lines(list_keys(controller, None), local)
    assert (lines[0].endswith("used 5 min ago"), lines[1][:15]) == (True, "read 5 min ago;")
