"""Which API key drives a day: most of the spend of all keys, and unusual for it."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.driver import driving_key
from openbalance_hid.account.snapshot import Reading, Snapshot, Spend
from tests.build import NOON, api_key, snapshot


def seen(*spent: tuple[str, str], usual: str | None = None) -> Snapshot:
    made = snapshot(keys=[api_key(name, usd) for name, usd in spent])
    if usual is None:
        return replace(made, key_days=Reading({}, NOON))
    days = {NOON.date() - timedelta(days=back): {spent[0][0]: Spend(Decimal(usual))} for back in range(1, 6)}
    return replace(made, key_days=Reading(days, NOON))


def driver(known: Snapshot, at=NOON) -> str | None:
    key = driving_key(known, at)
    return key.name if key is not None else None


def test_a_key_with_most_of_the_spend_drives_it():
    assert driver(seen(("ci", "6"), ("laptop", "4"))) == "ci"
    assert driver(seen(("ci", "5.9"), ("laptop", "4.1"))) is None
    assert driver(seen(("ci", "0"), ("laptop", "0"))) is None
    assert driver(snapshot()) is None
    assert driver(replace(seen(("ci", "6"), ("laptop", "4")), key_days=Reading())) is None, "its usual day is not known"


def test_a_key_on_its_usual_day_drives_nothing():
    assert driver(seen(("ci", "9"), ("laptop", "1"), usual="3.1")) is None
    assert driver(seen(("ci", "9"), ("laptop", "1"), usual="2.9")) == "ci"


def test_amounts_of_yesterday_prove_nothing_about_today():
    assert driver(seen(("ci", "9"), ("laptop", "1")), NOON + timedelta(days=1)) is None
