"""What is wrong with single endpoints of an account, in words for `status` and `doctor`. Pure.

An endpoint that fails while the account is well, and answers with rows that cannot be read, which are left out of every sum.
"""

from collections.abc import Mapping
from typing import Any


def endpoint_problems(account: Mapping[str, Any]) -> list[str]:
    """Return a line for each problem of an endpoint, from one account of `status --json`."""
    lines = []
    for name, endpoint in account.get("endpoints", {}).items():
        if endpoint["health"] not in ("ok", "preparing", account["health"]):
            lines.append(f"{name}: {endpoint['health'].replace('_', ' ')} ({endpoint['message'] or 'no message'})")
        if count := endpoint["dropped_rows"]:
            lines.append(f"{name}: left out {count} {'row' if count == 1 else 'rows'} of the answer that cannot be read")
    return lines
