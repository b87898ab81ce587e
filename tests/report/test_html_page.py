"""The page of a report: one file without scripts or requests, every name escaped, a table for each chart."""

import re
from html.parser import HTMLParser

import pytest

from openbalance_hid.report.figures import figures
from openbalance_hid.report.html_page import render_report
from openbalance_hid.report.period import period_named
from tests.report.histories import HOSTILE, NOW, TODAY, back, history

NAMES = (
    HOSTILE,
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "a\x00\x1b[31m\u202eb",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
    "]]><script>",
    "\ud800",
    "x" * 500,
)
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "p",
        "h1",
        "h2",
        "h3",
        "main",
        "section",
        "span",
        "dl",
        "div",
    ),
    *("dt", "dd", "figure", "svg", "defs", "g", "rect", "path", "text", "desc", "circle", "table", "caption", "thead", "tbody"),
    *("tr", "th", "td", "details", "summary", "code", "footer", "b", "line"),
}


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += attrs


def page(days: dict, period: str = "30d", keys: dict | None = None, own: dict | None = None) -> str:
    named = period_named(period, TODAY)
    assert named is not None
    return render_report([figures(history(days, keys=keys, own=own), named, None, NOW)], "Title", NOW)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_becomes_markup(name: str):
    text = page({back(1): {name: 3, "a/b": 1}}, keys={back(1): {name: 4}}, own={back(1): 2})
    text.encode("utf-8", "replace")
    found = Elements(text)
    assert found.tags.keys() <= TAGS
    assert [pair for pair in found.attributes if pair[0].startswith("on") or pair[0] in ("src", "href", "xlink:href")] == []
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "49" not in re.findall(r"<th scope=\"row\">(.*?)</th>", text)


def test_every_chart_has_a_name_and_a_table_in_the_same_section():
    text = page({back(age): {"a/b": age} for age in range(1, 20)}, keys={back(1): {"laptop": 4}})
    sections = [part for part in re.split(r"<h3 ", text)[1:] if "<svg" in part]
    assert len(sections) == 4, "days, models, keys, weekdays"
    for section in sections:
        assert section.count("<svg") == section.count('role="img"') == 2
        assert section.count("aria-label") >= 3
        assert "<table>" in section


def test_own_key_cost_has_a_part_of_its_own_with_chart_and_tables():
    days = {back(1): {"a/b": 4}}
    without, text = page(days), page(days, own={back(1): 2})
    assert "own-key" not in without.replace("but for own-key cost", "")
    (section,) = (part for part in re.split(r"<h3 ", text) if part.startswith('id="own-keys'))
    assert "Own keys (BYOK): ≥ $2.00" in section
    assert section.count("<svg") == 2
    assert section.count("<table>") == 2, "days and models"
    assert "No own-key cost by API key is known" in section
    assert "Own keys (BYOK) cost ≥ $2.00, billed by your providers" in text
    assert re.findall(r"<dd>(.*?)</dd>", text) == re.findall(r"<dd>(.*?)</dd>", without), "the numbers at the top are the same"


def test_the_page_requests_nothing_and_has_no_script():
    text = page({back(age): {"a/b": age} for age in range(1, 20)})
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in text
    assert "url(" not in text


def test_unknown_days_are_named_and_lower_bounds_have_their_sign():
    named = period_named("all", TODAY)
    assert named is not None
    found = history({back(50): {"a": 20}, back(45): {"a": 20}}, read_at=None)
    text = render_report([figures(found, named, None, NOW)], "Title", NOW)
    assert "≥ $40" in text
    assert re.search(r"\d+ days are unknown and shown as a pale column, not as zero", text)
    assert f"{back(10).day} Nov: unknown" in text or "unknown</title>" in text


def test_nothing_known_is_said_without_charts():
    text = page({}, "2020-01")
    assert "Nothing is known of this period" in text
    assert "<svg" not in text
