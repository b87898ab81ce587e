"""The Grafana dashboard: what Grafana's own types know, on a grid without overlaps, of metrics that exist."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from openbalance_hid.ipc import current_metrics
from openbalance_hid.runtime import metrics_listener

ROOT = Path(__file__).parents[2]
FILE = ROOT / "packaging/grafana/openbalance-hid.json"
DASHBOARD = json.loads(FILE.read_text(encoding="utf-8"))
PANELS = DASHBOARD["panels"]


def unknown(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Return the paths of ours that are missing or other in theirs."""
    if isinstance(ours, dict):
        return [found for key in ours for found in unknown(ours[key], (theirs or {}).get(key, KeyError), f"{path}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            found for index, pair in enumerate(zip(ours, theirs, strict=True)) for found in unknown(*pair, f"{path}/{index}")
        ]
    return [] if ours == theirs else [path]


def test_grafana_knows_every_field_of_the_dashboard():
    read = json.loads(json.dumps(Dashboard.from_json(json.loads(FILE.read_text())), cls=JSONEncoder))
    assert unknown(DASHBOARD, read) == []


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for first, second in combinations([panel["gridPos"] for panel in PANELS], 2):
        apart = any(
            one[at] + one[size] <= other[at] for one, other in ((first, second), (second, first)) for at, size in ("xw", "yh")
        )
        assert apart, (first, second)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


def test_every_panel_uses_the_chosen_data_source_and_says_what_it_shows():
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in PANELS)


def test_dashboard_and_alert_rules_name_only_metrics_that_are_served():
    source = "".join(Path(module.__file__).read_text() for module in (current_metrics, metrics_listener))
    served = set(re.findall(r'"(openbalance_\w+)"', source))
    served |= {f"{name}_total" for name in served} | {f"{name}_info" for name in served}
    served |= {f"openbalance_{by}_spend_usd" for by in current_metrics.DIMENSIONS}
    used = [target["expr"] for panel in PANELS for target in panel["targets"]]
    used.append((ROOT / "packaging/prometheus/alerts.yml").read_text())
    assert set(re.findall(r"openbalance_\w+", " ".join(used))) - served == set()
