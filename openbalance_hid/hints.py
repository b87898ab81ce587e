"""The command that helps: one table of every trouble, the place that reports it, and the hint there.

A hint leads to a place that fixes the trouble, or to one that reports it with its own hint. Tests follow each: none leads in a
circle, all hints of one trouble end in the same command, and no other module has a hint of its own. `docs/troubleshooting.md`
contains the table.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from types import MappingProxyType

PROGRAM = "openbalance-hid"
RUN, STOP, STATUS, DOCTOR = f"{PROGRAM} run", f"{PROGRAM} stop", f"{PROGRAM} status", f"{PROGRAM} doctor"
SETUP, SETUP_FILE = f"{PROGRAM} setup", f"{PROGRAM} setup --store file"
SETUP_BROKER = f"{SETUP} --broker"  # and an address
ACCOUNTS, REFRESH, DEVICES, KEYS = f"{PROGRAM} accounts", f"{PROGRAM} refresh", f"{PROGRAM} devices", f"{PROGRAM} keys"
CONFIG_CHECK, CONFIG_EDIT = f"{PROGRAM} config check", f"{PROGRAM} config edit"
CONFIG_INIT, CONFIG_PATH = f"{PROGRAM} config init", f"{PROGRAM} config path"
UDEV_INSTALL = f"{PROGRAM} udev install"
SERVICE_INSTALL, SERVICE_LOGS = f"{PROGRAM} service install", f"{PROGRAM} service logs"
INSTALL_PERMANENTLY = f"uv tool install {PROGRAM}"
CURL = "curl -sSI https://openrouter.ai"
WAIT = ""  # nothing to do: it is tried again by itself
LIST, LIST_DIRECTORY = "ls -l {path}", "ls -ld {path}"

_CLIENTS = ("status", "refresh", "press", "hold", "page", "reload", "identify", "stop", "bar", "guard")
_WITH_DECK = ("press", "hold", "page", "identify", "brightness", "release", "take")
_WITH_ACCOUNT = ("refresh", "bar", "guard", "preview", "keys")
_WITH_FILE = ("run", "preview", "config check", "config show", "doctor")

# Trouble, hint, places. A place is a command, or "the key" of the deck; a hint may have a {name} for a value.
_ROWS: tuple[tuple[str, ...], ...] = (
    # The daemon and its service
    ("no daemon is running", RUN, *_CLIENTS, "doctor"),
    ("another daemon is running", STOP, "run", "service install"),
    ("another daemon is running without a socket", "kill {pid}", "run"),
    ("the daemon's socket was removed", WAIT, *_CLIENTS),
    ("the daemon cannot use its socket", LIST_DIRECTORY, *_CLIENTS),
    ("the daemon does not answer", STATUS, *_CLIENTS[1:]),
    ("the daemon does not answer", SERVICE_LOGS, "status", "doctor"),
    ("the daemon is suspended", "kill -CONT {pid}", *_CLIENTS, "doctor"),
    ("the daemon does not end", "kill -9 {pid}", "stop"),
    ("the daemon of another user is running", f"sudo OPENBALANCE_RUNTIME_DIR={{path}} {STATUS}", *_CLIENTS),
    ("another program listens at the control socket", LIST_DIRECTORY, *_CLIENTS),
    ("the control socket cannot be made", DOCTOR, "run", *_CLIENTS),
    ("the daemon does not know a request", f"{PROGRAM} --help", *_CLIENTS),
    ("a watched status needs JSON", f"{STATUS} --json --watch", "status --watch"),
    ("too many programs watch", f"{PROGRAM} bar", "bar --watch"),
    ("the service does not run", SERVICE_INSTALL, "service status", "doctor"),
    ("the service failed", SERVICE_LOGS, "service install", "service status", "doctor"),
    ("the service has other settings or another version", SERVICE_INSTALL, "service install", "doctor"),
    ("the service does not stop", f"{PROGRAM} service status", "service install", "service uninstall"),
    ("the service manager does not answer", RUN, "service install", "service status", "doctor"),
    ("the service cannot be loaded", "plutil -lint {path}", "service install"),
    ("the service was installed by Homebrew", f"brew services restart {PROGRAM}", "service install", "doctor"),
    ("the program of Homebrew's service is gone", f"brew reinstall {PROGRAM}", "doctor"),
    ("the service is installed twice", f"{PROGRAM} service uninstall", "doctor"),
    ("the service would belong to root", SERVICE_INSTALL, "service install"),
    ("a headless service needs Linux", SERVICE_INSTALL, "service install --headless"),
    ("the service's user cannot start the program", f"sudo pipx install --global {PROGRAM}", "service install --headless"),
    ("the program is in a cache", INSTALL_PERMANENTLY, "service install", "doctor"),
    ("the log cannot be shown", "{program}", "service logs"),
    ("no session has a display", f"{PROGRAM} service install --headless", "doctor"),
    ("no session has a display on macOS", SERVICE_INSTALL, "service install", "doctor"),
    # Configuration
    ("the configuration has problems", CONFIG_CHECK, "run", "reload", "status", "config show", "preview", "doctor", "the key"),
    ("the configuration has problems", CONFIG_EDIT, "config check", "config edit"),
    ("the configuration file does not exist", f"OPENBALANCE_CONFIG={{path}} {CONFIG_INIT}", "run", "preview", "config edit"),
    ("the configuration file exists", f"{CONFIG_INIT} --force", "config init"),
    ("the configuration is not a file", CONFIG_PATH, *_WITH_FILE),
    ("the configuration cannot be read", LIST, *_WITH_FILE),
    (
        "macOS does not permit to read the configuration",
        'open "x-apple.systempreferences:com.apple.preference.security?Privacy_AllFiles"',
        *_WITH_FILE,
    ),
    ("the configuration names programs or certificates, and may be written by others", "chmod go-w {path}", *_WITH_FILE),
    ("the configuration names programs or certificates, and is not the user's", LIST, *_WITH_FILE),
    ("the configuration cannot be written", LIST_DIRECTORY, "config init", "setup"),
    ("the configuration names what a deck does not have", DEVICES, "doctor"),
    ("no editor is installed", CONFIG_PATH, "config edit"),
    ("the editor failed", f"EDITOR=nano {CONFIG_EDIT}", "config edit"),
    ("a variable cannot be read", "unset {name}", "config edit"),
    ("the account does not exist", ACCOUNTS, *_WITH_ACCOUNT, "report"),
    ("the name of an account is not valid", ACCOUNTS, "setup", "accounts forget"),
    ("a program cannot be run", CONFIG_EDIT, "doctor"),
    ("others may change a program", "chmod go-w {path}", "doctor"),
    ("no such tile", f"{PROGRAM} tiles", "tiles"),
    ("a tile of another package fails", SERVICE_LOGS, "doctor"),
    ("a tile has the name of one of this program", CONFIG_EDIT, "doctor"),
    ("the metrics cannot be served", CONFIG_EDIT, "status", "run"),
    ("the lock of the screen is not reported", CONFIG_EDIT, "doctor"),
    ("the address of the API is refused", "unset OPENBALANCE_API_URL", "run", "setup", "doctor"),
    ("no home directory is known", "export HOME=/where/it/is", "run", "setup", "doctor"),
    ("the current directory was removed", "cd", "run", "setup", "doctor"),
    # Files and directories
    ("a directory is not safe", LIST_DIRECTORY, "run", "setup", "doctor"),
    ("a directory is open to others", "chmod 700 {path}", "run", "setup", "doctor"),
    ("a directory is read-only", "df {path}", "run", "setup", "doctor"),
    ("a directory is full", "df -h {path}", "run", "setup", "doctor"),
    ("a file cannot be written", LIST_DIRECTORY, "preview", "export", "report", "run", "service install"),
    ("no temporary file can be written", "df -h {path}", "export"),
    (
        "the path of the control socket is too long",
        'export OPENBALANCE_RUNTIME_DIR="$(mktemp -d /tmp/openbalance-XXXXXX)"',
        "doctor",
    ),
    ("the OPENBALANCE_RUNTIME_DIR that is set is too long", "unset OPENBALANCE_RUNTIME_DIR", "doctor"),
    ("no temporary directory can be made", f"TMPDIR={{path}} {PROGRAM} demo", "demo"),
    ("there is no history", RUN, "export", "report"),
    ("the history has another version", RUN, "export", "report"),
    ("the history cannot be read", DOCTOR, "export", "report"),
    ("the history cannot be read", "ls -l {path}*", "doctor"),
    ("no program opens a page", LIST, "report"),
    # Keys
    ("no key is stored", SETUP, "status", "doctor", "accounts", "the key"),
    ("no key is stored", ACCOUNTS, "accounts forget"),
    ("the key is not a Management key", SETUP, "status", "doctor", "setup", "the key"),
    ("the key is rejected", SETUP, "status", "doctor", "setup", "the key"),
    ("the key is malformed", SETUP, "setup", "run"),
    ("the daemon uses another key", ACCOUNTS, "doctor"),
    ("no terminal can ask for the key", f"{SETUP} --stdin", "setup"),
    ("no keyring works", SETUP_FILE, "setup", "doctor"),
    ("the Keychain was not read", RUN, "doctor"),
    ("the Keychain was denied", REFRESH, "status", "run"),
    (
        "the Keychain has an entry of another program",
        f"security delete-generic-password -s {PROGRAM} -a {{account}}",
        "setup",
        "accounts forget",
    ),
    ("the Keychain waits for its dialog", REFRESH, "status", "run"),
    ("the Keychain is locked", "security unlock-keychain", "setup", "run", "doctor"),
    ("the login of a broker is missing or refused", f"{SETUP_BROKER} {{address}}", "setup --broker", "status", "doctor"),
    ("the login of a broker is malformed", f"{SETUP_BROKER} mqtts://broker.example:8883", "setup --broker"),
    ("the address of a broker is malformed", f"{SETUP_BROKER} mqtts://broker.example:8883", "setup --broker"),
    ("the package for brokers is not installed", f"pipx inject {PROGRAM} paho-mqtt", "setup --broker", "status", "doctor"),
    ("a broker is not found", CONFIG_CHECK, "status", "doctor"),
    ("the settings of a broker do not work", CONFIG_EDIT, "status", "doctor"),
    ("a key is removed by another command", f"{ACCOUNTS} forget default", "setup"),
    ("a key file cannot be used", LIST, "setup", "run", "doctor"),
    ("a key file is open to others", "chmod 600 {path}", "setup", "run", "doctor"),
    # OpenRouter
    ("OpenRouter cannot be reached", DOCTOR, "status"),
    ("OpenRouter cannot be reached", CURL, "doctor"),
    ("another address of the API cannot be reached", "curl -sSI {address}", "doctor"),
    ("the data is old", DOCTOR, "the notification"),
    ("OpenRouter limits requests or has an outage", WAIT, "status", "doctor", "the key"),
    ("the certificate is from an unknown issuer", CONFIG_PATH, "status", "setup", "doctor"),
    ("the ca_file cannot be used", CONFIG_EDIT, "status", "doctor"),
    ("the keys of the account are not known yet", REFRESH, "keys"),
    ("the account is published by another machine", STATUS, "keys", "keys disable", "keys enable"),
    ("a key was not switched", KEYS, "keys disable", "keys enable"),
    ("no such key, or several", KEYS, "keys disable", "keys enable"),
    ("keys may not be switched", CONFIG_EDIT, "keys disable", "keys enable"),
    ("an alert was not accepted", f"{PROGRAM} alerts", "alerts test"),
    # Decks
    ("no deck is connected", DEVICES, *_WITH_DECK),
    ("no deck is connected", f"{PROGRAM} demo", "devices", "doctor"),
    ("no such deck, page or key", STATUS, *_WITH_DECK),
    ("the deck may not be opened", UDEV_INSTALL, "devices", "status", "doctor"),
    ("another program uses the deck", DOCTOR, "devices", "status"),
    ("another program uses the deck", "kill {pid}", "doctor"),
    ("Elgato's app uses the deck", DOCTOR, "devices", "status"),
    ("Elgato's app uses the deck", "osascript -e 'quit app \"{app}\"'", "doctor"),
    ("the deck is left to other software", CONFIG_EDIT, "devices", "status"),
    ("the deck was released", f"{PROGRAM} take", "devices", "status", *_WITH_DECK[:-1]),
    ("the deck is not supported yet", f"pipx upgrade {PROGRAM}", "doctor"),
    ("the kernel has no HID driver for the deck", "sudo modprobe usbhid", "doctor"),
    ("hidapi cannot be loaded", "pip install --force-reinstall hidapi", "devices", "run", "doctor"),
    ("the udev rule was not applied to the deck", "sudo udevadm trigger --subsystem-match=hidraw", "doctor"),
    ("macOS does not permit to open the deck", DOCTOR, "devices", "status"),
    (
        "macOS does not permit to open the deck",
        'open "x-apple.systempreferences:com.apple.preference.security?Privacy_ListenEvent"',
        "doctor",
    ),
    ("udev is not on this system", DEVICES, "udev print", "udev install"),
    ("the udev rule is missing or old", UDEV_INSTALL, "udev install", "doctor"),
    # The machine
    ("a package is missing or too old", f"pipx reinstall {PROGRAM}", "doctor"),
    ("a notification may not have been shown", DOCTOR, "alerts"),
    ("no notification can be shown", "{install} {package}", "doctor"),
    ("no page can be opened", "{install} {package}", "doctor"),
    ("no more file descriptors", "ulimit -n 1024", "run", "demo"),
    ("no more threads", "ulimit -u", "run", "demo"),
    ("no more memory", "ulimit -v", "run", "demo"),
    # Options
    ("no limit is given", f"{PROGRAM} guard --min-balance 10 --max-today 5", "guard"),
    ("options do not fit together", f"{PROGRAM} {{command}} --help", "export", "preview", "report", "simulate"),
    ("no such kind of deck", f"{RUN} --deck virtual", "run"),
    ("no such model", f"{PROGRAM} demo --model {{model}}", "demo", "run", "preview", "simulate"),
    ("the port is taken", f"{PROGRAM} demo --port 0", "demo", "run"),
    ("the port of USB/IP is taken", f"{PROGRAM} simulate --usbip 0", "simulate"),
)


def _table() -> Mapping[str, Mapping[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for trouble, command, *places in _ROWS:
        table.setdefault(trouble, {}).update(dict.fromkeys(places, command))
    return MappingProxyType({trouble: MappingProxyType(places) for trouble, places in table.items()})


HINTS = _table()  # trouble -> place -> hint

_OF_HEALTH = {
    "no_key": "no key is stored",
    "not_management_key": "the key is not a Management key",
    "key_rejected": "the key is rejected",
    "offline": "OpenRouter cannot be reached",
    "rate_limited": "OpenRouter limits requests or has an outage",
    "server_error": "OpenRouter limits requests or has an outage",
}


def clock_hint() -> str:
    """Return the command that sets this machine's clock."""
    return "sudo sntp -sS time.apple.com" if sys.platform == "darwin" else "sudo timedatectl set-ntp true"


def hint(trouble: str, place: str = "", **values: object) -> str:
    """Return the command that helps with `trouble` where `place` reports it; empty if waiting is enough.

    Without a place: the one of every place. `values`: of the names in the hint; a path is quoted for a shell.
    """
    places = HINTS[trouble]
    if not place and len(set(places.values())) > 1:
        raise KeyError(f"the hint of {trouble!r} depends on the place")
    command = places[place] if place else next(iter(places.values()))
    return command.format(**{name: shlex.quote(str(value)) if name == "path" else value for name, value in values.items()})


def health_hint(health: str, place: str, account: str = "default", has_key: bool = True) -> str:
    """Return the command that helps with the health of an account; empty if there is nothing to do.

    `has_key` False: it is published by another machine, which has its key.
    """
    command = hint(_OF_HEALTH[health], place) if health in _OF_HEALTH else WAIT
    if not has_key:
        return "" if command == SETUP else command
    return f"{command} --account {account}" if command == SETUP and account != "default" else command
