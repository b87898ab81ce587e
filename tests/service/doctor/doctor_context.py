"""A machine for the doctor: every directory, device and service of it belongs to the test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from openbalance_hid.config.paths import paths
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.registry import PROBES
from openbalance_hid.service.doctor.runner import run_checks
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from tests.cli.command_line import machine
from tests.other_user import OTHER_UID

NO_SERVER = "http://127.0.0.1:9/api/v1"  # the discard port, on which nothing listens


def doctor_context(home: Path, decks: VirtualBus | object | None = None, **env: str) -> DoctorContext:
    """Return a context without network, session bus, key, deck and daemon, unless `env` and `decks` bring them."""
    clean = {name: value for name, value in machine(home).items() if not name.startswith(("XDG_", "SSH_", "DBUS_"))}
    whole: Mapping[str, str] = {**clean, "OPENBALANCE_API_URL": NO_SERVER, **env}
    bus = VirtualBus([]) if decks is None else decks
    (home / "udev/rules.d").mkdir(parents=True, exist_ok=True)
    return DoctorContext(
        whole,
        paths(whole),
        ("/opt/openbalance-hid",),
        HidTransport(bus),  # type: ignore[arg-type]
        sys_root=home / "sys",
        udev_dirs=(home / "udev",),
    )


def results(context: DoctorContext, *names: str) -> Sequence[Check]:
    """Return the checks of the rows with these names."""
    return tuple(run_checks(context, [probe for probe in PROBES if probe.name in names]))


def single_result(context: DoctorContext, name: str) -> Check:
    """Return the one check of a row."""
    (check,) = results(context, name)
    return check


def worst(checks: Sequence[Check]) -> CheckStatus:
    """Return the most severe verdict."""
    return max((check.verdict for check in checks), key=list(CheckStatus).index)


@contextmanager
def as_an_ordinary_user(*owned: Path) -> Iterator[None]:
    """Become another user, who owns the paths, if this process is root: root may open everything."""
    before = os.geteuid()
    if before != 0:
        yield
        return
    for path in owned:
        os.chown(path, OTHER_UID, OTHER_UID)
    os.seteuid(OTHER_UID)
    try:
        yield
    finally:
        os.seteuid(before)
