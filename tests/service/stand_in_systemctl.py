"""A small systemctl for tests: units are files, and what is enabled, wanted and running is kept in a folder, as the real one
keeps it in links and processes. Only what `service` says to it is understood; anything else ends with 2, so that a new word in
the product needs one here. The real one is met in the kernel tests.

Usage: systemctl --user --no-pager VERB…, with STAND_IN (the folder) and XDG_CONFIG_HOME in the environment, and
MANAGERS_CONFIG_HOME where the manager's own is another one.
"""
# ruff: noqa: T201

import os
import sys
from pathlib import Path

HERE = Path(os.environ["STAND_IN"])
OWN = Path(os.environ.get("MANAGERS_CONFIG_HOME") or os.environ["XDG_CONFIG_HOME"]) / "systemd/user"
GRAPHICAL = "graphical-session.target"


def main(words: list[str]) -> int:
    if words[:2] != ["--user", "--no-pager"] or (HERE / "no-bus").exists():
        print("Failed to connect to bus: No medium found", file=sys.stderr)
        return 1
    words = words[2:]
    with (HERE / "calls").open("a") as calls:
        print(*words, file=calls)
    match words:
        case ["show", "--property=Version"]:
            print("Version=252")
        case ["show", "--property=UnitPath", "--value"]:
            print(f"{OWN}.control /run/user/1000/systemd/transient {OWN} /etc/systemd/user")
        case ["daemon-reload"]:
            (HERE / "loaded").write_text(text(OWN / "openbalance-hid.service"))
        case ["is-enabled", "--quiet", unit]:
            return 0 if (OWN / f"{GRAPHICAL}.wants" / unit).is_symlink() else 1
        case ["enable", unit]:
            return want(GRAPHICAL, unit)
        case ["add-wants", target, unit]:
            return want(target, unit)
        case ["disable", unit]:
            for link in OWN.glob(f"*.wants/{unit}"):
                link.unlink()
        case ["is-active", "--quiet", unit]:
            return 0 if (HERE / f"active-{unit}").exists() else 3
        case ["restart", unit]:
            return start(unit)
        case ["stop", unit]:
            (HERE / f"active-{unit}").unlink()
        case ["reset-failed", _]:
            (HERE / "failed").unlink(missing_ok=True)
        case ["show", _, "--property=ExecMainStatus", "--value"]:
            print(text(HERE / "failed"))
        case ["show", unit, _]:
            show(unit)
        case _:
            print(f"stand-in systemctl: {words}", file=sys.stderr)
            return 2
    return 0


def want(target: str, unit: str) -> int:
    link = OWN / f"{target}.wants" / unit
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(OWN / unit)
    return 0


def start(unit: str) -> int:
    if (HERE / "cannot-start").exists():
        (HERE / "failed").write_text(text(HERE / "cannot-start"))
        print(f"Job for {unit} failed.", file=sys.stderr)
        return 1
    (HERE / f"active-{unit}").write_text("4711")
    return 0


def show(unit: str) -> None:
    active, failed = (HERE / f"active-{unit}").exists(), (HERE / "failed").exists()
    file = OWN / unit
    print(f"ActiveState={'active' if active else 'failed' if failed else 'inactive'}")
    print(f"SubState={'running' if active else 'dead'}")
    print(f"MainPID={4711 if active else 0}")
    print(f"Result={'exit-code' if failed else 'success'}")
    print("NRestarts=0")
    print(f"UnitFileState={'enabled' if (OWN / f'{GRAPHICAL}.wants' / unit).is_symlink() else 'disabled'}")
    print(f"FragmentPath={file if file.exists() else ''}")


def text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


sys.exit(main(sys.argv[1:]))
