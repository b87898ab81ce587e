"""The virtual deck is strict: what no driver may send is a fault, and the glass keeps its picture."""

import errno

import pytest
from StreamDeck.ImageHelpers import PILHelper

from openbalance_hid.simulator.device.report_decoder import FaultKind
from openbalance_hid.simulator.device.virtual_deck import MOST_FAULTS, MOST_WARNINGS
from tests.simulator.device.reports import VISUAL, asymmetric, jpeg, library_deck, page, virtual

NONSENSE = {
    "an empty report": ([b""], FaultKind.UNKNOWN_REPORT),
    "an unknown report id": ([b"\x09" + bytes(1023)], FaultKind.UNKNOWN_REPORT),
    "an unknown command": ([b"\x02\x44" + bytes(1022)], FaultKind.UNKNOWN_REPORT),
    "a strip picture without a strip": ([b"\x02\x0c" + bytes(1022)], FaultKind.UNKNOWN_REPORT),
    "a screen picture without a screen": ([b"\x02\x0b" + bytes(1022)], FaultKind.UNKNOWN_REPORT),
    "a report too short": ([page(jpeg(quality=1))[:1000]], FaultKind.WRONG_LENGTH),
    "a report too long": ([page(jpeg(quality=1)) + b"\0"], FaultKind.WRONG_LENGTH),
    "a second page first": ([page(b"x", index=1)], FaultKind.PAGE_ORDER),
    "a page left out": ([page(b"x", last=0), page(b"x", index=2)], FaultKind.PAGE_ORDER),
    "a page of another key": ([page(b"x", last=0), page(b"x", index=1, key=1)], FaultKind.PAGE_ORDER),
    "a picture begun before the last ended": ([page(b"x", last=0), page(b"x", key=1, last=0)], FaultKind.UNFINISHED),
    "no payload": ([page(b"")], FaultKind.PAYLOAD_LENGTH),
    "a payload longer than its report": ([page(b"x", length=1017)], FaultKind.PAYLOAD_LENGTH),
    "a key that is not there": ([page(jpeg(quality=1), key=15)], FaultKind.OUT_OF_RANGE),
    "a last page flag of 2": ([page(b"x", last=2)], FaultKind.OUT_OF_RANGE),
    "bytes that are no picture": ([page(b"GIF89a")], FaultKind.NOT_A_PICTURE),
    "a picture cut short": ([page(jpeg(quality=90)[:900])], FaultKind.NOT_A_PICTURE),
    "a progressive picture": ([page(jpeg(quality=1, progressive=True))], FaultKind.NOT_A_PICTURE),
    "a picture of four colours": ([page(jpeg(quality=1, mode="CMYK"))], FaultKind.NOT_A_PICTURE),
    "a picture of another size": ([page(jpeg((80, 80), quality=1))], FaultKind.WRONG_SIZE),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_an_invalid_report_is_a_fault_and_changes_no_picture(name: str) -> None:
    reports, what = NONSENSE[name]
    deck = virtual()
    assert deck.write(page(jpeg(quality=1))) == 1024
    before = deck.glass(0).tobytes()
    for report in reports:
        assert deck.write(report) == len(report)
    assert [fault.what for fault in deck.faults] == [what]
    assert deck.faults[0].detail
    assert deck.glass(0).tobytes() == before
    assert deck.pictures_received == 1


FEATURE_NONSENSE = {
    "an unknown report": (b"\x07\x01" + bytes(30), FaultKind.UNKNOWN_REPORT),
    "an unknown command": (b"\x03\x44" + bytes(30), FaultKind.UNKNOWN_REPORT),
    "the older decks' brightness": (b"\x05\x55\xaa\xd1\x01\x32" + bytes(11), FaultKind.UNKNOWN_REPORT),
    "a brightness too long": (b"\x03\x08\x32" + bytes(40), FaultKind.WRONG_LENGTH),
    "a reset too short": (b"\x03\x02", FaultKind.WRONG_LENGTH),
    "brightness 101": (b"\x03\x08\x65" + bytes(29), FaultKind.OUT_OF_RANGE),
    "a colour for a key that does not exist": (b"\x03\x06\x0f" + bytes(29), FaultKind.OUT_OF_RANGE),
    "a colour without its last byte": (b"\x03\x06\x00\xff\xff", FaultKind.WRONG_LENGTH),
    "a colour for a second panel": (b"\x03\x05\x01\xff\xff\xff", FaultKind.OUT_OF_RANGE),
}


@pytest.mark.parametrize("name", FEATURE_NONSENSE)
def test_an_invalid_feature_report_is_a_fault(name: str) -> None:
    report, what = FEATURE_NONSENSE[name]
    deck = virtual()
    deck.send_feature(report)
    assert [fault.what for fault in deck.faults] == [what]
    assert deck.brightness == 100


@pytest.mark.parametrize("name", ["mini", "original", "pedal"])
def test_a_model_without_colour_fills_reports_them(name: str) -> None:
    deck = virtual(name)
    deck.send_feature(b"\x03\x06\x00\xff\xff\xff" + bytes(26))
    deck.send_feature(b"\x03\x05\x00\xff\xff\xff" + bytes(26))
    assert [fault.what for fault in deck.faults] == [FaultKind.UNKNOWN_REPORT] * 2


def test_each_different_invalid_report_is_a_warning_once_up_to_a_limit(caplog: pytest.LogCaptureFixture) -> None:
    deck = virtual()
    for command in (0x44, 0x45, 0x44, 0x44):
        deck.send_feature(bytes([0x03, command]) + bytes(30))
    deck.send_feature(b"\x03\x08\x65" + bytes(29))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [
        "Stream Deck MK.2 A00SA1234567: unknown report: feature report 03 44 00",
        "Stream Deck MK.2 A00SA1234567: unknown report: feature report 03 45 00",
        "Stream Deck MK.2 A00SA1234567: out of range: brightness 101 percent",
    ]
    assert len(deck.faults) == 5
    for number in range(2 * MOST_WARNINGS):
        deck.send_feature(bytes([0x07, number]))
    assert sum(record.levelname == "WARNING" for record in caplog.records) == MOST_WARNINGS


DETAILS = {
    "page 1 of key 3, expected page 1 of key 0": [page(b"x", last=0), page(b"x", index=1, key=3)],
    "key 3 begins before the last page of key 0": [page(b"x", last=0), page(b"x", key=3, last=0)],
    "6 bytes are no JPEG": [page(b"GIF89a")],
    "key 15, mk2 has keys 0 to 14": [page(b"x", key=15)],
    "an empty report": [b""],
    "report id 0x03": [b"\x03"],
}


@pytest.mark.parametrize("detail", DETAILS)
def test_the_detail_of_a_fault_names_no_object_of_the_program(detail: str) -> None:
    deck = virtual()
    for report in DETAILS[detail]:
        deck.write(report)
    assert [fault.detail for fault in deck.faults] == [detail]


def test_the_newest_of_many_invalid_reports_are_kept_and_all_are_counted() -> None:
    deck = virtual()
    for number in range(MOST_FAULTS + 5):
        deck.send_feature(bytes([0x07, number % 256]))
    assert deck.fault_count == MOST_FAULTS + 5
    assert len(deck.faults) == MOST_FAULTS
    assert deck.faults[-1].detail == f"feature report 07 {(MOST_FAULTS + 4) % 256:02x}"


def test_requesting_an_unknown_feature_report_fails() -> None:
    deck = virtual()
    with pytest.raises(OSError, match="no such feature report") as failed:
        deck.get_feature(0x55, 32)
    assert failed.value.errno == errno.EPIPE
    assert [fault.what for fault in deck.faults] == [FaultKind.UNKNOWN_REPORT]


def test_requesting_a_feature_report_of_another_length_is_a_fault() -> None:
    deck = virtual()
    deck.get_feature(0x06, 31)
    assert [fault.what for fault in deck.faults] == [FaultKind.WRONG_LENGTH]


def test_a_pedal_takes_no_output_report() -> None:
    deck = virtual("pedal")
    deck.write(b"\x02" + bytes(1023))
    assert [fault.what for fault in deck.faults] == [FaultKind.UNKNOWN_REPORT]


@pytest.mark.parametrize(
    ("x", "width", "what"),
    [(700, 200, FaultKind.OUT_OF_RANGE), (0, 0, FaultKind.OUT_OF_RANGE), (0, 800, FaultKind.NOT_A_PICTURE)],
)
def test_a_strip_picture_has_to_lie_within_the_strip(x: int, width: int, what: FaultKind) -> None:
    deck = virtual("plus")
    words = b"".join(number.to_bytes(2, "little") for number in (x, 0, width, 100))
    deck.write((b"\x02\x0c" + words + b"\x01\x00\x00\x01\x00\x00x").ljust(1024, b"\0"))
    assert [fault.what for fault in deck.faults] == [what]


def test_a_bmp_that_ends_too_soon_is_a_fault() -> None:
    deck = virtual("mini")
    deck.write(b"\x02\x01\x00\x00\x01\x01" + bytes(1018))
    assert [fault.what for fault in deck.faults] == [FaultKind.PAYLOAD_LENGTH]


@pytest.mark.parametrize("name", VISUAL)
def test_the_empty_report_drops_an_incomplete_picture(name: str) -> None:
    deck = virtual(name)
    driver = library_deck(deck)
    picture = PILHelper.to_native_key_format(driver, asymmetric(driver.key_image_format()["size"]))
    sent: list[bytes] = []
    driver.device.write = lambda payload: sent.append(bytes(payload))
    driver.set_key_image(0, picture)
    deck.write(sent[0])
    driver._reset_key_stream()
    for report in sent[-1:] + sent[:-2]:  # the empty report, then the picture from its first page
        deck.write(report)
    assert len(sent) > 2
    assert deck.faults == []
