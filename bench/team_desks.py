"""`python -m bench.team_desks`: one publisher and 200 desks without a key, on one Mosquitto of this machine.

Not in `make bench`, because it needs the program mosquitto. Publisher and desks are processes of their own; every desk runs the
reader of the product over TLS, in a thread. `--write` renews bench/TEAM.md.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.child import Child
from bench.machine import heading
from bench.neighbours.costs import costs_of
from bench.table import Goal, Row, markdown
from tests.mqtt.mosquitto import Mosquitto, mosquitto

RESULTS = Path(__file__).parent / "TEAM.md"
ABOUT = """\
# A team of desks on one broker

The output of `python -m bench.team_desks --write`. One publisher and the desks run on the machine below, together with Debian's
Mosquitto, over TLS. A desk is the reader of the product: it decodes each message and makes the snapshot that tiles show.
"""
SIZE_NOTE = "the payload: five weeks of an account with 12 models, 8 keys and a poll every 15 minutes."


def main() -> None:
    """Print the table on stdout."""
    parser = argparse.ArgumentParser(prog="python -m bench.team_desks", description="Measure a team of desks on one broker.")
    parser.add_argument("--desks", type=int, default=200)
    parser.add_argument("--polls", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="also write bench/TEAM.md")
    options = parser.parse_args()
    above = heading()
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder), "sys_interval 1\n") as broker:
        rows = measure(broker, options.desks, options.polls)
    text = f"{ABOUT}\n{above}\n\n{markdown(rows)}"
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


def measure(broker: Mosquitto, desks: int, polls: int) -> list[Row]:
    """Return the rows: each poll is published when the last one has reached every desk."""
    address, ca_file = str(broker.port), broker.ca_file
    with ExitStack() as running:
        publisher = running.enter_context(Child("bench.child_team", "publisher", address, ca_file, "1"))
        alone_mib = publisher.request("settle") and costs_of(publisher.pid).private_mib
        publisher.request("publish")
        readers = running.enter_context(Child("bench.child_team", "desks", address, ca_file, str(desks)))
        started_s = time.monotonic()
        readers.request("wait 1")
        joined_s = time.monotonic() - started_s
        latencies, lasts, sizes = [], [], []
        for number in range(2, polls + 2):
            sent = publisher.request("publish")
            reached = readers.request(f"wait {number}")["at_s"]
            taken_ms = [1000 * (at_s - sent["at_s"]) for at_s in reached]
            latencies += taken_ms
            lasts.append(max(taken_ms))
            sizes.append(float(sent["bytes"]))
            sys.stderr.write(f"poll {number - 1}: last desk after {max(taken_ms):.0f} ms\n")
        with_desks_mib = costs_of(publisher.pid).private_mib
        desks_mib = costs_of(readers.pid).private_mib / desks
    note = f"{desks} desks, each a thread with its own connection; all share {os.cpu_count()} cores and one process."
    return [
        Row("from publish to the snapshot of a desk", "ms", tuple(latencies), "", (), Goal(at_most=5000.0), note),
        Row("from publish to the snapshot of the last desk", "ms", tuple(lasts), "", (), Goal(at_most=10_000.0)),
        Row("all desks connect at once: until the last one has its first snapshot", "s", (joined_s,), "", ()),
        Row("bytes of a poll for each desk", "bytes", tuple(sizes), "", (), Goal(at_most=131072.0), SIZE_NOTE),
        Row("private memory of the publisher with all desks connected", "MiB", (with_desks_mib,), "with none", (alone_mib,)),
        Row("private memory of a desk's reader", "MiB", (desks_mib,), "", ()),
    ]


if __name__ == "__main__":
    main()
