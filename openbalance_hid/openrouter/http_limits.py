"""How long and how much one exchange with OpenRouter may take. Only numbers, with their reasons."""

from msgspec import Struct


class HttpLimits(Struct, frozen=True):
    """How long and how much one exchange may take. A slow `/activity` is why reading may pause for 15 s."""

    connect_s: float = 5.0
    read_s: float = 15.0  # the longest pause
    total_s: float = 30.0  # from the request sent to the last byte
    body_bytes: int = 4 * 1024 * 1024  # decoded; a thousand rows of /analytics/query are some 150 KB
    activity_bytes: int = 16 * 1024 * 1024  # decoded; 200 models at 5 endpoints over 30 days are 10 MB


USUAL = HttpLimits()
