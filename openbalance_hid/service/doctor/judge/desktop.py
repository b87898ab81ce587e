"""The session and what the desktop does for us, judged. What is missing here is a warning: the deck works without."""

from __future__ import annotations

from openbalance_hid.service.doctor.check import Check, ok, warning
from openbalance_hid.service.doctor.facts import Notifier, Opener, Session


def session(seen: Session) -> list[Check]:
    """Where the person is."""
    kind = f"{seen.kind or 'unknown'} session" + (f" of {seen.desktop}" if seen.desktop else "")
    if seen.remote:
        return [ok("session", f"{kind} through ssh: rules for the seat do not go for it")]
    if seen.kind is None and seen.seat is None:
        return [
            warning(
                "session", "no login session is here: nobody to open pages for", "openbalance-hid service install --headless"
            )
        ]
    return [ok("session", f"{kind}, {f'on {seen.seat}' if seen.seat else 'without a seat'}")]


def screen_lock(told: bool) -> list[Check]:
    """Whether somebody tells of the session's lock; to be asked where the owner wants the decks dark then."""
    if told:
        return []
    return [warning("session", "dim.on_lock is set, and no logind is here to tell of a lock", "openbalance-hid config show")]


def pages(seen: Opener, installing: str) -> list[Check]:
    """Whether a tap can open a page. `installing`: how packages are installed here, empty when not known."""
    if seen.portal in ("running", "startable"):
        return [ok("pages", f"the desktop's portal opens them ({seen.portal})")]
    portal = f"no session bus: {seen.bus_error}" if seen.bus_error is not None else "no portal on the session bus"
    if not seen.commands:
        return [warning("pages", f"a tap opens no page: {portal}, and no xdg-open", _command(installing, "xdg-utils"))]
    if not seen.display:
        return [warning("pages", f"a tap opens no page: {portal}, and no display for {seen.commands[0]}")]
    return [ok("pages", f"{seen.commands[0]} opens them ({portal})")]


def notifications(seen: Notifier, installing: str) -> list[Check]:
    """Whether the desktop can be told of a spike."""
    if seen.name is None:
        return [warning("notifications", f"nobody shows them: {seen.error}", _command(installing, "dunst"))]
    return [ok("notifications", f"{seen.name}{'' if seen.buttons else ', without buttons'}")]


def _command(installing: str, package: str) -> str:
    return f"{installing} {package}" if installing else ""
