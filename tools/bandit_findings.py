"""Bandit's findings that nobody has explained, one a line; exit code 1 if there are any. Run it with `make audit`.

A line on which ruff's rule of the same number is silenced, with the reason beside it, is explained: nobody says it twice.
"""

import json
import linecache
import re
import subprocess
import sys

# B404 says that subprocess is imported; who may do that is a contract of import-linter's.
COMMAND = [sys.executable, "-m", "bandit", "--quiet", "--format=json", "--skip=B404", "--recursive", "openbalance_hid"]


def main() -> int:
    told = json.loads(subprocess.run(COMMAND, capture_output=True, text=True, check=False).stdout)
    left = [found for found in told["results"] if not _is_explained(found)]
    for found in left:
        print(f"{found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}")
    print(f"bandit: {len(told['results'])} findings, {len(left)} of them unexplained; {len(told['errors'])} files not read")
    return 1 if left or told["errors"] else 0


def _is_explained(found: dict[str, object]) -> bool:
    rule = str(found["test_id"]).replace("B", "S")
    lines = [linecache.getline(str(found["filename"]), number) for number in found["line_range"]]  # type: ignore[attr-defined]
    return any(re.search(rf"# noqa: [A-Z0-9, ]*{rule}\b", line) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
