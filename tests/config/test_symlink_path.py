"""The path to a file on a real file system: the directories and names to watch, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from openbalance_hid.config.symlink_path import MAX_LINKS, PathHop, hops_to


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "home"
    (made / "config" / "deck").mkdir(parents=True)
    (made / "config" / "deck" / "config.toml").write_text("")
    return made


def test_the_path_of_a_plain_file_is_its_directory_and_itself(home: Path):
    assert hops_to(home / "config" / "deck" / "config.toml") == (
        PathHop(home / "config", "deck"),
        PathHop(home / "config" / "deck", "config.toml"),
    )


def test_a_path_with_a_missing_part_ends_at_the_first_missing_name(home: Path):
    assert hops_to(home / "config" / "none" / "below" / "config.toml") == (
        PathHop(home, "config"),
        PathHop(home / "config", "none"),
    )
    assert hops_to(home / "config" / "deck" / "config.toml" / "below")[-1] == PathHop(home / "config" / "deck", "config.toml")


def test_every_link_on_the_path_is_a_hop(home: Path):
    (home / "dotfiles" / "deck").mkdir(parents=True)
    (home / "dotfiles" / "deck" / "config.toml").symlink_to("../../store.toml")
    (home / "config" / "linked").symlink_to(Path("..") / "dotfiles" / "deck")
    assert hops_to(home / "config" / "linked" / "config.toml") == (
        PathHop(home, "config"),
        PathHop(home / "config", "linked"),
        PathHop(home / "dotfiles", "deck"),
        PathHop(home / "dotfiles" / "deck", "config.toml"),
        PathHop(home, "store.toml"),
    )


def test_a_relative_path_starts_at_the_target_of_a_link(home: Path):
    (home / "far").symlink_to(home / "config" / "deck")
    assert hops_to(home / "far" / ".." / "other.toml")[-1] == PathHop(home / "config", "other.toml")


def test_a_loop_of_links_ends_after_max_links(home: Path):
    (home / "a").symlink_to(home / "b")
    (home / "b").symlink_to("a")
    hops = hops_to(home / "a")
    assert set(hops) == {PathHop(home.parent, "home"), PathHop(home, "a"), PathHop(home, "b")}
    assert sum(hop.directory == home for hop in hops) == MAX_LINKS
