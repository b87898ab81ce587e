"""Print bandit's unexplained findings, one a line; exit code 1 if there are any. Run it with `make audit`.

A finding is explained when ruff's rule of the same number is silenced on its line: the reason is in the comment there.
"""

import json
import linecache
import re
import subprocess
import sys

# B404 is the import of subprocess; a contract of import-linter decides where that is allowed. B405 is the import of
# ElementTree, with which a report only writes; B314 finds each place that reads.
COMMAND = [sys.executable, "-m", "bandit", "--quiet", "--format=json", "--skip=B404,B405", "--recursive", "openbalance_hid"]


def main() -> int:
    report = json.loads(subprocess.run(COMMAND, capture_output=True, text=True, check=False).stdout)
    left = [found for found in report["results"] if not _is_explained(found)]
    for found in left:
        print(f"{found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}")
    print(f"bandit: {len(report['results'])} findings, {len(left)} of them unexplained; {len(report['errors'])} files not read")
    return 1 if left or report["errors"] else 0


def _is_explained(found: dict[str, object]) -> bool:
    rule = str(found["test_id"]).replace("B", "S")
    lines = [linecache.getline(str(found["filename"]), number) for number in found["line_range"]]  # type: ignore[attr-defined]
    return any(re.search(rf"# noqa: [A-Z0-9, ]*{rule}\b", line) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
