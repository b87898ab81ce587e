"""The way to a file on a real file system: what must be watched, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from openbalance_hid.config.symlink_path import MOST_LINKS, PathHop, way_to


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "home"
    (made / "config" / "deck").mkdir(parents=True)
    (made / "config" / "deck" / "config.toml").write_text("")
    return made


def test_an_ordinary_file_is_looked_for_in_its_directory_and_that_in_its_own(home: Path):
    assert way_to(home / "config" / "deck" / "config.toml") == (
        PathHop(home / "config", "deck"),
        PathHop(home / "config" / "deck", "config.toml"),
    )


def test_a_way_that_does_not_go_on_ends_at_what_is_missing(home: Path):
    assert way_to(home / "config" / "none" / "below" / "config.toml") == (
        PathHop(home, "config"),
        PathHop(home / "config", "none"),
    )
    assert way_to(home / "config" / "deck" / "config.toml" / "below")[-1] == PathHop(home / "config" / "deck", "config.toml")


def test_every_link_is_a_place_where_the_way_can_turn(home: Path):
    (home / "dotfiles" / "deck").mkdir(parents=True)
    (home / "dotfiles" / "deck" / "config.toml").symlink_to("../../store.toml")
    (home / "config" / "linked").symlink_to(Path("..") / "dotfiles" / "deck")
    assert way_to(home / "config" / "linked" / "config.toml") == (
        PathHop(home, "config"),
        PathHop(home / "config", "linked"),
        PathHop(home / "dotfiles", "deck"),
        PathHop(home / "dotfiles" / "deck", "config.toml"),
        PathHop(home, "store.toml"),
    )


def test_a_link_leads_from_where_it_really_lies(home: Path):
    (home / "far").symlink_to(home / "config" / "deck")
    assert way_to(home / "far" / ".." / "other.toml")[-1] == PathHop(home / "config", "other.toml")


def test_a_loop_of_links_has_an_end(home: Path):
    (home / "a").symlink_to(home / "b")
    (home / "b").symlink_to("a")
    way = way_to(home / "a")
    assert set(way) == {PathHop(home.parent, "home"), PathHop(home, "a"), PathHop(home, "b")}
    assert sum(step.directory == home for step in way) == MOST_LINKS
