"""The doctor's check of udev rules and hardware database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from openbalance_hid.deck.products import product_ids
from openbalance_hid.deck.udev_rules import RulesKind, covered_products, render_rules, rules_name
from openbalance_hid.service.doctor.check import Check, CheckStatus
from tests.service.doctor.doctor_context import doctor_context, single_result

linux = pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux")
PRODUCTS = frozenset(product for _, product in product_ids())


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("50-a.rules", 'ATTRS{idVendor}=="0fd9", ATTRS{idProduct}=="0060|0080", TAG+="uaccess"\n', {0x60, 0x80}),
        ("50-a.rules", '# ATTRS{idVendor}=="0fd9", ATTRS{idProduct}=="0060"\n', set()),
        ("50-a.rules", 'ATTRS{idVendor}=="0FD9", \\\n  ATTRS{idProduct}=="00AA"\n', {0xAA}),
        ("50-a.rules", 'SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0fd9", MODE="0660"\n', set(PRODUCTS)),
        ("50-a.rules", 'ATTRS{idVendor}=="1234", ATTRS{idProduct}=="0060"\n', set()),
        ("70-av.hwdb", "usb:v0FD9p0060*\nusb:v0FD9p0063*\n ID_AV_PRODUCTION_CONTROLLER=1\n", {0x60, 0x63}),
    ],
    ids=["two", "comment", "two lines", "the whole vendor", "another vendor", "hardware database"],
)
def test_rules_and_hardware_database_are_read_by_product(tmp_path: Path, name: str, text: str, found: set[int]):
    folder = tmp_path / f"{name.rpartition('.')[2]}.d"
    folder.mkdir()
    (folder / name).write_text(text)
    assert covered_products(PRODUCTS, [tmp_path]) == found


@linux
def test_the_rules_of_this_version_are_ok_and_older_ones_a_warning(tmp_path: Path):
    def now() -> Check:
        return single_result(doctor_context(tmp_path), "udev")

    file = tmp_path / "udev/rules.d" / rules_name(RulesKind.DESKTOP)
    assert (now().verdict, now().found) == (CheckStatus.WARNING, "no rule covers a Stream Deck")
    file.write_text(render_rules(RulesKind.DESKTOP))
    assert now().verdict is CheckStatus.OK
    assert covered_products(PRODUCTS, [tmp_path / "udev"]) == PRODUCTS
    file.write_text("# older\n")
    assert (now().verdict, now().hint) == (CheckStatus.WARNING, "openbalance-hid udev install")
    file.unlink()
    (file.parent / "60-of-another-program.rules").write_text(render_rules(RulesKind.HEADLESS))
    assert (now().verdict, now().found) == (CheckStatus.OK, f"rules of other programs cover all {len(PRODUCTS)} products")
