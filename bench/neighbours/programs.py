"""The other programs, each with the smallest configuration, command and environment that shows eight static keys.

From their documentation. Each gets the same eight pictures, no command that runs by itself, no clock, no network but loopback.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

from bench.neighbours.installation import Installation, Manager

KEYS, ALL_KEYS = 8, 15
KEY_PX = 72
ICON_PX = 512  # devdeck paints on a square of this size


@dataclass(frozen=True, slots=True)
class Stage:
    """What a program gets: an empty home folder, the serial number of its deck, host and port of a Home Assistant."""

    home: Path
    serial: str
    home_assistant: str


@dataclass(frozen=True, slots=True)
class Start:
    """How a program is started. `preload`: it includes a compiled hidapi, so the fake must be loaded first."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    preload: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """Another program. `note`: its configuration, for the reader of the table."""

    name: str
    wanted: str
    manager: Manager
    start: Callable[[Installation, Stage], Start]
    note: str


def _devdeck(home: Installation, stage: Stage) -> Start:
    command = "devdeck.controls.command_control.CommandControl"
    controls = [
        {"name": command, "key": key, "settings": {"icon": str(icon), "command": ["true"]}}
        for key, icon in enumerate(_icons(stage, ICON_PX))
    ]
    page = {"serial_number": stage.serial, "settings": {"controls": controls}}
    page["name"] = "devdeck.decks.single_page_deck_controller.SinglePageDeckController"
    _write(stage.home / ".devdeck" / "settings.yml", {"decks": [page]})
    return Start((str(home.folder / "bin" / "devdeck"),))


def _linux_gui(home: Installation, stage: Stage) -> Start:
    buttons = {str(key): {"state": 0, "states": {"0": {"icon": str(icon)}}} for key, icon in enumerate(_icons(stage, KEY_PX))}
    lit = {"display_timeout": 0, "brightness": 70, "brightness_dimmed": 70, "rotation": 0, "page": 0}
    state = {stage.serial: {"buttons": {"0": buttons}, **lit}}
    _write(stage.home / ".streamdeck_ui.json", {"state": state, "streamdeck_ui_version": 2})
    return Start((str(home.folder / "bin" / "streamdeck"), "-n"), {"QT_QPA_PLATFORM": "offscreen"})


def _home_assistant(home: Installation, stage: Stage) -> Start:
    icons = [{"icon": str(icon)} for icon in _icons(stage, KEY_PX)]
    buttons = [*icons, *[{"special_type": "empty"} for _ in range(ALL_KEYS - KEYS)]]
    file = stage.home / "configuration.yaml"
    _write(file, {"brightness": 70, "auto_reload": False, "pages": [{"name": "Main", "buttons": buttons}]})
    options = ("--host", stage.home_assistant, "--protocol", "ws", "--token", "none", "--config", str(file))
    return Start((str(home.folder / "bin" / "home-assistant-streamdeck-yaml"), *options))


def _node(home: Installation, stage: Stage) -> Start:
    pictures = []
    for icon in _icons(stage, KEY_PX):
        picture = icon.with_suffix(".rgb")
        picture.write_bytes(Image.open(icon).convert("RGB").tobytes())
        pictures.append(str(picture))
    script = Path(__file__).with_name("static_keys.js")
    return Start(("node", str(script), *pictures), {"NODE_PATH": str(home.folder / "node_modules")}, preload=True)


PROGRAMS = (
    Program("devdeck", "devdeck==1.0.13", Manager.PIP, _devdeck, "eight command controls with an icon."),
    Program(
        "streamdeck-linux-gui",
        "streamdeck-linux-gui==4.1.5",
        Manager.PIP,
        _linux_gui,
        "`streamdeck -n` (no window) on Qt's offscreen platform; eight buttons with an icon, no dimming.",
    ),
    Program(
        "home-assistant-streamdeck-yaml",
        "home-assistant-streamdeck-yaml==2026.5.2",
        Manager.PIP,
        _home_assistant,
        "eight buttons with an icon, the others `empty`, no reload; a Home Assistant on loopback without entities that sends "
        "no events. Its wheel lacks the font that it draws text with, so that no key can have text.",
    ),
    Program(
        "@elgato-stream-deck/node",
        "@elgato-stream-deck/node@7.6.3",
        Manager.NPM,
        _node,
        "a library, not a program: a script of ten lines that fills eight keys with pictures and listens.",
    ),
)


def _icons(stage: Stage, px: int) -> list[Path]:
    """Return eight different pictures."""
    found = []
    for key in range(KEYS):
        picture = Image.new("RGB", (px, px), (24 * key, 60, 120))
        ImageDraw.Draw(picture).text((px / 2, px / 2), f"Key {key}", anchor="mm", font_size=px / 4)
        found.append(stage.home / f"key-{key}.png")
        picture.save(found[-1])
    return found


def _write(file: Path, content: object) -> None:
    """Write JSON, which is YAML, too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
