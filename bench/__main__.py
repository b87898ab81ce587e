"""`python -m bench`: measure every row and print the table. `--write` also writes it into bench/RESULTS.md and README.md."""

import argparse
import logging
import sys
import time
from pathlib import Path

from bench.machine import heading
from bench.readme_table import README, with_table
from bench.rows import GROUPS
from bench.sample_sizes import FULL, ONCE
from bench.table import Row, markdown

RESULTS = Path(__file__).parent / "RESULTS.md"
ABOUT = """\
# What it costs

The output of `make bench`; `make bench ARGS="--write"` renews this file. Everything runs on the simulator, which takes real HID
reports. Each row is measured in turns with its peer, in the same run. An amount is the median (for reports the mean), in
brackets the range without the lowest and the highest tenth (all values where there are fewer than ten). The ratio is ours as
a part of the peer's. Amounts of two machines do not compare, ratios do.
"""


def main() -> None:
    """Print the table on stdout, progress on stderr."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and print one table.")
    parser.add_argument("--write", action="store_true", help="also write bench/RESULTS.md and the table of the README")
    parser.add_argument("--once", action="store_true", help="measure everything once, to check that it runs")
    parser.add_argument("--only", choices=tuple(GROUPS), action="append", help="only this group of rows; may be repeated")
    options = parser.parse_args()
    if options.write and (options.once or options.only):
        parser.error("--write needs the whole table")
    logging.getLogger("openbalance_hid").setLevel(logging.CRITICAL)  # the sample account has failures on purpose
    above = heading()
    rows: list[Row] = []
    started_s = time.monotonic()
    for name in options.only or GROUPS:
        sys.stderr.write(f"measuring: {name}\n")
        rows += GROUPS[name](ONCE if options.once else FULL)
    sys.stderr.write(f"measured in {time.monotonic() - started_s:.0f} s\n")
    text = f"{ABOUT}\n{above}\n\n{markdown(rows)}"
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")
        README.write_text(with_table(README.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
