"""The costs of a growing number of accounts: their first balances, the presses meanwhile, and the end of the daemon."""

import time
from collections.abc import Sequence

from bench.child import Child
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import accounts, environment_for
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

SLOW_S = 10.0  # of every answer
DARK_MS, ENDED_MS, REST_MS = 300.0, 1000.0, 300.0


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows."""
    return [*_stop_rows(sizes)]


def _stop_rows(sizes: SampleSizes) -> list[Row]:
    hanging = {count: _stop(count, SLOW_S) for count in sizes.hanging_accounts}
    at_rest = [_stop(1, 0.0)[1] for _ in range(sizes.starts)]
    note = f"every endpoint answers after {SLOW_S:g} s; with {_listed(list(hanging))} accounts "
    dark, ended = (tuple(each[part] for each in hanging.values()) for part in (0, 1))
    goals = Goal(at_most=DARK_MS), Goal(at_most=ENDED_MS)
    return [
        Row("stop while all requests hang: dark keys", "ms", dark, "", (), goals[0], note + _listed(dark)),
        Row("stop while all requests hang: end of the process", "ms", ended, "", (), goals[1], note + _listed(ended)),
        Row("stop of a daemon at rest", "ms", tuple(at_rest), "", (), Goal(at_most=REST_MS), "one XL deck, one account."),
    ]


def _stop(count: int, slow_s: float) -> tuple[float, float]:
    """Return the milliseconds from SIGTERM to dark keys, and to the end of the process."""
    with SampleAccount() as sample:
        sample.slow_s = slow_s
        config, keys = accounts(count, sample.key)
        with environment_for(sample, config) as env, Child("bench.child_daemon", "xl", "1", env={**env, **keys}) as daemon:
            daemon.request("settle")
            started_s = time.monotonic()
            dark_s = daemon.request("stop")["dark_s"]
            return 1000 * dark_s, 1000 * (daemon.wait_ended() - started_s)


def _listed(amounts: Sequence[float]) -> str:
    return ", ".join(f"{amount:.4g}" for amount in amounts)
