"""The units of the service managers as text: systemd with a desktop, systemd without a seat, launchd.

Pure: nothing is read, written or run. A line that is not obvious has its reason beside it, in the rendered file as well.
`program`: the command line that starts this program, its first word absolute. `env`: variables that the service receives.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

UNIT = "openbalance-hid.service"
HOMEBREW_LABEL = "homebrew.mxcl.openbalance-hid"  # of the agent that `brew services` writes from the formula
LABEL = "io.github.openbalance-hid"  # launchd's name for the agent
GROUP = "plugdev"  # as in the headless udev rules, which a test compares
ETC = "/etc/openbalance-hid"  # of the service without a seat
CREDENTIAL = "openrouter-management-key"

# Exit codes after which a restart changes nothing: another daemon is running, permission denied, configuration. The daemon has
# printed the reason. After any other code it is started again.
GIVE_UP_CODES = (75, 77, 78)
RESTART_S = 5
START_LIMIT = "StartLimitIntervalSec=300\nStartLimitBurst=10"
_ENV = "/usr/bin/env"
_NOT_IN_A_PROGRAM = "\"'\\\t\n"  # characters that systemd refuses in the first word and accepts in the others
WATCHDOG_S = 180  # the event loop runs at least once a minute; three missed rounds are a hang
THROTTLE_S = 30  # launchd's own is 10
STOP_LIMIT_S = 15  # launchd kills the process afterwards; its own is 20

# What needs neither privileges nor a user namespace, so that it holds for a user's service on every systemd since 247.
_FILTERS = """\
NoNewPrivileges=yes
KeyringMode=private
LimitCORE=0
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
UMask=0077
"""

_RUNNING = f"""\
Type=notify
NotifyAccess=main
ExecStart={{start}}
Restart=on-failure
RestartSec={RESTART_S}
RestartPreventExitStatus={" ".join(map(str, GIVE_UP_CODES))}
WatchdogSec={WATCHDOG_S}
TimeoutStopSec=15
"""

_USER = f"""\
# Made by `openbalance-hid service print`: to change it, use `systemctl --user edit {UNIT}`.

[Unit]
Description=OpenRouter account on a Stream Deck
Documentation=man:openbalance-hid(1)
# With the desktop: pages open there, and the deck goes dark when the session ends.
After=graphical-session.target
PartOf=graphical-session.target
{START_LIMIT}

[Service]
{{running}}{{environment}}
# No mount options (ProtectSystem= and so on): a user's manager needs a user namespace for them, which not every system permits
# and which hides this service from the desktop's portal.
{_FILTERS}
[Install]
WantedBy=graphical-session.target
"""

_SYSTEM = f"""\
# Made by `openbalance-hid service print --headless`: to change it, use `systemctl edit {UNIT}`.

[Unit]
Description=OpenRouter account on a Stream Deck (no seat)
Documentation=man:openbalance-hid(1)
# The kernel's hid: without keyboard and mouse it is not loaded yet, and DeviceAllow would have no effect.
Wants=network-online.target modprobe@hid.service
After=network-online.target modprobe@hid.service
{START_LIMIT}

[Service]
{{running}}
# A user of its own, which exists while the service is running and may open the deck.
DynamicUser=yes
SupplementaryGroups={GROUP}
DevicePolicy=closed
DeviceAllow=char-hidraw rw

# The key, readable by root only; for the account "work" add another with -work to both names.
LoadCredential={CREDENTIAL}:{ETC}/{CREDENTIAL}
Environment=OPENBALANCE_CONFIG={ETC}/config.toml
# Not %S/openbalance-hid, which is a link when the user is dynamic.
Environment=OPENBALANCE_STATE_DIR=%S/private/openbalance-hid
Environment=OPENBALANCE_RUNTIME_DIR=%t/openbalance-hid
{{environment}}StateDirectory=openbalance-hid
StateDirectoryMode=0700
RuntimeDirectory=openbalance-hid
RuntimeDirectoryMode=0700

CapabilityBoundingSet=
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
{_FILTERS}
[Install]
WantedBy=multi-user.target
"""


def render_user_unit(program: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Return the unit for a user's systemd: it starts and stops with the desktop."""
    return _USER.format(running=_RUNNING.format(start=_start(program)), environment=_environment(env or {}))


