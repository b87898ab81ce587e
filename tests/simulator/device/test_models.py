"""The rows of the simulated products."""

import pytest

from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.device.models import MODELS, Codec, model_named


@pytest.mark.parametrize("name", ["mini", "original", "mk2", "xl", "neo", "plus", "plus-xl", "pedal", "studio"])
def test_every_model_of_the_command_line_has_a_row(name: str) -> None:
    assert model_named(name).name == name


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'mk3'; known: mini") as refused:
        model_named("mk3")
    assert refused.value.hint == "openbalance-hid demo --model mk2"


def test_no_product_id_occurs_twice() -> None:
    assert len({row.product_id for row in MODELS.values()}) == len(MODELS) == 17


def test_a_bmp_key_fits_its_pages_and_a_jpeg_page_its_report() -> None:
    pages = {row.name: -(-row.bmp_bytes // row.page_payload) for row in MODELS.values() if row.codec is Codec.BMP}
    assert (pages["mini"], pages["original"]) == (20, 2)
    for row in MODELS.values():
        assert row.page_header + row.page_payload <= row.output_length or row.codec is Codec.NONE
