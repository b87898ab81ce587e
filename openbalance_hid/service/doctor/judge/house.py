"""Configuration, directories, history, service and the running daemon, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openbalance_hid.errors import ConfigError, NoDaemonError, OpenBalanceError
from openbalance_hid.history.checkup import Condition
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.facts import Directory, ServiceFacts
from openbalance_hid.tiles.formatting import age

LONGEST_SOCKET = 107  # bytes of a path, unix(7); 103 on macOS
INSTALL = "openbalance-hid service install"
LOGS = "openbalance-hid service logs"


def configuration(path: str, exists: bool, error: ConfigError | None, beyond: Sequence[str]) -> list[Check]:
    """One check for each problem. `beyond`: what the decks that are here do not have."""
    if error is not None:
        return [
            failure("configuration", line, error.hint or "openbalance-hid config check", error.exit_code)
            for line in error.message.splitlines()
            if line.strip()
        ]
    good = ok("configuration", f"{path} can be used" if exists else f"no file at {path}: the defaults are in force")
    return [good, *(warning("configuration", each, "openbalance-hid devices") for each in beyond)]


def directories(found: Sequence[Directory], socket_bytes: int) -> list[Check]:
    """Those for state and for the socket, and whether the socket's name fits."""
    checks = []
    for each in found:
        if each.trouble is not None:
            checks.append(
                failure(
                    "directories",
                    each.trouble.message,
                    each.trouble.hint or f"ls -ld {each.path}",
                    ConfigError.exit_code,
                    each.name,
                )
            )
        else:
            state = "is private" if each.exists else "will be made at the first start"
            checks.append(ok("directories", f"{each.path} {state}", each.name))
    if socket_bytes > LONGEST_SOCKET:
        found_ = f"the socket's path has {socket_bytes} bytes, and no more than {LONGEST_SOCKET} can be listened at"
        checks.append(failure("directories", found_, "unset OPENBALANCE_RUNTIME_DIR", ConfigError.exit_code, "runtime"))
    return checks


def history(path: str, seen: Condition) -> list[Check]:
    """The file, and what stands in its way."""
    if seen.trouble is not None:
        return [failure("history", f"{path}: {seen.trouble}", f"ls -l {path}*", ConfigError.exit_code)]
    if not seen.exists:
        checks = [ok("history", "none yet")]
    else:
        checks = [ok("history", f"{seen.samples} samples, {seen.size_bytes / 1024:.0f} KiB, sound")]
    if seen.set_aside:
        newest = seen.set_aside[-1]
        checks.append(warning("history", f"a damaged file was set aside as {newest}", f"ls -l {path}*"))
    return checks


def service(seen: ServiceFacts) -> list[Check]:
    """Whether the daemon starts by itself."""
    if seen.system_active:
        return [ok("service", "the system's service runs")]
    if seen.error is not None:
        return [warning("service", seen.error.message, seen.error.hint)]
    if not seen.installed:
        found = "not installed: the running daemon ends with whoever started it" if seen.daemon_runs else "not installed"
        return [warning("service", found, INSTALL)]
    if seen.gone is not None:
        return [failure("service", f"{seen.file} starts {seen.gone}, which is not there", INSTALL, NoDaemonError.exit_code)]
    if not seen.active and not seen.enabled:  # a package has brought it, and nobody has asked for it yet
        return [warning("service", "installed, but not in use", INSTALL)]
    if not seen.active:
        return [failure("service", f"does not run: {seen.words}", LOGS, NoDaemonError.exit_code)]
    if not seen.enabled:
        return [warning("service", f"{seen.words}, but does not start by itself", INSTALL)]
    if seen.outdated:
        return [warning("service", f"{seen.words}, by the unit of another version: {seen.file}", INSTALL)]
    return [ok("service", seen.words)]


def daemon(told: Mapping[str, Any] | None, error: OpenBalanceError | None, version: str) -> list[Check]:
    """The running daemon, by its own words."""
    if error is not None:
        return [failure("daemon", error.message, LOGS, error.exit_code)]
    if told is None:
        return [warning("daemon", "none is running", "openbalance-hid run")]
    if told["version"] != version:
        found = f"{told['version']} runs as process {told['pid']}, and {version} is installed"
        return [warning("daemon", found, INSTALL)]
    checks = [ok("daemon", f"runs as process {told['pid']}, for {age(told['uptime_s'])}")]
    if told["config"]["error"]:
        checks.append(warning("daemon", "keeps the configuration from before the last change", "openbalance-hid config check"))
    for name, account in told["accounts"].items():
        if account["health"] not in ("ok", "preparing"):
            words = f"{account['health'].replace('_', ' ')}: {account['message'] or 'no message'}"
            checks.append(warning("daemon", words, "openbalance-hid status", name))
    troubled = [deck for deck in told["decks"] if deck["trouble"]]
    return checks + [warning("daemon", deck["trouble"], "openbalance-hid devices", deck["path"]) for deck in troubled]
