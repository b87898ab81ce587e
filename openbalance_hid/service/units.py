"""The units of the service managers as text: systemd for the person at the seat, systemd without a seat, launchd.

Pure: nothing is read, written or run. Each line that is not plain has its reason beside it, in the rendered file as well.
`program`: the words that start this program, the first one absolute. `env`: variables that the service is to have.
"""

import shlex
from collections.abc import Mapping, Sequence

UNIT = "openbalance-hid.service"
LABEL = "io.github.openbalance-hid"  # launchd's name for the agent
GROUP = "plugdev"  # as in the headless udev rules, which a test compares
ETC = "/etc/openbalance-hid"  # of the service without a seat
CREDENTIAL = "openrouter-management-key"

# Leaving with one of these, the daemon has said why, and starting it again changes nothing: another one runs, not permitted,
# configuration. All others are worth another try.
GIVE_UP_CODES = (75, 77, 78)
RESTART_S = 5
START_LIMIT = "StartLimitIntervalSec=300\nStartLimitBurst=10"
_ENV = "/usr/bin/env"
_NOT_IN_A_PROGRAM = "\"'\\\t\n"  # letters of the first word for which systemd refuses the unit; in others it takes them
WATCHDOG_S = 180  # the loop turns at least once a minute; three missed turns are a hang
THROTTLE_S = 30  # launchd's own is 10

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
# With the desktop: pages open there, and the deck goes dark when its owner has left.
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
# The kernel's hid: without keyboard and mouse nothing has loaded it when this starts, and DeviceAllow would be void.
Wants=network-online.target modprobe@hid.service
After=network-online.target modprobe@hid.service
{START_LIMIT}

[Service]
{{running}}
# A user of its own, who exists while the service runs and may open the deck.
DynamicUser=yes
SupplementaryGroups={GROUP}
DevicePolicy=closed
DeviceAllow=char-hidraw rw

# The key, readable by root alone; for the account "work" add another with -work to both names.
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
    """The unit for a user's systemd: starts and ends with the desktop."""
    return _USER.format(running=_RUNNING.format(start=_start(program)), environment=_environment(env or {}))


def render_system_unit(program: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """The unit for a machine where nobody sits: a user of its own, and the most that a daemon with a deck can be denied."""
    return _SYSTEM.format(running=_RUNNING.format(start=_start(program)), environment=_environment(env or {}))


def render_agent(program: Sequence[str], log_file: str, env: Mapping[str, str] | None = None) -> str:
    """The agent for launchd. `log_file`: absolute, for launchd expands nothing.

    launchd cannot be told which exit codes are final; `--launchd` makes the daemon leave with 0 instead of `GIVE_UP_CODES`.
    """
    agent: dict[str, object] = {
        "Label": LABEL,
        "ProgramArguments": [*program, "run", "--launchd"],
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": THROTTLE_S,
        "ExitTimeOut": 15,
        "LimitLoadToSessionType": "Aqua",  # where there is a Keychain to ask and a browser to open pages in
        "ProcessType": "Interactive",  # a finger waits for it; "Background" has its timers stretched
        "Umask": 0o077,
        "SoftResourceLimits": {"Core": 0},
        "StandardOutPath": log_file,
        "StandardErrorPath": log_file,
    }
    if env:
        agent["EnvironmentVariables"] = dict(env)
    import plistlib  # with an XML parser, which nothing else needs

    return plistlib.dumps(agent, sort_keys=False).decode()


def program_of(unit: str) -> str | None:
    """The program that a unit of systemd starts, absolute; None where it cannot be told."""
    line = next((line for line in unit.splitlines() if line.startswith("ExecStart=")), "")
    words = shlex.split(line.removeprefix("ExecStart=").replace("%%", "%"))
    if words[1:] and words[0] == _ENV:
        return words[1].replace("$$", "$")
    return words[0] if words else None


def _start(program: Sequence[str]) -> str:
    first, *rest = (*program, "run")
    head = [_quoted(first)]  # in which systemd looks for no variable
    if set(first) & set(_NOT_IN_A_PROGRAM):
        head, rest = [_ENV], [first, *rest]
    return " ".join([*head, *(_quoted(word.replace("$", "$$")) for word in rest)])


def _environment(env: Mapping[str, str]) -> str:
    return "".join(f"Environment={_quoted(f'{name}={value}', always=True)}\n" for name, value in sorted(env.items()))


def _quoted(text: str, always: bool = False) -> str:
    """A word as systemd reads it: specifiers doubled, quoted and escaped where need be (systemd.syntax(7))."""
    text = text.replace("%", "%%")
    if not always and text and not set(text) & set(" \t\n\"'\\;"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
