"""Hosts in addresses: with and without port and brackets, and whether a host is this machine. Pure.

Alerts, brokers, metrics and the API of OpenRouter have addresses, and most of their packages may not import one another. What
an address of each may look like is decided there.
"""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine: `localhost` or a loopback address, without brackets.

    Any other name is not: which address it has would be decided elsewhere, at another time.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_localhost(host: str) -> bool:
    """Return whether a name that is looked up means this machine: the dot at its end is that of the root (RFC 6761)."""
    return host.lower().rstrip(".") == "localhost"


def is_v6(host: str) -> bool:
    """Return whether the host is an IPv6 address, without brackets."""
    return ":" in host


def with_port(host: str, port: int) -> str:
    """Return host and port as in a URL: an IPv6 address gets brackets."""
    return f"[{host}]:{port}" if is_v6(host) else f"{host}:{port}"


def without_port(place: str) -> str:
    """Return the host of a `Host` header, without brackets and port."""
    if place.startswith("["):
        return place.partition("]")[0].removeprefix("[")
    return place.partition(":")[0]
