"""A machine for the doctor: every place of it is the test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from openbalance_hid.config.paths import paths
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.registry import PROBES
from openbalance_hid.service.doctor.runner import examine
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from tests.cli.door import machine

NOBODY_THERE = "http://127.0.0.1:9/api/v1"  # the discard port, which nobody serves


def patient(home: Path, decks: VirtualBus | object | None = None, **env: str) -> DoctorContext:
    """Without a network, a session bus, a key, a deck or a daemon, unless `env` and `decks` bring them."""
    clean = {name: value for name, value in machine(home).items() if not name.startswith(("XDG_", "SSH_", "DBUS_"))}
    surroundings: Mapping[str, str] = {**clean, "OPENBALANCE_API_URL": NOBODY_THERE, **env}
    bus = VirtualBus([]) if decks is None else decks
    (home / "udev/rules.d").mkdir(parents=True, exist_ok=True)
    transport = HidTransport(bus)  # type: ignore[arg-type]
    return DoctorContext(
        surroundings,
        paths(surroundings),
        ("/opt/openbalance-hid",),
        transport,
        sys_root=home / "sys",
        udev_dirs=(home / "udev",),
    )


def told(one: DoctorContext, *names: str) -> Sequence[Check]:
    """What the probes of these names say."""
    return tuple(examine(one, [probe for probe in PROBES if probe.name in names]))


def only(one: DoctorContext, name: str) -> Check:
    """The single check of a probe."""
    (check,) = told(one, name)
    return check


def worst(checks: Sequence[Check]) -> CheckStatus:
    return max((check.verdict for check in checks), key=list(CheckStatus).index)
