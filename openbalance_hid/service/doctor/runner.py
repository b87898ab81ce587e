"""Runs the probes side by side: none waits for another, one that hangs or fails is said to, and the others are heard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from queue import Empty, SimpleQueue

from openbalance_hid.desktop.deadline import Deadline
from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.service.doctor.check import Check, failure
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.registry import PROBES, Probe

log = logging.getLogger(__name__)

UNEXPECTED = 1


def examine(patient: DoctorContext, probes: Sequence[Probe] = PROBES) -> Iterator[Check]:
    """Every check, in the order of the table, as soon as it is known. Raises nothing; nobody is waited for beyond a limit."""
    asked: list[tuple[Probe, Deadline, SimpleQueue[Sequence[Check]]]] = []
    for probe in probes:
        answer: SimpleQueue[Sequence[Check]] = SimpleQueue()
        asked.append((probe, Deadline(probe.limit_s), answer))
        threading.Thread(target=_turn, args=(probe, patient, answer), name=f"probe {probe.name}", daemon=True).start()
    for probe, patience, answer in asked:
        try:
            yield from patience.answer(answer)
        except Empty:  # its thread is left behind, and ends with the process
            yield failure(probe.name, f"no answer within {probe.limit_s:g} s", probe.hint, probe.exit_code)


def _turn(probe: Probe, patient: DoctorContext, answer: SimpleQueue[Sequence[Check]]) -> None:
    try:
        module, _, function = probe.asks.partition(":")
        answer.put(tuple(getattr(import_module(module), function)(patient)))
    except OpenBalanceError as error:
        answer.put([failure(probe.name, error.message, error.hint, error.exit_code)])
    except ImportError as error:
        answer.put([failure(probe.name, f"cannot be checked: {error}", "pipx reinstall openbalance-hid", UNEXPECTED)])
    except Exception as error:  # the turn of a thread: whatever it was, the others are heard
        log.debug("the probe %s failed", probe.name, exc_info=True)
        answer.put([failure(probe.name, f"cannot be checked: {type(error).__name__}: {error}", probe.hint, UNEXPECTED)])
