"""What the spike rule does in each life of the table: false ambers, and how soon it sees a runaway."""

from bench.lives import verdicts
from bench.sample_sizes import SampleSizes
from bench.table import Centre, Goal, Row
from bench.table_of_lives import TABLE

NOTE = "mean over {users} simulated accounts, a poll every 15 minutes, the rule as it is by default."


def rows(sizes: SampleSizes) -> list[Row]:
    """Return one row for each requirement of each life."""
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
    return made
