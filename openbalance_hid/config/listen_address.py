"""The address on which the daemon serves metrics: an IP address and a port, as `127.0.0.1:9469` or `[::1]:9469`. Pure.

A name is not accepted, besides `localhost`: which addresses it means would be decided elsewhere, at another time.
"""

from __future__ import annotations

import ipaddress
import re

from msgspec import Struct

from openbalance_hid.host_names import is_v6, with_port

ACCEPTED = "an IP address and a port as '127.0.0.1:9469', '[::1]:9469' or, for every network, '0.0.0.0:9469'"

_WRITTEN = re.compile(r"(?:(?P<v4>[0-9.]{7,15})|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>localhost)):(?P<port>[1-9][0-9]{0,4})")


class ListenAddress(Struct, frozen=True):
    """A checked address. `host`: an IPv4 or IPv6 address without brackets."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine can connect."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def is_v6(self) -> bool:
        return is_v6(self.host)

    def __str__(self) -> str:
        return with_port(self.host, self.port)


def parse_listen_address(text: str) -> ListenAddress | None:
    """Return the address that `text` contains; None for any other text. `localhost` is 127.0.0.1."""
    found = _WRITTEN.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        return None
    if found["name"]:
        return ListenAddress("127.0.0.1", int(found["port"]))
    try:
        address = ipaddress.IPv4Address(found["v4"]) if found["v4"] else ipaddress.IPv6Address(found["v6"])
    except ValueError:
        return None
    return None if address.is_multicast else ListenAddress(str(address), int(found["port"]))
