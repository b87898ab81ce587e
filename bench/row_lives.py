"""What the spike rule does in each life of the table: false ambers, and how soon it sees a runaway."""

import time
from itertools import islice

from bench.lives import polls, verdicts
from bench.sample_sizes import SampleSizes
from bench.table import Centre, Goal, Row
from bench.table_of_lives import TABLE
from openbalance_hid.account.spike import SpikeRule, judge

POLLS_A_DAY = 96
NOTE = "mean over {users} simulated accounts, a poll every 15 minutes, the rule as it is by default."


def rows(sizes: SampleSizes) -> list[Row]:
    """Return one row for each requirement of each life, and one for the time that the rule takes."""
    made = []
    for row in TABLE[: sizes.lives]:
        lived = [verdicts(row.life, seed) for seed in range(sizes.users)]
        for required in row.requirements:
            values = tuple(required.measure(row.life, seen) for seen in lived)
            name = f"{row.life.name}: {required.unit}"
            made.append(
                Row(
                    name,
                    required.unit.split()[0],
                    values,
                    "",
                    (),
                    Goal(at_most=required.at_most),
                    NOTE.format(users=sizes.users),
                    Centre.MEAN,
                )
            )
    return [*made, _day_of_verdicts(sizes)]


def _day_of_verdicts(sizes: SampleSizes) -> Row:
    """Return the time that the verdicts of a day take, for the life with the most spikes."""
    life = next(row.life for row in TABLE if row.life.name.startswith("heavy-tailed"))
    times = []
    for seed in range(sizes.users):
        day = list(islice(polls(life, seed), POLLS_A_DAY))
        started_s = time.perf_counter()
        for known in day:
            judge(known, known.samples[-1].at, SpikeRule())
        times.append(1000 * (time.perf_counter() - started_s))
    note = f"{POLLS_A_DAY} polls of a heavy-tailed life, with samples of five weeks; one day each of {sizes.users} accounts."
    return Row("the spike rule: the verdicts of 24 hours", "ms", tuple(times), "", (), Goal(at_most=1000.0), note)
