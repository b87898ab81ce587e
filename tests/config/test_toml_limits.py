"""The bounds of a TOML text, and hostile files: each ends as a configuration or a ConfigError, fast and in little memory."""

from __future__ import annotations

import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.config.load import LARGEST_FILE_BYTES, parse
from openbalance_hid.config.schema import MOST_DECKS
from openbalance_hid.config.toml_limits import MAX_DOTS, MAX_NESTING, MAX_WORD_CHARS, exceeded_bound
from openbalance_hid.errors import ConfigError
from tests.torture.amounts import amounts

CPU_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 200
LOADS_EACH = """
import re, sys, time
from pathlib import Path
from openbalance_hid.config.load import load_config
from openbalance_hid.errors import ConfigError
slowest = 0.0
for file in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        load_config(file)
    except ConfigError as error:
        assert len(error.message) < 100_000, file
    slowest = max(slowest, time.process_time() - start)
print(slowest, re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (".".join("a" * (MAX_DOTS + 2)) + " = 1", 1),
        ("\n[" + " . ".join(["'a'", '"b"'] * MAX_DOTS) + "]", 2),
        ("x = " + "[" * (MAX_NESTING + 1), 1),
        ("x = " + "{a=" * (MAX_NESTING + 1), 1),
        ("# 1\nx = " + "1" * (MAX_WORD_CHARS + 1), 2),
        ("x = 0x" + "f" * 200_000, 1),
        ('x = """a""""\n' + ".".join("a" * (MAX_DOTS + 2)), 2),
        ("x = '''a''''\n" + ".".join("a" * (MAX_DOTS + 2)), 2),
        (r'x = "\"#"' + "\n" + ".".join("a" * (MAX_DOTS + 2)), 2),
    ],
)
def test_the_line_of_an_exceeded_bound_is_reported(text: str, line: int) -> None:
    bound = exceeded_bound(text)
    assert bound is not None
    assert bound[0] == line


@pytest.mark.parametrize(
    "text",
    [
        "# " + ". " * 500,
        "# " + "a." * 500,
        "x = '" + "a." * 500 + "'",
        'x = """\n' + "a." * 500 + "[" * 500 + '\n"""',
        "x = 1 # " + "[" * 500,
        "x = [" + "1.5, " * 500 + "]",
        "[[decks]]\n" * 500,
        "a.b.c = 1979-05-27T00:32:00.999999-07:00",
        "x = '" + "a" * 2000 + "'",
        "x = '''" + "." * 500,
    ],
)
def test_comments_texts_and_long_lists_exceed_no_bound(text: str) -> None:
    assert exceeded_bound(text) is None


@given(st.text(alphabet="ab.=[]{}\"'\\#\n 1", max_size=200))
def test_short_valid_toml_exceeds_a_bound_only_by_dots_or_brackets(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    if max(text.count("."), text.count("[") + text.count("{")) <= min(MAX_DOTS, MAX_NESTING):
        assert exceeded_bound(text) is None


HEADS = (
    *("", "x = ", "x = 0x", "refresh_minutes = ", "[[decks]]\n", "decks = [", "[", "[[", "x = [", 'x = "', "theme = '"),
    'x = """a""""\n',
)
PIECES = (
    *("a.", "a . ", "'a'.", '"a".', "[", "{a=", "[[", "x = [", "1,", "f", "9", "0x", "1_", "1e9", "=", ".", "#", "é", "\ufeff"),
    *('"', "'", '"""', "'''", '"""\\"', "\\", "\\u0041", "\\U0010ffff", "\n", "\r\n", " ", "\0", "{},", "'N',"),
    *("[[decks]]\n", "[[decks]]\n[[decks.keys]]\n", "[[decks.pages]]\n", "[[decks]]\nserial = 'N'\n", "[decks]\n", "[a]\n"),
    *("kN = N\n", "[tN]\n", "[accounts.aN]\n", "a.b.c.dN = 1\n", "xN.y = {}\n", "N = 'N'\n"),
    "[[decks.keys]]\nkey = N\ntile = 'balence'\n",
)
TAILS = ("", " = 1", "]", "]]", "}", "'", '"', '"""', "\n")
SIZES = (100, 2_000, 10_000, LARGEST_FILE_BYTES - 100)


def hostile(random_: random.Random) -> str:
    """Return a text that repeats one construct of TOML, N counted up, after a head and before a tail."""
    piece, size = random_.choice(PIECES), random_.choice(SIZES)
    repeated = "".join(piece.replace("N", str(number)) for number in range(size // len(piece)))
    return random_.choice(HEADS) + repeated[:size] + random_.choice(TAILS)


@pytest.mark.skipif(
    sys.platform != "linux", reason="the peak of a process's own memory is in /proc: getrusage counts what its parent had, too"
)
@amounts("files", 100, 1000)
def test_hostile_files_take_under_1_s_and_200_mb_each(files: int, tmp_path: Path) -> None:
    random_ = random.Random(19)
    for number in range(files):
        (tmp_path / f"{number:04}.toml").write_bytes(hostile(random_).encode()[:LARGEST_FILE_BYTES])
    done = subprocess.run([sys.executable, "-c", LOADS_EACH, str(tmp_path)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    slowest_s, memory_kib = map(float, done.stdout.split())
    assert slowest_s < CPU_LIMIT_S
    assert memory_kib < MEMORY_LIMIT_MB * 1024


@pytest.mark.parametrize("key", ["k" * 900, '"' + "\\u001b" * 9000 + '"'])
def test_the_name_of_an_unknown_setting_is_cut_in_its_message(key: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse(f"{key} = 1", "c.toml")
    assert len(refusal.value.message) < 600
    assert "…: unknown" in refusal.value.message


def test_more_tables_for_decks_than_a_bus_has_are_a_problem() -> None:
    parse("[[decks]]\n" * MOST_DECKS, "c.toml")
    with pytest.raises(ConfigError, match=r"decks\[64\]: found 65 tables, accepted: at most 64"):
        parse("[[decks]]\n" * (MOST_DECKS + 1), "c.toml")
