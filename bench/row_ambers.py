"""How often the spike alert cries wolf."""

from decimal import Decimal

from bench.counts import Counts
from bench.table import Centre, Goal, Row
from bench.users import HABITS, ambers
from openbalance_hid.account.spike import SpikeRule

LITERAL = SpikeRule(burst=False, floor_usd=Decimal(0), window_hours=Decimal("0.25"))
PEER = "the last 15 minutes, scaled to a day, against the daily average"
PEER_USERS = 3  # are enough to see what that is
NOTE = (
    "rises from Normal in 30 days of a poll every 15 minutes, mean over {users} made-up users who never run away; the alert as "
    "it is by default, with its burst lane. The peer is the same verdict with `window_hours = 0.25`, `burst = false`, "
    "`floor_usd = 0`, over three of them."
)


def rows(counts: Counts) -> list[Row]:
    """A row a habit."""
    return [
        Row(
            f"false ambers in 30 days: {habit.name}",
            "ambers",
            tuple(float(ambers(habit, seed, SpikeRule())) for seed in range(counts.users)),
            PEER,
            tuple(float(ambers(habit, seed, LITERAL)) for seed in range(min(PEER_USERS, counts.users))),
            Goal(at_most=habit.ambers),
            NOTE.format(users=counts.users),
            Centre.MEAN,
        )
        for habit in HABITS
    ]
