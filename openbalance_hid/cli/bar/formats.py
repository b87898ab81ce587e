"""The line in the format of each status bar: one function a format. Pure: text in, text out.

Sources: waybar-custom(5), polybar's wiki "Formatting", i3blocks' README and the i3bar protocol, tmux(1)
"STYLES" and "FORMATS", xbar's "Plugin API" and SwiftBar's README.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from openbalance_hid.cli.bar.line import BarLine
from openbalance_hid.text import escaped_json

# Tone -> colour on a dark bar, as on the deck. Ink is the bar's own colour.
COLOURS = {"muted": "#adb8c7", "warn": "#ffb82e", "alarm": "#ff6b61"}

BarFormat = Callable[[BarLine, Sequence[str]], str]  # the line, and the command that starts this program


def plain(line: BarLine, _: Sequence[str]) -> str:
    """Return icon and text."""
    return line.whole


def as_json(line: BarLine, _: Sequence[str]) -> str:
    """Return a JSON object, for other bars."""
    return _json(
        text=line.whole,
        icon=line.icon,
        words=line.text,
        state=line.state,
        classes=line.classes,
        account=line.account,
        balance_usd=line.balance_usd,
        usage_usd=line.usage_usd,
        period=line.period,
        left_percent=line.left_percent,
        urgent=line.urgent,
        tooltip="\n".join(line.details),
    )


def waybar(line: BarLine, _: Sequence[str]) -> str:
    """Return waybar's `return-type: json`. Text and tooltip are Pango markup; `alt` is the state, for `format-icons`."""
    fields: dict[str, object] = {
        "text": _pango(line.whole),
        "alt": line.state,
        "tooltip": _pango("\n".join(line.details)),
        "class": line.classes,
    }
    if line.left_percent is not None:
        fields["percentage"] = line.left_percent
    return _json(**fields)


def polybar(line: BarLine, command: Sequence[str]) -> str:
    """Return the line for `custom/script` in a colour tag; a click refreshes. `%{` starts a tag and has no escape."""
    text = line.whole.replace("%{", "% {")
    colour = COLOURS.get(line.tone)
    painted = f"%{{F{colour}}}{text}%{{F-}}" if colour else text
    click = shlex.join((*command, "refresh")).replace(":", "\\:")
    return f"%{{A1:{click}:}}{painted}%{{A}}"


def i3blocks(line: BarLine, _: Sequence[str]) -> str:
    """Return the line for `format=json`: keys of the i3bar protocol, one object a line, as `interval=persist` needs it.

    In i3blocks a `"` ends a text even after a backslash, so both are replaced.
    """
    text, short = (each.replace('"', "”").replace("\\", "∖") for each in (line.whole, f"{line.icon} {line.short}".strip()))
    fields: dict[str, object] = {"full_text": text, "short_text": short, "markup": "none"}
    if line.tone in COLOURS:
        fields["color"] = COLOURS[line.tone]
    if line.urgent:
        fields["urgent"] = True
    return _json(**fields)


def tmux(line: BarLine, _: Sequence[str]) -> str:
    """Return the line for `#(…)` in a status line. tmux expands the output once more, so each `#` is doubled."""
    text = line.whole.replace("#", "##")
    colour = COLOURS.get(line.tone)
    return f"#[fg={colour}]{text}#[default]" if colour else text


def xbar(line: BarLine, command: Sequence[str]) -> str:
    """Return the output of an xbar or SwiftBar plug-in: the line, then a menu with details, web pages and refresh."""
    from openbalance_hid.tiles.actions import WebPage  # here: only this format needs it

    pages = {"Open activity": WebPage.ACTIVITY, "Open credits": WebPage.CREDITS, "Open keys": WebPage.KEYS}
    colour = COLOURS.get(line.tone)
    head, *rest = command
    start = {"shell": head, **{f"param{number}": word for number, word in enumerate((*rest, "refresh"), 1)}}
    rows = [
        _row(line.whole, **({"color": colour} if colour else {})),
        "---",
        *(_row(detail) for detail in line.details),
        "---",
        *(_row(words, href=page.value) for words, page in pages.items()),
        "---",
        _row("Refresh", **start, terminal="false", refresh="true"),
    ]
    return "\n".join(rows)


FORMATS: Mapping[str, BarFormat] = {
    "plain": plain,
    "json": as_json,
    "waybar": waybar,
    "polybar": polybar,
    "i3blocks": i3blocks,
    "tmux": tmux,
    "xbar": xbar,
}
BEFORE_EACH = {"xbar": "~~~\n"}  # in a stream: SwiftBar's marker that a new menu replaces the old one


def _row(text: str, **parameters: str) -> str:
    """Return one row of a menu. `|` ends its text and has no escape; a `-` at the start would make a submenu."""
    shown = text.replace("|", "¦").replace("\n", " ")
    shown = f"\u2010{shown[1:]}" if shown.startswith("-") else shown
    # A name that looks like :mushroom: or an ANSI colour must stay as it is.
    all_ = {**parameters, "emojize": "false", "symbolize": "false", "ansi": "false"}
    return f"{shown} | " + " ".join(f"{name}={_quoted(value)}" for name, value in all_.items())


def _quoted(value: str) -> str:
    """Return an xbar parameter; one with a space is in double quotes, and cannot contain any."""
    return f'"{value}"' if any(letter in value for letter in " |'") else value


def _pango(text: str) -> str:
    from html import escape  # here: only this format needs it, and it has a long table

    return escape(text, quote=False)


def _json(**fields: object) -> str:
    return escaped_json(fields)
