"""Transfers of a host with a deck: reports in both directions, cancellation, and limits."""

import errno
import struct

import pytest

from tests.simulator.usbip.usbip_client import SUBMITTED, UNLINKED
from tests.waiting import PATIENCE_S


def test_a_picture_goes_through_the_endpoint_for_output(bench):
    from tests.deck.rig import flat, is_plain

    picture = flat((72, 72), "red", "JPEG")
    with bench.attached() as client:
        report = (b"\x02\x07\x04\x01" + len(picture).to_bytes(2, "little") + b"\0\0" + picture).ljust(1024, b"\0")
        client.submit(2, False, len(report), data=report)
        done = client.answer()
    assert (done.command, done.status, done.length) == (SUBMITTED, 0, 1024)
    assert is_plain(bench.deck.glass(4), "red")
    assert bench.deck.faults == []


def test_presses_come_in_their_order_however_late_they_are_asked_for(bench):
    with bench.attached() as client:
        bench.deck.press(3)
        bench.deck.release(3)
        bench.deck.press(0)
        wanted = [client.submit(1, True, 512) for _ in range(3)]
        answers = [client.answer() for _ in range(3)]
        assert [answer.sequence for answer in answers] == wanted
        assert [answer.data[4:19].index(1) if 1 in answer.data[4:19] else None for answer in answers] == [3, None, 0]
        waiting = client.submit(1, True, 512)
        bench.deck.release(0)
        assert (client.answer().sequence, bench.deck.faults) == (waiting, [])


def test_a_report_that_does_not_fit_is_an_overflow_and_not_a_shift(bench):
    with bench.attached() as client:
        client.submit(1, True, 8)
        bench.deck.press(0)
        answer = client.answer()
        assert (answer.status, len(answer.data)) == (-errno.EOVERFLOW, 8)
        client.submit(1, True, 512)
        bench.deck.release(0)
        assert client.answer().data[:4] == b"\x01\x00\x0f\x00"


def test_a_cancelled_read_returns_nothing_and_loses_no_report(bench):
    with bench.attached() as client:
        unwanted = client.submit(1, True, 512)
        asked = client.unlink(unwanted)
        answer = client.answer()
        assert (answer.command, answer.sequence, answer.status) == (UNLINKED, asked, -errno.ECONNRESET)
        bench.deck.press(2)
        wanted = client.submit(1, True, 512)
        answer = client.answer()
        assert (answer.command, answer.sequence) == (SUBMITTED, wanted)
        assert answer.data[4 + 2] == 1


def test_an_ended_transfer_cannot_be_cancelled(bench):
    with bench.attached() as client:
        done = client.submit(0, True, 18, struct.pack("<BBHHH", 0x80, 6, 0x0100, 0, 18))
        assert client.answer().sequence == done
        client.unlink(done)
        assert (client.answer().command, client.wire.gettimeout()) == (UNLINKED, PATIENCE_S)


def test_a_write_to_a_stalled_deck_waits_until_it_is_cancelled(bench):
    bench.deck.stall(timeout_s=0.01)
    with bench.attached() as client:
        hung = client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
        assert bench.deck.wait_until(lambda: bench.deck.hosts_waiting == 1, PATIENCE_S)
        asked = client.unlink(hung)
        answer = client.answer()
        assert (answer.command, answer.sequence, answer.status) == (UNLINKED, asked, -errno.ECONNRESET)
        bench.deck.unstall()
        next_one = client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
        answer = client.answer()
        assert (answer.command, answer.sequence, answer.status) == (SUBMITTED, next_one, 0)


def test_input_comes_while_output_hangs(bench):
    with bench.attached() as client:
        bench.deck.stall(timeout_s=60)
        client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
        wish = client.submit(1, True, 512)
        bench.deck.press(1)
        assert client.answer().sequence == wish
        bench.deck.unstall()


def test_a_host_with_too_many_transfers_is_disconnected(bench):
    with bench.attached() as client, pytest.raises((EOFError, ConnectionError)):
        for _ in range(2000):
            client.submit(1, True, 512)
        client.answer()
