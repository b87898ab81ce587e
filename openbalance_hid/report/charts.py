"""The charts of a report as inline SVG, drawn by pygal. The only module with pygal.

Each chart is drawn twice, for wide and for narrow pages, because text in an SVG shrinks with it. Scripts are removed: pygal's
contain names unescaped, and the page must work without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from msgspec import Struct

from openbalance_hid.extras import missing_extra
from openbalance_hid.tiles.formatting import money

if TYPE_CHECKING:
    from decimal import Decimal

WIDE_PX, NARROW_PX = 600, 360
LONGEST_LABEL, LONGEST_NARROW_LABEL = 28, 17  # characters
BLUE, LIGHT_BLUE, ORANGE, GREY = "#1d4ed8", "#93b4f5", "#c2410c", "#d9dce3"
INK, SUBTLE, LINE = "#1f2430", "#5b6270", "#e3e6ec"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SVG = "http://www.w3.org/2000/svg"

Draw = Callable[[int], Any]  # the width in pixels -> a chart of pygal


class Bar(Struct, frozen=True):
    """One bar. `usd` None: unknown. `title`: what is shown for it in full, also to screen readers."""

    label: str
    title: str
    usd: Decimal | None
    colour: str = BLUE


class Chart(Struct, frozen=True):
    """The SVG of a chart for wide and for narrow pages."""

    wide: str
    narrow: str


def columns(bars: Sequence[Bar], about: str) -> Chart:
    """Return upright bars. An unknown one is a pale column from bottom to top, so that it is no zero."""

    def draw(width: int) -> Any:
        import pygal

        highest = max((float(bar.usd) for bar in bars if bar.usd is not None), default=0.0)
        lowest = min((float(bar.usd) for bar in bars if bar.usd is not None), default=0.0)
        full = highest * 1.05 or 1.0
        chart = pygal.StackedBar(**_options(width, 240), range=(min(0.0, lowest), full))
        chart.x_labels = [bar.label for bar in bars]
        _thin_labels(chart, [bar.label for bar in bars], width)
        chart.add("known", [_value(bar) for bar in bars])
        chart.add("unknown", [_pale(bar, full) if bar.usd is None else None for bar in bars])
        return chart

    return _chart(draw, about)


def rows(bars: Sequence[Bar], about: str) -> Chart:
    """Return level bars, the first one at the top."""

    def draw(width: int) -> Any:
        import pygal

        chart = pygal.HorizontalBar(**_options(width, 40 + 30 * len(bars)), show_x_guides=True, show_y_guides=False)
        chart.max_scale = 5 if width > NARROW_PX else 2
        longest = LONGEST_LABEL if width > NARROW_PX else LONGEST_NARROW_LABEL
        chart.x_labels = [_shortened(bar.label, longest) for bar in reversed(bars)]
        chart.add("spent", [_value(bar) for bar in reversed(bars)])
        return chart

    return _chart(draw, about)


def line(points: Sequence[Bar], about: str) -> Chart:
    """Return a line, with a gap where a point is unknown."""

    def draw(width: int) -> Any:
        import pygal

        options = _options(width, 220)
        chart = pygal.Line(
            **options, show_dots=len(points) < 40, dots_size=2, stroke_style={"width": 2.5}, allow_interruptions=True
        )
        chart.x_labels = [point.label for point in points]
        _thin_labels(chart, [point.label for point in points], width)
        chart.add("balance", [_value(point) for point in points])
        return chart

    return _chart(draw, about)


def _thin_labels(chart: Any, labels: Sequence[str], width: int) -> None:
    """Show as many labels as there is room for."""
    longest = max(map(len, labels), default=1)
    every = -(-len(labels) // max(1, int(width * 0.9 / (longest * 8 + 12))))
    chart.x_labels_major = labels[::every]
    chart.show_minor_x_labels = False


def _options(width: int, height: int) -> dict[str, Any]:
    from pygal.style import Style

    size = 13
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground=SUBTLE,
        foreground_strong=INK,
        foreground_subtle=SUBTLE,
        guide_stroke_color=LINE,
        major_guide_stroke_color=LINE,
        guide_stroke_dasharray="none",
        major_guide_stroke_dasharray="none",
        font_family=FONT,
        label_font_size=size,
        major_label_font_size=size,
        opacity="1",
        opacity_hover="1",
        colors=(BLUE, GREY),
        transition="0s",
    )
    return {
        "style": style,
        "width": width,
        "height": height,
        "js": (),
        "show_legend": False,
        "margin": 4,
        "margin_right": 30,
        "value_formatter": lambda number: "" if number is None else _axis(number),
        "include_x_axis": True,
        "max_scale": 6,
        "min_scale": 2,
        "spacing": 6,
        "print_values": False,
        "truncate_label": -1,
    }


def _shortened(label: str, longest: int) -> str:
    return label if len(label) <= longest else f"{label[: longest // 2]}…{label[-(longest // 2 - 1) :]}"


def _axis(number: float) -> str:
    from decimal import Decimal

    return money(Decimal(str(round(number, 6)))).removesuffix(".00")


def _value(bar: Bar) -> dict[str, Any] | None:
    return None if bar.usd is None else {"value": float(bar.usd), "label": bar.title, "color": bar.colour}


def _pale(bar: Bar, full: float) -> dict[str, Any]:
    return {"value": full, "label": bar.title, "color": GREY}


def _chart(draw: Draw, about: str) -> Chart:
    try:
        return Chart(*(_svg(draw(width), about, name) for width, name in ((WIDE_PX, "wide"), (NARROW_PX, "narrow"))))
    except ModuleNotFoundError as error:
        raise missing_extra("report", "reports need") from error


def _svg(chart: Any, about: str, name: str) -> str:
    """Return a chart of pygal as an SVG element without scripts: an image with a name for screen readers."""
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            tag = child.tag if isinstance(child.tag, str) else ""
            if not tag or tag.rpartition("}")[2] == "script":
                parent.remove(child)
    _titles(root)
    root.set("role", "img")
    root.set("aria-label", about)
    root.set("class", f"chart {name}")
    ElementTree.register_namespace("", SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _titles(root: Any) -> None:
    """Turn the descriptions of each bar, which pygal's script would show, into the title that a browser shows."""
    for group in root.iter():
        descriptions = [child for child in group if str(child.tag).rpartition("}")[2] == "desc"]
        label = next((child.text for child in descriptions if child.get("class") == "label"), None)
        for child in descriptions:
            group.remove(child)
        if label:
            title = ElementTree.Element(group.tag.rpartition("}")[0] + ("}" if "}" in group.tag else "") + "title")
            title.text = label
            group.insert(0, title)
