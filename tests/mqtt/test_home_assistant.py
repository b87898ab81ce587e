"""The discovery of Home Assistant, against its documentation of device-based discovery (home-assistant.io, "MQTT")."""

import json
import re
from typing import Any

import jinja2
import pytest

from openbalance_hid.account.spike import Level
from openbalance_hid.mqtt.broker_address import AccountTopics
from openbalance_hid.mqtt.home_assistant import SPIKE_LEVELS, discovery_message, discovery_topic
from openbalance_hid.mqtt.snapshot_schema import SummaryPart
from tests.mqtt.test_snapshot_message import encode, whole

TOPICS = AccountTopics("openbalance/team")
FOUND = json.loads(discovery_message(TOPICS, "team", "0.1"))
# The device classes that a unit and a state class must fit, from the documentation of sensors.
UNITS = {"monetary": "USD", "enum": None, None: "USD/h"}


def rendered(template: str, payload: bytes) -> Any:
    """Render a template as Home Assistant does: with the message as `value_json`."""
    return jinja2.Environment().from_string(template).render(value_json=json.loads(payload))


def test_the_topic_names_a_device_with_an_object_id_that_is_allowed():
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", discovery_topic(TOPICS))
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", discovery_topic(AccountTopics("a.b/~c/team")))
    assert discovery_topic(TOPICS) != discovery_topic(AccountTopics("openbalance/work"))


def test_device_origin_and_components_are_there_as_documented():
    assert FOUND["device"]["identifiers"]
    assert FOUND["origin"]["name"] == "openbalance-hid"
    amounts = {"balance_usd", "today_usd", "month_usd", "byok_today_usd", "burn_usd_per_hour"}
    assert set(FOUND["components"]) == {*amounts, "spike", "problem"}
    assert {entity["platform"] for entity in FOUND["components"].values()} == {"sensor", "binary_sensor"}
    identities = [entity["unique_id"] for entity in FOUND["components"].values()]
    assert len(set(identities)) == len(identities)
    assert (FOUND["state_topic"], FOUND["availability_topic"]) == ("openbalance/team", "openbalance/team/availability")


@pytest.mark.parametrize("name", [name for name, entity in FOUND["components"].items() if entity["platform"] == "sensor"])
def test_each_sensor_has_a_unit_that_its_class_allows_and_a_value(name: str):
    entity = FOUND["components"][name]
    assert entity.get("unit_of_measurement") == UNITS[entity.get("device_class")]
    assert entity.get("state_class") in (None, "measurement" if entity.get("device_class") is None else None)
    value = rendered(entity["value_template"], encode(whole()))
    assert value in SPIKE_LEVELS if name == "spike" else float(value) >= 0


def test_the_spike_sensor_offers_each_level_that_there_is():
    assert tuple(FOUND["components"]["spike"]["options"]) == tuple(level.name.lower() for level in Level)


def test_an_unknown_amount_is_none_which_home_assistant_shows_as_unknown():
    payload = json.dumps({"summary": {"balance_usd": None}}).encode()
    assert rendered(FOUND["components"]["balance_usd"]["value_template"], payload) == "None"


@pytest.mark.parametrize("name", [name for name, entity in FOUND["components"].items() if name.endswith(("_usd", "_hour"))])
def test_an_amount_that_may_be_larger_or_is_approximate_has_it_as_an_attribute(name: str):
    if name == "balance_usd":
        assert "json_attributes_template" not in FOUND["components"][name], "it is always exact"
        return
    for summary, at_least, approximate in (
        (SummaryPart(), False, False),
        (SummaryPart(lower_bounds=(name,)), True, False),
        (SummaryPart(approximate=("other", name)), False, True),
    ):
        payload = encode(whole(), summary=summary)
        attributes = json.loads(rendered(FOUND["components"][name]["json_attributes_template"], payload))
        assert attributes == {"at_least": at_least, "approximate": approximate}


def test_problem_and_availability_have_the_payloads_that_home_assistant_expects():
    entity = FOUND["components"]["problem"]
    for problem, state in ((True, "ON"), (False, "OFF")):
        payload = json.dumps({"summary": {"problem": problem, "problem_text": "the key is rejected"}}).encode()
        assert rendered(entity["value_template"], payload) == state
    assert json.loads(rendered(entity["json_attributes_template"], payload)) == {"text": "the key is rejected"}
    for state in ("online", "offline"):
        assert rendered(FOUND["availability_template"], json.dumps({"state": state, "id": "x"}).encode()) == state
