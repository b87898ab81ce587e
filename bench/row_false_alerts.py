"""How often the spike alert rises without a spike."""

from decimal import Decimal

from bench.sample_sizes import SampleSizes
from bench.simulated_users import HABITS, false_alerts
from bench.table import Centre, Goal, Row
from openbalance_hid.account.spike import SpikeRule

LITERAL = SpikeRule(burst=False, floor_usd=Decimal(0), window_hours=Decimal("0.25"))
PEER = "the last 15 minutes, scaled to a day, against the daily average"
PEER_USERS = 3  # enough for the size of the peer
NOTE = (
    "rises from Normal in 30 days of a poll every 15 minutes, mean over {users} made-up users who never run away; the alert as "
    "it is by default, with its burst lane. The peer is the same verdict with `window_hours = 0.25`, `burst = false`, "
    "`floor_usd = 0`, over three of them."
)


def rows(sizes: SampleSizes) -> list[Row]:
    """Return one row for each habit."""
    return [
        Row(
            f"false ambers in 30 days: {habit.name}",
            "ambers",
            tuple(float(false_alerts(habit, seed, SpikeRule())) for seed in range(sizes.users)),
            PEER,
            tuple(float(false_alerts(habit, seed, LITERAL)) for seed in range(min(PEER_USERS, sizes.users))),
            Goal(at_most=habit.ambers),
            NOTE.format(users=sizes.users),
            Centre.MEAN,
        )
        for habit in HABITS
    ]
