"""The session and what the desktop offers, as they are."""

from __future__ import annotations

import shutil

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.service.doctor.check import Check, ok
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.facts import Notifier, Opener, Session
from openbalance_hid.service.doctor.judge import desktop as judge
from openbalance_hid.service.subprocesses import ask_program

BUS_LIMIT_S = 3.0
LOGINCTL_LIMIT_S = 2.0
INSTALLERS = {"apt": "sudo apt install", "dnf": "sudo dnf install", "pacman": "sudo pacman -S", "zypper": "sudo zypper install"}


def session(patient: DoctorContext) -> list[Check]:
    """Seat, kind, ssh; and logind, where the configuration needs it."""
    lock = judge.screen_lock(_has_logind()) if _heeds_lock(patient) else []
    return [*judge.session(session_of(patient)), *lock]


def pages(patient: DoctorContext) -> list[Check]:
    """Portal and xdg-open."""
    if patient.platform == "darwin":
        return [ok("pages", "macOS opens them")]
    from openbalance_hid.desktop.bus_services import NoBusError, standings
    from openbalance_hid.desktop.portal import NAME

    path = patient.env.get("PATH")
    commands = tuple(found for command in ("xdg-open",) if (found := shutil.which(command, path=path)))
    display = bool(patient.env.get("WAYLAND_DISPLAY") or patient.env.get("DISPLAY"))
    try:
        standing = standings([NAME], patient.env.get("DBUS_SESSION_BUS_ADDRESS", ""), BUS_LIMIT_S)[NAME]
    except NoBusError as error:
        return judge.pages(Opener(str(error), None, commands, display), _installing(path))
    return judge.pages(Opener(None, standing.value, commands, display), _installing(path))


def notifications(patient: DoctorContext) -> list[Check]:
    """The notification service, asked for its name."""
    if patient.platform == "darwin":
        return [ok("notifications", "macOS shows them, without buttons")]
    from openbalance_hid.desktop.bus_services import NoBusError, shower

    try:
        found = shower(patient.env.get("DBUS_SESSION_BUS_ADDRESS", ""), BUS_LIMIT_S)
    except NoBusError as error:
        return judge.notifications(Notifier(None, error=str(error)), _installing(patient.env.get("PATH")))
    return judge.notifications(Notifier(f"{found.name} {found.version}".strip(), found.buttons), "")


def session_of(patient: DoctorContext) -> Session:
    """By the environment; where that is silent, as in a service or in tmux, by logind."""
    env = patient.env
    if patient.platform == "darwin":
        return Session("Aqua", "the console", bool(env.get("SSH_CONNECTION")), "macOS")
    kind, seat, remote = env.get("XDG_SESSION_TYPE"), env.get("XDG_SEAT"), bool(env.get("SSH_CONNECTION"))
    if not kind or not seat:
        told = ask_program(
            ["loginctl", "show-session", "auto", "--property=Type", "--property=Seat", "--property=Remote"], LOGINCTL_LIMIT_S
        )
        facts = dict(line.partition("=")[::2] for line in told.out.splitlines()) if told.ok else {}
        kind, seat = kind or facts.get("Type"), seat or facts.get("Seat")
        remote = remote or facts.get("Remote") == "yes"
    return Session(kind or None, seat or None, remote, env.get("XDG_CURRENT_DESKTOP") or None)


def _installing(path: str | None) -> str:
    return next((words for program, words in INSTALLERS.items() if shutil.which(program, path=path)), "")


def _heeds_lock(patient: DoctorContext) -> bool:
    try:
        return patient.config().dim.on_lock
    except OpenBalanceError:
        return False


def _has_logind() -> bool:
    try:
        from openbalance_hid.desktop.bus_services import NoBusError, ServiceStatus, standings
        from openbalance_hid.desktop.screen_lock import LOGIND
    except ImportError:  # macOS has no D-Bus
        return False
    try:
        return standings([LOGIND], "SYSTEM", BUS_LIMIT_S)[LOGIND] is not ServiceStatus.ABSENT
    except NoBusError:
        return False
