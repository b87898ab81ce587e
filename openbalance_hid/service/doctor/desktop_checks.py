"""Checks of what the desktop does: opening pages and showing notifications. A deck works without, so each is a warning."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from openbalance_hid.hints import DOCTOR, hint
from openbalance_hid.service.doctor.check import Check, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext

BUS_LIMIT_S = 3.0
INSTALLERS = {"apt": "sudo apt install", "dnf": "sudo dnf install", "pacman": "sudo pacman -S", "zypper": "sudo zypper install"}


@dataclass(frozen=True, slots=True)
class PageOpeners:
    """Ways to open a page. `bus_error`: why there is no session bus; `portal`: running, startable or absent."""

    bus_error: str | None
    portal: str | None
    commands: tuple[str, ...]
    has_display: bool


@dataclass(frozen=True, slots=True)
class NotificationFacts:
    """The notification service. `name`: None without one, and `error` gives the reason."""

    name: str | None
    has_buttons: bool = False
    error: str | None = None


def check_pages(context: DoctorContext) -> list[Check]:
    """Check the portal and xdg-open."""
    if context.platform == "darwin":
        return [ok("pages", "opened by macOS")]
    from openbalance_hid.desktop.bus_connection import NoBusError
    from openbalance_hid.desktop.bus_services import service_statuses
    from openbalance_hid.desktop.portal import NAME

    path = context.env.get("PATH")
    commands = tuple(found for command in ("xdg-open",) if (found := shutil.which(command, path=path)))
    has_display = bool(context.env.get("WAYLAND_DISPLAY") or context.env.get("DISPLAY"))
    try:
        status = service_statuses([NAME], context.env.get("DBUS_SESSION_BUS_ADDRESS", ""), BUS_LIMIT_S)[NAME]
    except NoBusError as error:
        return assess_pages(PageOpeners(str(error), None, commands, has_display), _installer(path))
    return assess_pages(PageOpeners(None, status.value, commands, has_display), _installer(path))


def assess_pages(seen: PageOpeners, installer: str) -> list[Check]:
    """Return whether a tap can open a page. `installer`: the command that installs packages, empty when not known."""
    if seen.portal in ("running", "startable"):
        return [ok("pages", f"opened by the desktop portal ({seen.portal})")]
    portal = f"no session bus: {seen.bus_error}" if seen.bus_error is not None else "no portal on the session bus"
    if not seen.commands:
        return [warning("pages", f"a tap cannot open pages: {portal}, and no xdg-open", _install(installer, "xdg-utils"))]
    if not seen.has_display:
        return [warning("pages", f"a tap cannot open pages: {portal}, and no display for {seen.commands[0]}")]
    return [ok("pages", f"opened by {seen.commands[0]} ({portal})")]


def check_notifications(context: DoctorContext) -> list[Check]:
    """Check the notification service by its name and capabilities."""
    if context.platform == "darwin":
        return [_check_mac_notifications(context)]
    from openbalance_hid.desktop.bus_connection import NoBusError
    from openbalance_hid.desktop.bus_services import notification_server

    try:
        found = notification_server(context.env.get("DBUS_SESSION_BUS_ADDRESS", ""), BUS_LIMIT_S)
    except NoBusError as error:
        return assess_notifications(NotificationFacts(None, error=str(error)), _installer(context.env.get("PATH")))
    return assess_notifications(NotificationFacts(f"{found.name} {found.version}".strip(), found.has_buttons), "")


def _check_mac_notifications(context: DoctorContext) -> Check:
    """Show a test notification: no call reports whether macOS shows it, so that only the user can know."""
    from openbalance_hid.desktop.mac_notify import NOTIFIER, sending_app, show_on_macos

    app = sending_app(context.env)
    try:
        show_on_macos(DOCTOR, "This is a test: alerts reach you here.", context.env)
    except (OSError, subprocess.SubprocessError) as error:
        return warning(
            "notifications",
            f"{app} cannot show notifications: {error}",
            hint("no notification can be shown", install="brew reinstall", package=NOTIFIER),
        )
    setting = f"a test was sent; if you do not see it, allow {app} in System Settings > Notifications"
    if app == NOTIFIER:
        return ok("notifications", setting)
    words = f"{setting} (open {app} once if it is not in the list); {NOTIFIER} has a permission of its own"
    return warning("notifications", words, hint("no notification can be shown", install="brew install", package=NOTIFIER))


def assess_notifications(seen: NotificationFacts, installer: str) -> list[Check]:
    """Return whether the desktop can show notifications."""
    if seen.name is None:
        return [warning("notifications", f"no notification service: {seen.error}", _install(installer, "dunst"))]
    return [ok("notifications", f"{seen.name}{'' if seen.has_buttons else ', without buttons'}")]


def _installer(path: str | None) -> str:
    return next((words for program, words in INSTALLERS.items() if shutil.which(program, path=path)), "")


def _install(installer: str, package: str) -> str:
    return f"{installer} {package}" if installer else ""
