"""The discovery message of Home Assistant: the values of an account as entities of one device. Pure.

Device-based discovery, from Home Assistant 2024.11 on: one retained message on `homeassistant/device/<object id>/config`
(home-assistant.io, "MQTT discovery"). The entities read the `summary` of the snapshot; null is their state "unknown".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from openbalance_hid.mqtt.broker_address import DISCOVERY_PREFIX, AccountTopics
from openbalance_hid.mqtt.snapshot_schema import SpikeWord

URL = "https://github.com/openbalance-hid/openbalance-hid"
SPIKE_LEVELS: tuple[str, ...] = get_args(SpikeWord)

# Name of the value in the summary -> the options of its sensor.
_SENSORS: Mapping[str, Mapping[str, Any]] = {
    "balance_usd": {"name": "Balance", "device_class": "monetary", "unit_of_measurement": "USD", "icon": "mdi:wallet"},
    "today_usd": {"name": "Today", "device_class": "monetary", "unit_of_measurement": "USD", "icon": "mdi:calendar-today"},
    "month_usd": {"name": "Month", "device_class": "monetary", "unit_of_measurement": "USD", "icon": "mdi:calendar-month"},
    "byok_today_usd": {
        "name": "Own keys today",
        "device_class": "monetary",
        "unit_of_measurement": "USD",
        "icon": "mdi:key-outline",
    },
    "burn_usd_per_hour": {
        "name": "Burn rate",
        "unit_of_measurement": "USD/h",
        "state_class": "measurement",
        "icon": "mdi:fire",
    },
    "spike": {"name": "Spike", "device_class": "enum", "options": SPIKE_LEVELS, "icon": "mdi:chart-line"},
}

INEXACT = ("today_usd", "month_usd", "byok_today_usd", "burn_usd_per_hour")  # may be lower bounds, or approximate


def discovery_topic(topics: AccountTopics) -> str:
    """Return where Home Assistant looks for the device. An object id has letters, digits, - and _ only."""
    return f"{DISCOVERY_PREFIX}/device/{_object_id(topics)}/config"


def discovery_message(topics: AccountTopics, account: str, version: str) -> bytes:
    """Return the message that makes the device and its entities known."""
    device = _object_id(topics)
    entities: dict[str, dict[str, Any]] = {
        key: {
            "platform": "sensor",
            "unique_id": f"{device}_{key}",
            "value_template": f"{{{{ value_json.summary.{key} }}}}",
            **({"suggested_display_precision": 2} if "unit_of_measurement" in options else {}),
            **(_inexact(topics, key) if key in INEXACT else {}),
            **options,
        }
        for key, options in _SENSORS.items()
    }
    entities["problem"] = {
        "platform": "binary_sensor",
        "unique_id": f"{device}_problem",
        "name": "Problem",
        "device_class": "problem",
        "value_template": "{{ 'ON' if value_json.summary.problem else 'OFF' }}",
        "json_attributes_topic": topics.snapshot,
        "json_attributes_template": "{{ {'text': value_json.summary.problem_text} | tojson }}",
    }
    return msgspec.json.encode(
        {
            "device": {
                "identifiers": [device],
                "name": f"OpenRouter {account}",
                "manufacturer": "OpenRouter",
                "model": "Account",
                "sw_version": version,
                "configuration_url": "https://openrouter.ai/activity",
            },
            "origin": {"name": "openbalance-hid", "sw_version": version, "support_url": URL},
            "components": entities,
            "state_topic": topics.snapshot,
            "availability_topic": topics.availability,
            "availability_template": "{{ value_json.state }}",
            "qos": 1,
        }
    )


def _inexact(topics: AccountTopics, key: str) -> dict[str, str]:
    """Return the attributes `at_least` and `approximate` of an amount: a state has no room for a sign."""
    flags = ("at_least", "lower_bounds"), ("approximate", "approximate")
    values = ", ".join(f"'{name}': '{key}' in value_json.summary.{field}" for name, field in flags)
    return {"json_attributes_topic": topics.snapshot, "json_attributes_template": f"{{{{ {{{values}}} | tojson }}}}"}


def _object_id(topics: AccountTopics) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "_" for char in topics.snapshot)
