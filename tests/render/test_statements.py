"""What each key states to a reader who sees only the key: a machine reads its words, and a person has written what they mean.

`STATEMENTS` has one sentence for each tile and state. The words that the sentence rests on, in quotation marks, are what
Tesseract must read from the picture, as the device shows it: drawn, encoded, decoded. So a sentence cannot say more than the
key does, and a key cannot show other words than the sentence says. Each line of text is read alone, as dark letters on a light
ground, enlarged; letters that Tesseract confuses at this size (`CONFUSED`) count as the same.
"""

import re
import shutil
import subprocess

import pytest
from PIL import Image, ImageOps

from openbalance_hid.render.draw import draw
from openbalance_hid.render.items import TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from tests.render.scenes import AT_REST, face
from tests.render.test_reading import ENLARGED, on_glass

SIDE = 96
ROUND_PX = 2
LEAST_ALIKE = 0.94  # share of the lines of all keys that are read without a mistake
STATEMENTS = {
    "balance: ok": 'The "Balance" is "$74.25"; "$1.20 today" was spent, "25 % less" than yesterday by now.',
    "balance: more today": 'The "Balance" is "$74.25"; "$2.35 today" was spent, "47 % more" than yesterday by now.',
    "balance: same today": 'The "Balance" is "$74.25"; "$1.60 today" was spent, the "same" as yesterday by now.',
    "balance: low": 'The "Balance" is "$4.80", which is "Low"; "$1.20 today" was spent.',
    "balance: very low": 'The "Balance" is "$1.75", which is "Very low"; "$1.20 today" was spent.',
    "balance: negative": 'The "Balance" is "-$2.40": it is "Below zero"; "$2.35 today" was spent.',
    "balance: thousands": 'The "Balance" is "$12,344"; "$312 today" was spent, "far more" than yesterday by now.',
    "balance: used 30d": '"Spent 30 d": "$30.60"; "$1.20 today" was spent, "25 % less" than yesterday by now.',
    "balance: less yesterday": 'The "Balance" is "$74.25"; "$2.85 yest." was spent, "16 % less" than the day before.',
    "balance: used 30d, low": '"Spent 30 d": "$30.60"; "$1.20 today" was spent, and "$9.25 left" is low.',
    "balance: percent 30d, low": '"Used 30 d" is "87 %"; "$9.25 left" is low.',
    "balance: percent all": '"Used" is "26 %" "of $100", all that was bought.',
    "balance: offline, last value": 'The "Balance" was "$74.25" and "$1.20 today" was spent; it is "Offline" now.',
    "balance: offline, no value": 'The "Balance" is not known: "Offline"; "hold to retry".',
    "balance: no key, no value": 'The "Balance" is not known: "Set up" with the command "openbalance-" "hid setup".',
    "balance: not management key, no value": 'The "Balance" is not known: the key is "Not a" "Management" "key".',
    "balance: key rejected, no value": 'The "Balance" is not known: "Key rejected".',
    "balance: server error, no value": 'The "Balance" is not known: "API error".',
    "balance: rate limited, no value": 'The "Balance" is not known: "Slow down".',
    "balance: preparing": 'The "Balance" is not known yet: "Preparing…".',
    "top-models: ok": '"Models 30 d": "sonnet-4.5" cost "$11.42" and "gpt-5-mini" "$6.53".',
    "top-models: today": '"Models today": "sonnet-4.5" cost "$0.84" and "gpt-5-mini" "$0.36".',
    "top-models: by requests": '"Models 30 d": "sonnet-4.5" had "14.4k req" and "gpt-5-mini" "8.4k req".',
    "top-models: own key apart": '"Models 30 d": "sonnet-4.5" cost "$11.42" and, with your "own key", at least "≥ $3.36".',
    "top-models: no activity": '"Models 30 d": "No activity" "yet".',
    "monthly-spend: ok": '"Spent 30 d" is "$30.60".',
    "monthly-spend: today unknown": '"Spent 30 d" is at least "≥ $29".',
    "spike-alert: ok": 'The "Pace 24 h" is "Normal": "1.1× of 3×" that would be a spike.',
    "spike-alert: spike": 'The "Pace 24 h" is a "Spike", "4.2× usual", from "sonnet-4.5".',
    "spike-alert: critical, acknowledged": 'The "Pace 24 h" is "Critical", "9.5× usual", from "sonnet-4.5".',
    "spike-alert: critical, stale": 'The "Pace 24 h" was "Critical", "9.5× usual", but that is "61 m old".',
    "spike-alert: gathering": 'The "Pace 24 h" is not known yet: "Gathering" "baseline" "2/3".',
    "usage: ok": '"Left" are "$74.25", spent "Today" "$1.20".',
    "usage: large": '"Left" are "$12,344", "Spent 30 d" "$342".',
    "usage: icon": '"OpenRouter": "All well".',
    "usage: month": '"This month" "$30.60" were spent.',
    "today: ok": '"Today" cost "$1.20", "25 % less" than yesterday by now, mostly for "sonnet-4.5".',
    "today: own key apart": '"Today" cost "$1.20" of credits, "25 % less", and at least "own ≥ $0.13" with your own key.',
    "today: own key not known": '"Today" cost "$1.20" of credits, "25 % less"; what "own key —" cost is not known.',
    "today: since the first sample": '"Today" cost "$0.40" "since 08:00".',
    "runway: ok": 'The "Runway" is "≈ 28 d"; the money lasts until "21 Dec–6 Feb".',
    "runway: low": 'The "Runway" is only "≈ 5 d"; the money lasts until "27 Nov–7 Dec".',
    "runway: hours": 'The "Runway" is only "≈ 11 h"; it "ends today".',
    "runway: overdrawn": 'The "Runway" is "0 d": "nothing left".',
    "burn-rate: ok": '"Per hour" "$0.10" are spent now.',
    "burn-rate: hours from analytics": '"Per hour" "$0.10" are spent now.',
    "burn-rate: no samples": 'What is spent "Per hour" is not known: "—".',
    "free-quota: ok": '"Free left" "37" "of 50 today".',
    "free-quota: few left": '"Free left" "60" "of 1,000 today".',
    "free-quota: none left": '"Free left" "0": "none left".',
    "free-quota: not reported": '"Free left" is not known: "—", "not reported".',
    "budget: ok": 'Of the "Month budget" "$30.60" are spent: "on pace".',
    "budget: near": 'Of the "Month budget" "$30.60" are spent; this pace ends above it: "ends ~$41".',
    "budget: over": 'Of the "Month budget" "$30.60" are spent, "$5.60 over".',
    "api-keys: ok": '"Keys today": "laptop" cost "$0.66"; "ci" cost "$0.30" and has used "46 %" of its limit.',
    "api-keys: one key, limit near": '"notebook week" cost "$0.72"; "88 % of limit" are used.',
    "api-keys: none": '"Keys today": "No keys yet".',
    "providers: own key apart": '"Providers 30 d": "Anthropic" cost "$12.55" and, with your "own key", at least "≥ $3.36".',
    "providers: ok": '"Providers 30 d": "Anthropic" cost "$12.55" and "Amazon Bed…" "$6.43".',
    "key-switch: on": 'The key "laptop" is "ON" and cost "$0.66 today"; "Hold to stop" it.',
    "command: text": 'The "Clock" printed "14:05" and below it "Sun 22 Nov".',
    "command: class and gauge": 'The program "example" printed "42 %" and "2 h left".',
    "command: exit 1": 'The program of "git" printed "dirty" and "3 files", and ended with "Exit 1".',
    "command: not found": 'The program "example" was "Not found".',
    "command: button, failed": 'The program of "Play" was "Too slow".',
    "key-switch: off": 'The key "laptop" is "OFF" and cost "$0.66 today"; "Hold to start" it.',
    "meter: ok": 'The "Meter" does not run: "Start" measures the "cost of a task".',
    "meter: running": 'The "Meter" has "$0.42" and is "running" for "12 m".',
    "meter: stopped": 'The "Meter" has "$0.42" and "stopped" after "42 m".',
    "privacy: shown": '"Amounts" are "Shown"; "tap to hide".',
    "privacy: hidden": '"Amounts" are "Hidden"; "hold to peek".',
    "page: another": 'A key for another "Page", "main".',
}
# Pairs that look alike at this size; the reader is not asked to tell them apart.
CONFUSED = str.maketrans({"×": "x", "–": "-", "—": "-", "…": ".", "≈": "~", "≥": ">", "O": "0", "l": "1", "I": "1", "|": "1"})


