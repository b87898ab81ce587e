"""A bar line in the language of each status bar: one function a format. Pure text in, text out.

What each program documents: waybar-custom(5), polybar's wiki "Formatting", i3blocks' README and the i3bar protocol, tmux(1)
"STYLES" and "FORMATS", xbar's "Plugin API" and SwiftBar's README.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from html import escape

from openbalance_hid.cli.bar.line import BarLine
from openbalance_hid.text import escaped_json

# Tones as colours on a dark bar, the deck's own; ink is the bar's.
COLOURS = {"muted": "#adb8c7", "warn": "#ffb82e", "alarm": "#ff6b61"}

Format = Callable[[BarLine, Sequence[str]], str]  # the line, and the words that start this program


def plain(line: BarLine, _: Sequence[str]) -> str:
    """Icon and text."""
    return line.whole


def as_json(line: BarLine, _: Sequence[str]) -> str:
    """One object a line, for bars that we do not know."""
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
    """`return-type: json`. Text and tooltip are Pango markup there; `alt` is the state, for `format-icons`."""
    told: dict[str, object] = {
        "text": _pango(line.whole),
        "alt": line.state,
        "tooltip": _pango("\n".join(line.details)),
        "class": line.classes,
    }
    if line.left_percent is not None:
        told["percentage"] = line.left_percent
    return _json(**told)


def polybar(line: BarLine, command: Sequence[str]) -> str:
    """`custom/script`: a colour tag round the line; a click refreshes. `%{` begins a tag, and nothing escapes it."""
    text = line.whole.replace("%{", "% {")
    colour = COLOURS.get(line.tone)
    painted = f"%{{F{colour}}}{text}%{{F-}}" if colour else text
    click = shlex.join((*command, "refresh")).replace(":", "\\:")
    return f"%{{A1:{click}:}}{painted}%{{A}}"


def i3blocks(line: BarLine, _: Sequence[str]) -> str:
    """`format=json`: the keys of the i3bar protocol, one object a line, so that `interval=persist` works too.

    i3blocks takes a `"` for the end of a text even behind a backslash, so neither is ever in one.
    """
    text, short = (each.replace('"', "”").replace("\\", "∖") for each in (line.whole, f"{line.icon} {line.short}".strip()))
    told: dict[str, object] = {"full_text": text, "short_text": short, "markup": "none"}
    if line.tone in COLOURS:
        told["color"] = COLOURS[line.tone]
    if line.urgent:
        told["urgent"] = True
    return _json(**told)


def tmux(line: BarLine, _: Sequence[str]) -> str:
    """For `#(…)` in a status line: what it prints is expanded once more, so a `#` of ours is two."""
    text = line.whole.replace("#", "##")
    colour = COLOURS.get(line.tone)
    return f"#[fg={colour}]{text}#[default]" if colour else text


def xbar(line: BarLine, command: Sequence[str]) -> str:
    """A plug-in of xbar or SwiftBar: the bar's line, then a menu to read, open pages and refresh."""
    from openbalance_hid.tiles.actions import WebPage  # here: the other formats need no page

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


FORMATS: Mapping[str, Format] = {
    "plain": plain,
    "json": as_json,
    "waybar": waybar,
    "polybar": polybar,
    "i3blocks": i3blocks,
    "tmux": tmux,
    "xbar": xbar,
}
BEFORE_EACH = {"xbar": "~~~\n"}  # of a stream: SwiftBar's mark that a new menu replaces the old one


def _row(text: str, **parameters: str) -> str:
    """One row of a menu. `|` ends its text and has no escape; a `-` at its beginning would make a submenu."""
    shown = text.replace("|", "¦").replace("\n", " ")
    shown = f"\u2010{shown[1:]}" if shown.startswith("-") else shown
    # Neither :mushroom: nor ANSI colours are meant where a name happens to look like one.
    all_ = {**parameters, "emojize": "false", "symbolize": "false", "ansi": "false"}
    return f"{shown} | " + " ".join(f"{name}={_quoted(value)}" for name, value in all_.items())


def _quoted(value: str) -> str:
    """A parameter of xbar's; one with a space stands in double quotes, which then cannot be in it."""
    return f'"{value}"' if any(letter in value for letter in " |'") else value


def _pango(text: str) -> str:
    return escape(text, quote=False)


def _json(**told: object) -> str:
    return escaped_json(told)
