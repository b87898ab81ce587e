"""`python -m bench`: measures every row and prints the table. `--write` puts it into bench/RESULTS.md and README.md, too."""

import argparse
import logging
import sys
import time
from pathlib import Path

from bench.best import README, with_best
from bench.counts import FULL, ONCE
from bench.machine import heading
from bench.rows import GROUPS
from bench.table import Row, markdown

RESULTS = Path(__file__).parent / "RESULTS.md"
ABOUT = """\
# What it costs

The output of `make bench`; `make bench ARGS="--write"` renews this file. Everything runs on the simulator, which takes real HID
reports. Each row is measured in turns with its peer, in the same run. An amount is the median (for reports the mean), in
brackets the range without the lowest and the highest tenth (all values where there are fewer than ten). The ratio is ours as
a part of the peer's.
"""


def main() -> None:
    """Prints the table on stdout, progress on stderr."""
    words = argparse.ArgumentParser(prog="python -m bench", description="Measure, and print one table.")
    words.add_argument("--write", action="store_true", help="write bench/RESULTS.md and the README's table, too")
    words.add_argument("--once", action="store_true", help="measure everything once, only to see that it runs")
    words.add_argument("--only", choices=tuple(GROUPS), action="append", help="these rows alone; may be repeated")
    wanted = words.parse_args()
    if wanted.write and (wanted.once or wanted.only):
        words.error("--write takes the whole table")
    logging.getLogger("openbalance_hid").setLevel(logging.CRITICAL)  # the sample account's troubles are wanted here
    above = heading()
    rows: list[Row] = []
    began = time.monotonic()
    for name in wanted.only or GROUPS:
        sys.stderr.write(f"measuring: {name}\n")
        rows += GROUPS[name](ONCE if wanted.once else FULL)
    sys.stderr.write(f"measured in {time.monotonic() - began:.0f} s\n")
    text = f"{ABOUT}\n{above}\n\n{markdown(rows)}"
    print(text)
    if wanted.write:
        RESULTS.write_text(text, encoding="utf-8")
        README.write_text(with_best(README.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
