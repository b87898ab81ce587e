"""A spike episode: when attention is called for, and when it is not.

Starts when the level leaves Normal, ends after 60 minutes of Normal. The level itself is always the truth of the last poll;
an episode only remembers what the owner has seen.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.spike import Level

ENDS_AFTER = timedelta(minutes=60)


class Episode(Struct, frozen=True):
    """`acknowledged`: the highest level that the owner has tapped away; `notified`: that was told the desktop. NORMAL: none."""

    started_at: datetime
    highest: Level
    acknowledged: Level = Level.NORMAL
    normal_since: datetime | None = None
    notified: Level = Level.NORMAL


def advance(episode: Episode | None, level: Level, now: datetime) -> Episode | None:
    """The episode after a verdict; None when there is none. Levels below Normal tell nothing and change nothing."""
    if level < Level.NORMAL:
        return episode
    if level > Level.NORMAL:
        if episode is None:
            return Episode(now, level)
        return replace(episode, highest=max(episode.highest, level), normal_since=None)
    if episode is None:
        return None
    since = min(episode.normal_since or now, now)  # later than now: the clock was set back
    return None if now - since >= ENDS_AFTER else replace(episode, normal_since=since)


def acknowledge(episode: Episode | None, level: Level) -> Episode | None:
    """The episode after the owner has seen `level`."""
    return replace(episode, acknowledged=max(episode.acknowledged, level)) if episode is not None else None


def wants_notification(episode: Episode | None, level: Level) -> bool:
    """Whether the level is a rise that no notification was delivered for."""
    return episode is not None and level > max(Level.NORMAL, episode.notified)


def notified(episode: Episode | None, level: Level) -> Episode | None:
    """The episode after a notification of `level` was delivered."""
    return replace(episode, notified=max(episode.notified, level)) if episode is not None else None


def calls_for_attention(episode: Episode | None, level: Level) -> bool:
    """Whether the level is an alarm that the owner has not seen at this height."""
    return level > Level.NORMAL and (episode is None or level > episode.acknowledged)