def render_system_unit(program: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Return the unit for a machine without a seat: a user of its own, and as few permissions as a deck allows."""
    return _SYSTEM.format(running=_RUNNING.format(start=_start(program)), environment=_environment(env or {}))


def render_agent(program: Sequence[str], log_file: str, env: Mapping[str, str] | None = None) -> str:
    """Return the agent for launchd. `log_file`: absolute, because launchd expands nothing.

    launchd has no list of final exit codes; with `--launchd` the daemon ends with 0 instead of `GIVE_UP_CODES`.
    """
    agent: dict[str, object] = {
        "Label": LABEL,
        "ProgramArguments": [*program, "run", "--launchd"],
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": THROTTLE_S,
        "ExitTimeOut": STOP_LIMIT_S,
        "LimitLoadToSessionType": "Aqua",  # a session with a Keychain and a browser
        "ProcessType": "Interactive",  # keys must react at once; the timers of "Background" are delayed
        "Umask": 0o077,
        "SoftResourceLimits": {"Core": 0},
        "StandardOutPath": log_file,
        "StandardErrorPath": log_file,
    }
    if env:
        agent["EnvironmentVariables"] = dict(env)
    import plistlib  # with an XML parser, which nothing else needs

    return plistlib.dumps(agent, sort_keys=False).decode()


def unit_program(unit: str) -> PurePath | None:
    """Return the program that the text of a systemd unit starts; None where there is none."""
    line = next((line for line in unit.split("\n") if line.startswith("ExecStart=")), "")
    words = shlex.split(line.removeprefix("ExecStart=").replace("%%", "%"))
    if words[1:] and words[0] == _ENV:
        return PurePath(words[1].replace("$$", "$"))
    return PurePath(words[0]) if words else None


def agent_program(agent: bytes) -> PurePath | None:
    """Return the program that an agent of launchd starts; None where there is none."""
    words = _agent_value(agent, "ProgramArguments")
    return PurePath(words[0]) if isinstance(words, list) and words and isinstance(words[0], str) else None


def agent_log(agent: bytes) -> Path | None:
    """Return the file into which launchd writes what an agent prints; None where there is none."""
    file = _agent_value(agent, "StandardOutPath")
    return Path(file) if isinstance(file, str) else None


def _agent_value(agent: bytes, name: str) -> object:
    return _agent_values(agent).get(name)


def _agent_values(agent: bytes) -> Mapping[str, object]:
    """Return the values of an agent; none of a file that is no property list."""
    import plistlib
    from xml.parsers.expat import ExpatError

    try:
        values = plistlib.loads(agent)
    except (ValueError, AttributeError, ExpatError):
        return {}
    return values if isinstance(values, dict) else {}


def is_current_unit(unit: str) -> bool:
    """Return whether the text of a systemd unit is this version's, whatever its program and its environment."""
    return _fixed_lines(unit) == _fixed_lines(render_user_unit(("/x",)))


def is_current_agent(agent: bytes) -> bool:
    """Return whether an agent of launchd is this version's, whatever its program, its log and its environment."""
    return _fixed_values(agent) == _fixed_values(render_agent(("/x",), "/x").encode())


def _fixed_values(agent: bytes) -> Mapping[str, object]:
    values = _agent_values(agent)
    words = values.get("ProgramArguments")
    options = list(words[-2:]) if isinstance(words, list) else None
    differing = ("ProgramArguments", "StandardOutPath", "StandardErrorPath", "EnvironmentVariables")
    return {name: value for name, value in values.items() if name not in differing} | {"options": options}


def _fixed_lines(unit: str) -> list[str]:
    return [line for line in unit.split("\n") if not line.startswith(("ExecStart=", "Environment="))]


def _start(program: Sequence[str]) -> str:
    first, *rest = (*program, "run")
    head = [_quoted(first)]  # systemd expands no variable in it
    if set(first) & set(_NOT_IN_A_PROGRAM):
        head, rest = [_ENV], [first, *rest]
    return " ".join([*head, *(_quoted(word.replace("$", "$$")) for word in rest)])


def _environment(env: Mapping[str, str]) -> str:
    return "".join(f"Environment={_quoted(f'{name}={value}', always=True)}\n" for name, value in sorted(env.items()))


def _quoted(text: str, always: bool = False) -> str:
    """Return a word as systemd reads it: specifiers doubled, quoted and escaped where necessary (systemd.syntax(7))."""
    text = text.replace("%", "%%")
    if not always and text and not set(text) & set(" \t\n\"'\\;"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
