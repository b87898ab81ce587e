"""Configuration, directories, history, service and the running daemon, as they are."""

from __future__ import annotations

import os
from pathlib import Path

from openbalance_hid import __version__
from openbalance_hid.config.paths import check_private
from openbalance_hid.errors import ConfigError, OpenBalanceError
from openbalance_hid.service.doctor.check import Check
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.facts import Directory, ServiceFacts
from openbalance_hid.service.doctor.judge import house as judge


def configuration(patient: DoctorContext) -> list[Check]:
    """The file, and what of it the decks that are here do not have."""
    file = patient.places.config_file
    try:
        patient.config()
    except ConfigError as error:
        return judge.configuration(str(file), True, error, ())
    return judge.configuration(str(file), file.exists(), None, _beyond(patient))


def directories(patient: DoctorContext) -> list[Check]:
    """Looked at, not made."""
    places = patient.places
    found = [_directory("state", places.state_dir), _directory("runtime", places.runtime_dir)]
    return judge.directories(found, len(os.fsencode(places.socket_file)))


def history(patient: DoctorContext) -> list[Check]:
    """The file, read as a whole."""
    from openbalance_hid.history.checkup import condition

    file = patient.places.history_file
    return judge.history(str(file), condition(file))


def service(patient: DoctorContext) -> list[Check]:
    """What the service manager says."""
    from openbalance_hid.service.this_program import is_current, system_service_is_active, unit_starts, user_service

    try:
        state = user_service(patient.program, patient.env).state()
    except OpenBalanceError as error:
        return judge.service(ServiceFacts(error=error, system_active=system_service_is_active()))
    unit = state.file if state.file is not None and state.file.suffix == ".service" else None
    starts = unit_starts(unit) if unit is not None else None
    return judge.service(
        ServiceFacts(
            installed=state.file is not None,
            enabled=state.enabled,
            active=state.active,
            words=state.words,
            file=str(state.file) if state.file is not None else None,
            gone=str(starts) if starts is not None and not starts.exists() else None,
            outdated=unit is not None and not is_current(unit),
            system_active=state.file is None and system_service_is_active(),
            daemon_runs=_daemon_runs(patient),
        )
    )


def daemon(patient: DoctorContext) -> list[Check]:
    """What it says of itself."""
    try:
        told = patient.daemon()
    except OpenBalanceError as error:
        return judge.daemon(None, error, __version__)
    return judge.daemon(told, None, __version__)


def _directory(name: str, path: Path) -> Directory:
    if not os.path.lexists(path):
        return Directory(name, str(path), False, _cannot_be_made(path))
    try:
        check_private(path)
    except ConfigError as error:
        return Directory(name, str(path), True, error)
    return Directory(name, str(path), True)


def _cannot_be_made(path: Path) -> ConfigError | None:
    above = next(parent for parent in path.parents if parent.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return None
    return ConfigError(f"{path} cannot be made: {above} may not be written", f"ls -ld {above}")


def _beyond(patient: DoctorContext) -> list[str]:
    from openbalance_hid.config.default_layout import check_against_deck

    try:
        decks = patient.decks()
    except OpenBalanceError:
        return []
    config = patient.config()
    return [
        str(problem)
        for found in decks
        for problem in check_against_deck(config.deck_for(found.serial), found.deck.key_count(), found.deck.dial_count())
    ]


def _daemon_runs(patient: DoctorContext) -> bool:
    try:
        return patient.daemon() is not None
    except OpenBalanceError:
        return True
