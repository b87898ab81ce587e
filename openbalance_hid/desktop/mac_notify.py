"""Shows notifications on macOS: by terminal-notifier where it is installed, else by osascript. Without buttons.

macOS shows the notifications of an app only when the user allows them, and drops them without an error otherwise: both programs
end with 0. So no notification is known to have been seen. Those of osascript belong to Script Editor, which asks for the
permission only once it has been opened; terminal-notifier asks for its own at its first notification.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

from openbalance_hid.desktop.process_hardening import without_key_variables
from openbalance_hid.text import single_line

CALL_LIMIT_S = 10.0
HOMEBREW = "/opt/homebrew/bin:/usr/local/bin"  # not in the PATH of a launchd agent
NOTIFIER = "terminal-notifier"
_SCRIPT = "on run {title, body}\ndisplay notification body with title title\nend run"


def notifier_path(env: Mapping[str, str]) -> str | None:
    """Return the path of terminal-notifier; None if it is not installed."""
    return shutil.which(NOTIFIER, path=f"{env.get('PATH', '')}:{HOMEBREW}".strip(":"))


def sending_app(env: Mapping[str, str]) -> str:
    """Return the name of the app in System Settings > Notifications that has to be allowed."""
    return NOTIFIER if notifier_path(env) is not None else "Script Editor"


def notify_command(title: str, body: str, env: Mapping[str, str]) -> list[str]:
    """Return the command that shows a notification.

    terminal-notifier reads its arguments as a property list where the first sign allows it, and takes a first "-" for an
    option; it removes one leading backslash (its AppDelegate.m, issues 34, 134 and 263). Behind a line end it shows nothing.
    """
    title, body = single_line(title), single_line(body)
    notifier = notifier_path(env)
    if notifier is None:
        return ["osascript", "-e", _SCRIPT, title, body]  # the title first: it never looks like an option
    return [notifier, "-title", f"\\{title}", "-message", f"\\{body}"]


def show_on_macos(title: str, body: str, env: Mapping[str, str]) -> None:
    """Show a notification. OSError or SubprocessError when the program fails or is missing."""
    subprocess.run(  # noqa: S603 - the words of an alert are arguments, never part of a script
        notify_command(title, body, env),
        env=without_key_variables(env),
        check=True,
        timeout=CALL_LIMIT_S,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
