"""Read the `[[alerts]]` tables: the web addresses and programs that receive alerts.

An address is a secret, so no message repeats more of it than its host. Whether a program may be run is checked when it is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from openbalance_hid.config import schema
from openbalance_hid.config.diagnostics import Diagnostics, Section
from openbalance_hid.config.schema import AlertSink
from openbalance_hid.config.toml_positions import KeyPath
from openbalance_hid.host_names import is_loopback
from openbalance_hid.text import did_you_mean

MOST_SINKS = 16  # each may have a thread while it receives an alert
LONGEST_URL = 2000

# Matched as a whole, without a user name: two parsers must not disagree about the host.
_URL = (  # compiled at its first use
    r"(?i)(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>/[!$-;=?-\[\]_a-z~%&]*)?"
)
_ACCEPTED_URL = "an https address without a user name"


def read_alert_sinks(sections: Sequence[Section], diagnostics: Diagnostics) -> tuple[AlertSink, ...]:
    """Return the sinks. Each problem is added to `diagnostics`."""
    sinks: dict[str, AlertSink] = {}
    paths: dict[str, KeyPath] = {}
    for section in sections:
        sink = _sink(section, diagnostics)
        if sink is None:
            continue
        if sink.identity in sinks:
            earlier = diagnostics.location(paths[sink.identity])
            diagnostics.add(section.path, f"found {sink.name}, which {earlier.path} in line {earlier.line} uses as well")
        sinks[sink.identity], paths[sink.identity] = sink, section.path
    if len(sections) > MOST_SINKS:
        diagnostics.add(sections[MOST_SINKS].path, f"found {len(sections)} tables, accepted: at most {MOST_SINKS}")
    return tuple(sinks.values())


def split_url(url: str) -> tuple[str, str]:
    """Return scheme, host and port of a checked address, and its path with the query."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path


def is_accepted_url(url: str) -> bool:
    """Return whether alerts may be sent there: to https, or to http on this machine."""
    match = re.fullmatch(_URL, url)
    if match is None or len(url) > LONGEST_URL or not 0 < int(match["port"] or 443) < 65536:
        return False
    return match["scheme"].lower() == "https" or is_loopback(match["host"].strip("[]"))


def _sink(section: Section, diagnostics: Diagnostics) -> AlertSink | None:
    given = {name: section.has(name) for name in ("url", "run", "format")}
    url, run = _url(section, diagnostics), section.command("run") or ()
    wanted = section.value(schema.ALERT_FORMAT)
    on = _kinds(section, diagnostics)
    section.close()
    if given["url"] == given["run"]:
        diagnostics.add(
            section.path, f"found {'url and run' if given['url'] else 'neither url nor run'}, accepted: one of them"
        )
        return None
    if given["run"] and given["format"]:
        diagnostics.add((*section.path, "format"), "found beside run, accepted: only beside url")
    return AlertSink(url, wanted, run, on) if url or run else None


def _url(section: Section, diagnostics: Diagnostics) -> str | None:
    found = section.take("url")
    if found is None:
        return None
    path = (*section.path, "url")
    if not isinstance(found, str):
        diagnostics.reject(path, found, _ACCEPTED_URL)
        return None
    if not is_accepted_url(found):
        match = re.match(r"([a-z]+)://([a-z0-9.-]+)", found, re.IGNORECASE)
        shown = f"an address at {match[1]}://{match[2][:60]}" if match and "@" not in found else "no such address"
        diagnostics.add(path, f"found {shown}, accepted: {_ACCEPTED_URL}")  # never the whole address
        return None
    return found


def _kinds(section: Section, diagnostics: Diagnostics) -> tuple[str, ...]:
    if not section.has("on"):
        section.take("on")
        return schema.ALERT_KINDS
    kinds = []
    for path, name in section.texts("on"):
        if name in schema.ALERT_KINDS:
            kinds.append(name)
        else:
            accepted = ", ".join(f"'{kind}'" for kind in schema.ALERT_KINDS)
            diagnostics.add(path, f"found {name[:40]!r}, accepted: {accepted}{did_you_mean(name, schema.ALERT_KINDS)}")
    return tuple(dict.fromkeys(kinds))
