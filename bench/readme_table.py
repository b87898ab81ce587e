"""The table of the README: some rows of RESULTS.md under short names. `--write` copies it; a test compares the two."""

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- from bench/RESULTS.md -->\n", "<!-- end -->\n"
# The name of a row in RESULTS.md, and in the README.
ROWS = {
    "idle, one deck: voluntary context switches of the whole process": "wake-ups of an idle deck",
    "idle, one deck: CPU time": "CPU time of an idle deck",
    "press to pressed look on the glass, picture drawn anew": "from a key press to the whole new picture",
    "a snapshot that changes nothing on the glass: reports": "HID reports for a poll that changes nothing",
    "requests to OpenRouter in a day, the refresh interval as it comes": "requests to OpenRouter in a day",
}


def readme_table(results: str) -> str:
    """Return the table in Markdown. Raises ValueError for a row that is not in `results`."""
    found = {cells[0]: cells for line in results.splitlines() if (cells := [cell.strip() for cell in line.split("|")[1:-1]])}
    lines = ["| | here | against |", "|---|---|---|"]
    for name, short in ROWS.items():
        if name not in found:
            raise ValueError(f"bench/RESULTS.md has no row '{name}'")
        lines.append(f"| {short} | {_median(found[name][1])} | {_median(found[name][2])} |")
    return "\n".join([*lines, ""])


def table_in(readme: str) -> str:
    """Return the text between the marks."""
    return readme.partition(BEGIN)[2].partition(END)[0]


def with_table(readme: str, results: str) -> str:
    """Return the README with the table of these results."""
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}{readme_table(results)}{END}{rest.partition(END)[2]}"


def _median(cell: str) -> str:
    """Return the cell without the range in brackets."""
    return re.sub(r" \([^)]* to [^)]*\)", "", cell)
