"""Check of the login session: its seat, its kind, and whether its lock can be followed."""

from __future__ import annotations

from dataclasses import dataclass

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.service.doctor.check import Check, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.subprocesses import run_program

BUS_LIMIT_S = 3.0
LOGINCTL_LIMIT_S = 2.0
_LOGINCTL = ["loginctl", "show-session", "auto", "--property=Type", "--property=Seat", "--property=Remote"]


@dataclass(frozen=True, slots=True)
class LoginSession:
    """The user's session. `kind`: as XDG_SESSION_TYPE, None when unknown; `seat`: None without; `remote`: through ssh."""

    kind: str | None
    seat: str | None
    remote: bool
    desktop: str | None = None

    @property
    def at_seat(self) -> bool:
        """Whether udev rules for the local seat apply. True where nothing is known."""
        return not self.remote and (self.seat is not None or self.kind is None)


def check_session(context: DoctorContext) -> list[Check]:
    """Check the session, and logind where the configuration needs it."""
    lock = []
    if _follows_lock(context):
        lock = assess_mac_lock(_has_mac_session()) if context.platform == "darwin" else assess_screen_lock(_has_logind())
    return [*assess_session(login_session(context)), *lock]


def assess_session(seen: LoginSession) -> list[Check]:
    """Return the kind of the session; a warning without one."""
    kind = f"{seen.kind or 'unknown'} session" + (f" of {seen.desktop}" if seen.desktop else "")
    if seen.remote:
        return [ok("session", f"{kind} through ssh: rules for the local seat do not apply")]
    if seen.kind is None and seen.seat is None:
        return [warning("session", "no login session: no desktop to open pages on", hint("no session has a display"))]
    return [ok("session", f"{kind}, {f'on {seen.seat}' if seen.seat else 'without a seat'}")]


def assess_screen_lock(has_logind: bool) -> list[Check]:
    """Return a warning when the configuration follows the screen lock and nothing reports it."""
    if has_logind:
        return []
    return [
        warning(
            "session",
            "dim.on_lock is set, but no logind reports the screen lock",
            hint("the lock of the screen is not reported"),
        )
    ]


def assess_mac_lock(has_session: bool) -> list[Check]:
    """Return a warning when the configuration follows the screen lock and this process is in no session with a display."""
    if has_session:
        return []
    words = "dim.on_lock is set, but this process has no session with a display, as over ssh: its lock is unknown"
    return [warning("session", words, hint("no session has a display on macOS", "doctor"))]


def login_session(context: DoctorContext) -> LoginSession:
    """Return the session by the environment; by logind where that has no answer, as in a service or in tmux."""
    env = context.env
    if context.platform == "darwin":
        return LoginSession("Aqua", "the console", bool(env.get("SSH_CONNECTION")), "macOS")
    kind, seat, remote = env.get("XDG_SESSION_TYPE"), env.get("XDG_SEAT"), bool(env.get("SSH_CONNECTION"))
    if not kind or not seat:
        result = run_program(_LOGINCTL, LOGINCTL_LIMIT_S)
        facts = dict(line.partition("=")[::2] for line in result.out.splitlines()) if result.ok else {}
        kind, seat = kind or facts.get("Type"), seat or facts.get("Seat")
        remote = remote or facts.get("Remote") == "yes"
    return LoginSession(kind or None, seat or None, remote, env.get("XDG_CURRENT_DESKTOP") or None)


def _follows_lock(context: DoctorContext) -> bool:
    try:
        return context.config().dim.on_lock
    except OpenBalanceError:
        return False


def _has_mac_session() -> bool:
    from openbalance_hid.desktop.mac_screen_lock import MacSession

    try:
        return MacSession().is_locked() is not None
    except (OSError, AttributeError):
        return False


def _has_logind() -> bool:
    try:
        from openbalance_hid.desktop.bus_connection import NoBusError
        from openbalance_hid.desktop.bus_services import ServiceStatus, service_statuses
        from openbalance_hid.desktop.screen_lock import LOGIND
    except ImportError:  # no D-Bus
        return False
    try:
        return service_statuses([LOGIND], "SYSTEM", BUS_LIMIT_S)[LOGIND] is not ServiceStatus.ABSENT
    except NoBusError:
        return False
