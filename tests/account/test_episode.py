"""Episodes: what the owner has seen and been told, through rises, falls and restarts."""

from datetime import timedelta

import pytest

from openbalance_hid.account.episode import (
    Episode,
    acknowledge,
    advance,
    calls_for_attention,
    notified,
    wants_notification,
)
from openbalance_hid.account.spike import Level
from tests.build import NOON

SPIKE, CRITICAL, NORMAL = Level.SPIKE, Level.CRITICAL, Level.NORMAL


def lived(*levels: Level, every: timedelta = timedelta(minutes=15)) -> Episode | None:
    """The episode after one verdict a poll, the last one at noon."""
    episode = None
    for index, level in enumerate(levels):
        episode = advance(episode, level, NOON - every * (len(levels) - 1 - index))
    return episode


def test_an_episode_begins_when_the_level_leaves_normal():
    assert lived(NORMAL, NORMAL) is None
    assert lived(NORMAL, SPIKE) == Episode(NOON, SPIKE)


@pytest.mark.parametrize(("calm", "over"), [(1, False), (4, False), (5, True), (9, True)])
def test_it_ends_after_sixty_minutes_of_normal(calm, over):
    assert (lived(SPIKE, *[NORMAL] * calm) is None) is over


def test_a_clock_that_was_ahead_keeps_no_episode_open():
    right = NOON - timedelta(days=1)
    episode = advance(lived(SPIKE, NORMAL), NORMAL, right)
    assert episode is not None
    assert advance(episode, NORMAL, right + timedelta(minutes=60)) is None


def test_a_relapse_within_the_hour_is_the_same_episode():
    episode = lived(CRITICAL, NORMAL, NORMAL, NORMAL, SPIKE)
    assert episode is not None
    assert (episode.started_at, episode.highest, episode.normal_since) == (NOON - timedelta(hours=1), CRITICAL, None)


@pytest.mark.parametrize("level", [Level.PREPARING, Level.GATHERING])
def test_a_verdict_that_tells_nothing_changes_nothing(level):
    assert lived(SPIKE, level) == Episode(NOON - timedelta(minutes=15), SPIKE)
    assert lived(level) is None


def test_a_tap_silences_this_height_and_a_rise_calls_again():
    episode = acknowledge(lived(SPIKE), SPIKE)
    assert not calls_for_attention(episode, SPIKE)
    assert calls_for_attention(episode, CRITICAL)
    assert not calls_for_attention(acknowledge(episode, CRITICAL), SPIKE)


def test_one_notification_a_rise_and_only_a_delivered_one_counts():
    episode = lived(SPIKE)
    assert wants_notification(episode, SPIKE)
    assert wants_notification(episode, SPIKE), "not delivered yet"
    told = notified(episode, SPIKE)
    assert not wants_notification(told, SPIKE)
    assert wants_notification(told, CRITICAL)
    fallen = advance(notified(told, CRITICAL), NORMAL, NOON)
    assert not wants_notification(fallen, NORMAL)
    assert not wants_notification(advance(fallen, CRITICAL, NOON), CRITICAL), "the same episode, no higher than before"


def test_vector_14_unchanged_while_down_is_silent_and_risen_while_down_is_told_once():
    kept = notified(acknowledge(lived(SPIKE), SPIKE), SPIKE)
    after = advance(kept, SPIKE, NOON + timedelta(hours=1))
    assert (calls_for_attention(after, SPIKE), wants_notification(after, SPIKE)) == (False, False)
    risen = advance(kept, CRITICAL, NOON + timedelta(hours=1))
    assert (calls_for_attention(risen, CRITICAL), wants_notification(risen, CRITICAL)) == (True, True)
    assert not wants_notification(notified(risen, CRITICAL), CRITICAL)
