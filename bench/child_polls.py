"""Polls with and without the process for HTTP requests. `python -m bench.child_polls`; commands on stdin, replies in JSON:

apart   poll with a new HTTP process: {"cpu_ms": of both, "balance_ms": until the balance is known, "private_mib": of it}
here    poll in this process: the same without "private_mib"
"""

import json
import os
import resource
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from bench.neighbours.costs import costs_of
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.config.paths import paths
from openbalance_hid.desktop.credentials import read_key
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.openrouter.session import NewSession, own_session
from openbalance_hid.runtime.http_process import HttpProcess

ACCOUNT = "default"
INTERVAL_S = 900.0


def poll(new_session: NewSession) -> float:
    """Run the first poll cycle of an account; return the milliseconds until the balance is known."""
    known_s: list[float] = []

    def publish(snapshot: Snapshot) -> None:
        if snapshot.credits.value is not None:
            known_s.append(time.perf_counter())

    def client() -> Client:
        secret = read_key(ACCOUNT, os.environ, paths(os.environ)).secret
        return Client(secret, os.environ["OPENBALANCE_API_URL"], new_session=new_session)

    started_s = time.perf_counter()
    Poller(ACCOUNT, client, INTERVAL_S, publish).run_cycle()
    return 1000 * (known_s[0] - started_s)


def cpu_ms() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(1000 * (used.ru_utime + used.ru_stime) for used in map(resource.getrusage, kinds))


def apart() -> dict[str, float]:
    """Poll with a process that is started for it, and ended."""
    before_ms = cpu_ms()
    with closing(HttpProcess()) as process:
        balance_ms = poll(process.session)
        (pid,) = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
        private_mib = costs_of(int(pid)).private_mib
    return {"cpu_ms": cpu_ms() - before_ms, "balance_ms": balance_ms, "private_mib": private_mib}


def here() -> dict[str, float]:
    """Poll in this process, which has loaded HTTP."""
    import openbalance_hid.openrouter.http  # noqa: F401

    before_ms = cpu_ms()
    balance_ms = poll(own_session)
    return {"cpu_ms": cpu_ms() - before_ms, "balance_ms": balance_ms}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(apart() if line.strip() == "apart" else here()), flush=True)
