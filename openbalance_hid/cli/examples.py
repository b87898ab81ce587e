"""The examples at the end of each `--help`: command -> command lines that work as they are. A test runs them."""

from __future__ import annotations

import click

PROGRAM = "openbalance-hid"

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (f"{PROGRAM} demo", f"{PROGRAM} setup"),
    "setup": (f"{PROGRAM} setup", f"{PROGRAM} setup --account work --store file"),
    "accounts": (f"{PROGRAM} accounts", f"{PROGRAM} accounts --json"),
    "accounts forget": (f"{PROGRAM} accounts forget work",),
    "keys": (f"{PROGRAM} keys", f"{PROGRAM} keys --account default --json"),
    "keys disable": (f"{PROGRAM} keys disable ci",),
    "keys enable": (f"{PROGRAM} keys enable ci",),
    "run": (f"{PROGRAM} run", f"{PROGRAM} run --deck usb --deck virtual:xl"),
    "demo": (f"{PROGRAM} demo", f"{PROGRAM} demo --model plus --scenario spike"),
    "preview": (
        f"{PROGRAM} preview -o deck.png",
        f"{PROGRAM} preview --model xl --scenario critical -o deck.png",
    ),
    "identify": (f"{PROGRAM} identify",),
    "brightness": (f"{PROGRAM} brightness 40", f"{PROGRAM} brightness off"),
    "release": (f"{PROGRAM} release --deck A00SA1234567",),
    "take": (f"{PROGRAM} take",),
    "devices": (f"{PROGRAM} devices", f"{PROGRAM} devices --json"),
    "tiles": (f"{PROGRAM} tiles", f"{PROGRAM} tiles balance"),
    "status": (f"{PROGRAM} status", f"{PROGRAM} status --json"),
    "refresh": (f"{PROGRAM} refresh", f"{PROGRAM} refresh --account default"),
    "press": (f"{PROGRAM} press 0",),
    "hold": (f"{PROGRAM} hold 0",),
    "page": (f"{PROGRAM} page main",),
    "reload": (f"{PROGRAM} reload",),
    "stop": (f"{PROGRAM} stop",),
    "bar": (f"{PROGRAM} bar", f"{PROGRAM} bar --format waybar --show balance"),
    "guard": (f"{PROGRAM} guard --min-balance 10 --max-today 5", f"{PROGRAM} guard --max-month 200 --no-spike"),
    "export": (
        f"{PROGRAM} export --what days --format csv -o days.csv",
        f"{PROGRAM} export --what samples --format json --since 2026-11-01",
    ),
    "report": (f"{PROGRAM} report", f"{PROGRAM} report --period 2026-11 -o november.html"),
    "alerts": (f"{PROGRAM} alerts", f"{PROGRAM} alerts --json"),
    "alerts test": (f"{PROGRAM} alerts test",),
    "config": (f"{PROGRAM} config edit", f"{PROGRAM} config check"),
    "config init": (f"{PROGRAM} config init", f"{PROGRAM} config init --force"),
    "config check": (f"{PROGRAM} config check",),
    "config edit": (f"{PROGRAM} config edit", f"EDITOR=nano {PROGRAM} config edit"),
    "config show": (f"{PROGRAM} config show",),
    "config path": (f"{PROGRAM} config path",),
    "service": (f"{PROGRAM} service install", f"{PROGRAM} service logs --follow"),
    "service install": (f"{PROGRAM} service install",),
    "service uninstall": (f"{PROGRAM} service uninstall",),
    "service status": (f"{PROGRAM} service status",),
    "service logs": (f"{PROGRAM} service logs", f"{PROGRAM} service logs --lines 200 --follow"),
    "service print": (f"{PROGRAM} service print",),
    "udev": (f"{PROGRAM} udev install", f"{PROGRAM} udev print"),
    "udev print": (f"{PROGRAM} udev print", f"{PROGRAM} udev print --headless"),
    "udev install": (f"{PROGRAM} udev install",),
    "doctor": (f"{PROGRAM} doctor", f"{PROGRAM} doctor --json"),
    "simulate": (f"{PROGRAM} simulate --model mini",),
    "completion": (f"{PROGRAM} completion bash",),
}


def add_examples(command: click.Command, path: str) -> None:
    """Append the examples to the help of the command and of the commands in it. Idempotent."""
    if path in EXAMPLES and "Examples:" not in (command.epilog or ""):
        lines = "\n".join(f"  {example}" for example in EXAMPLES[path])
        command.epilog = "\n\n".join(part for part in (command.epilog, f"\b\nExamples:\n{lines}") if part)
    if isinstance(command, click.Group) and path:
        for name, inner in command.commands.items():
            add_examples(inner, f"{path} {name}")
