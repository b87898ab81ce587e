"""The doctor's rows about tiles of other packages."""

from __future__ import annotations

from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.tile_checks import assess_tiles
from openbalance_hid.tiles.plugin import PluginTile, PluginTrouble
from tests.service.doctor.doctor_context import doctor_context, single_result

GOOD = PluginTile("good", "good-tiles 1.0")
BROKEN = PluginTile("broken", "bad-tiles 2.0", trouble=PluginTrouble.NOT_LOADED, problem="its import raises OSError: x")


def test_without_tiles_of_others_one_row_says_so(tmp_path):
    assert single_result(doctor_context(tmp_path), "tiles").verdict is CheckStatus.OK


def test_each_used_tile_has_a_row_and_its_rights_are_named():
    first, second = assess_tiles([GOOD, BROKEN], [], {})
    assert (first.about, first.verdict, first.found) == (
        "good",
        CheckStatus.OK,
        "of good-tiles 1.0, which runs with all rights of this program",
    )
    assert (second.about, second.verdict) == ("broken", CheckStatus.WARNING)
    assert second.found == "of bad-tiles 2.0: its import raises OSError: x"


def test_a_tile_that_hangs_in_the_daemon_is_named():
    running = {"tile": "good", "package": "good-tiles 1.0", "trouble": "no_answer", "problem": "it has not answered within 2 s"}
    (row,) = assess_tiles([GOOD], [running], {})
    assert (row.verdict, row.found) == (CheckStatus.WARNING, "of good-tiles 1.0: it has not answered within 2 s")


def test_a_name_that_is_taken_is_a_warning_with_the_name_that_works():
    (row,) = assess_tiles([], [], {"balance": "their-tiles"})
    assert row.verdict is CheckStatus.WARNING
    assert 'tile = "their-tiles:balance"' in row.found