def words_on(name, theme):
    """Return the lines of text on a key, from top to bottom, and the picture of each for the reader."""
    shown = face(AT_REST[name], theme)
    grey = on_glass(draw(shown, SIDE, SIDE), SIDE)
    items = [item for item in lay_out(shown.view, heading_of(shown), SIDE, SIDE).items if isinstance(item, TextItem)]
    found = []
    for item in sorted(items, key=lambda item: (item.baseline, item.box.left)):
        left, top, right, bottom = item.box
        cut = grey.crop(
            (max(0, left - ROUND_PX), max(0, top - ROUND_PX), min(SIDE, right + ROUND_PX), min(SIDE, bottom + ROUND_PX))
        )
        ground = max(cut.getcolors(65536))[1]
        cut = ImageOps.invert(cut) if ground < 128 else cut
        large = cut.resize((cut.width * ENLARGED, cut.height * ENLARGED), Image.Resampling.BICUBIC)
        found.append((item, ImageOps.expand(large, 20, fill=large.getpixel((0, 0)))))
    return found


def stated(name):
    """Return the words that a statement quotes."""
    return re.findall('"([^"]+)"', STATEMENTS[name])


def test_every_tile_has_a_statement():
    assert {name.partition(":")[0] for name in AT_REST} - {name.partition(":")[0] for name in STATEMENTS} <= {"blank"}
    assert set(STATEMENTS) <= set(AT_REST)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_key_shows_exactly_the_words_of_its_statement(name):
    assert [item.text for item, _ in words_on(name, "dark")] == sorted_as_shown(name)


