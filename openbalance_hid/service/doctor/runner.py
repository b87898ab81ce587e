"""Runs the checks side by side: none waits for another, and one that hangs or fails becomes a failure of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from pkgutil import resolve_name
from queue import Empty, SimpleQueue

from openbalance_hid.desktop.deadline import Deadline
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.service.doctor.check import Check, failure
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.registry import PROBES, Probe

log = logging.getLogger(__name__)

UNEXPECTED = 1  # exit code


def run_checks(context: DoctorContext, probes: Sequence[Probe] = PROBES) -> Iterator[Check]:
    """Return every check in the order of the table, each as soon as it is known. Raises nothing."""
    running: list[tuple[Probe, Deadline, SimpleQueue[Sequence[Check]]]] = []
    for probe in probes:
        results: SimpleQueue[Sequence[Check]] = SimpleQueue()
        running.append((probe, Deadline(probe.limit_s), results))
        try:
            threading.Thread(target=_run, args=(probe, context, results), name=f"probe {probe.name}", daemon=True).start()
        except RuntimeError:  # the system's limit of threads
            _run(probe, context, results)
    for probe, deadline, results in running:
        try:
            yield from deadline.get(results)
        except Empty:  # its thread is left behind, and ends with the process
            yield failure(probe.name, f"no answer within {probe.limit_s:g} s", probe.hint, probe.exit_code)


def _run(probe: Probe, context: DoctorContext, results: SimpleQueue[Sequence[Check]]) -> None:
    try:
        results.put(tuple(resolve_name(probe.function)(context)))
    except OpenBalanceError as error:
        results.put([failure(probe.name, error.message, error.hint, error.exit_code)])
    except ImportError as error:
        results.put([failure(probe.name, f"cannot be checked: {error}", hint("a package is missing or too old"), UNEXPECTED)])
    except Exception as error:  # one check must not stop the others
        log.debug("the check %s failed", probe.name, exc_info=True)
        results.put([failure(probe.name, f"cannot be checked: {type(error).__name__}: {error}", probe.hint, UNEXPECTED)])
