"""The line of each key, in texts that the test composed line by line."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.config.toml_positions import line_numbers


def test_headers_dotted_keys_and_inline_values_have_lines():
    lines = line_numbers(
        """# a comment with [a.header] and key = 1
one.two = 1
"quoted \\"key\\"" = '''
[not.a.header]
key = 2
'''
list = [ # here
  1,
  { inner = "]" , deep = { x = 1 } },
]

[[decks]]
[[decks.keys]]
key = 0 # [[decks]]
[[decks.keys]]
tile = \"\"\"
\\\"\"\" still a string \"\"\"\"\"
[decks.strip]
tiles = []
[[decks]]
[decks.strip]
at = 1979-05-27 07:32:00
"""
    )
    assert lines[("one", "two")] == 2
    assert lines[('quoted "key"',)] == 3
    assert ("not",) not in lines
    assert lines[("list", 1)] == 9
    assert lines[("list", 1, "inner")] == 9
    assert lines[("list", 1, "deep", "x")] == 9
    assert lines[("decks", 0)] == 12
    assert lines[("decks", 0, "keys", 0, "key")] == 14
    assert lines[("decks", 0, "keys", 1)] == 15
    assert lines[("decks", 0, "keys", 1, "tile")] == 16
    assert lines[("decks", 0, "strip", "tiles")] == 19
    assert lines[("decks", 1)] == 20
    assert lines[("decks", 1, "strip", "at")] == 22


VALUES = st.sampled_from(
    [
        "1",
        "'x # ]'",
        '"a\\"] = }"',
        "[1, [2, 3], ]",
        "{a = 1, 'b.c' = {d = []}}",
        '"""\n]]\n"""',
        "'''\n'' \n'''",
        "[\n# ]\n1]",
        "true",
    ]
)


@given(st.lists(st.tuples(st.booleans(), VALUES), max_size=8))
def test_every_key_that_the_parser_finds_is_found_on_its_line(entries: list[tuple[bool, str]]):
    text = ""
    expected = {}
    table = -1
    for number, (header, value) in enumerate(entries):
        if header:
            table += 1
            expected[("t", table)] = text.count("\n") + 1
            text += "[[t]]  # ]\n"
        path = ("t", table) if table >= 0 else ()
        expected[(*path, f"k{number}")] = text.count("\n") + 1
        text += f" k{number} = {value}\n"
    tomllib.loads(text)
    lines = line_numbers(text)
    assert {path: lines.get(path) for path in expected} == expected


@given(st.text(alphabet="[]{}=.,#'\"\\\n ak1", max_size=40))
def test_scanning_text_that_is_not_toml_ends(text: str):
    assert all(1 <= line <= text.count("\n") + 1 for line in line_numbers(text).values())