def sorted_as_shown(name):
    """Return the quoted words in the order of the key: a statement may name them in another order, but all of them."""
    shown = [item.text for item, _ in words_on(name, "dark")]
    assert sorted(shown) == sorted(stated(name)), f"the key shows {shown}"
    return shown


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_text_recogniser_reads_the_words_of_the_statements(theme, tmp_path):
    program = shutil.which("tesseract")
    if program is None:
        pytest.skip("no Tesseract: apt install tesseract-ocr")
    lines = [(name, item, picture) for name in STATEMENTS for item, picture in words_on(name, theme)]
    file = tmp_path / "lines.tif"
    lines[0][2].save(file, save_all=True, append_images=[picture for _, _, picture in lines[1:]])
    command = [program, file, "-", "--psm", "7", "-l", "eng", "--dpi", "300"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", "OMP_THREAD_LIMIT": "1"}
    )
    pages = done.stdout.split("\f")[: len(lines)]
    assert len(pages) == len(lines)
    wrong = [
        (name, item.text, page.strip())
        for (name, item, _), page in zip(lines, pages, strict=True)
        if folded(page) != folded(item.text)
    ]
    assert len(wrong) <= len(lines) * (1 - LEAST_ALIKE), wrong
    heroes = [(name, text, page) for name, text, page in wrong if text.startswith("$")]
    assert heroes == []


def folded(text):
    return "".join(text.split()).translate(CONFUSED).lower()
