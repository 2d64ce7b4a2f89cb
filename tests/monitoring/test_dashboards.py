"""Grafana's dashboards: made by the generator, complete, and about metrics that exist."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.metric_names import PROMETHEUS_OWN, exposed, named
from tests.monitoring.panels import DASHBOARDS, GRAFANA, PanelQuery, load, queries
from tests.monitoring.rules import CONFIG, recorded
from tests.monitoring.rules import load as load_yaml

WIDTH, SCREEN = 24, 25  # of Grafana's grid: all columns; the rows that a 1080p screen shows
PANELS = {f"{path.stem}-{panel['id']}": panel for path in DASHBOARDS for panel in load(path)["panels"]}

every_dashboard = pytest.mark.parametrize("dashboard", [load(path) for path in DASHBOARDS], ids=lambda d: d["uid"])
every_panel = pytest.mark.parametrize("panel", list(PANELS.values()), ids=list(PANELS))


def provisioned(name: str) -> Any:
    return yaml.safe_load((GRAFANA / "provisioning" / name).read_text("utf-8"))


def test_the_committed_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "generate", str(tmp_path)], cwd=GRAFANA, check=True, timeout=60)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    found = {path.name: path.read_text("utf-8") for path in (GRAFANA / "dashboards").iterdir()}
    assert made == found, "run: cd docker/grafana && python -m generate"


def test_the_folder_docker_is_no_package() -> None:
    assert not (GRAFANA.parent / "__init__.py").exists()


def test_the_datasource_is_scraped_as_often_as_it_says() -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    assert source["jsonData"]["timeInterval"] == load_yaml(CONFIG)["global"]["scrape_interval"]


def test_no_two_dashboards_have_one_name() -> None:
    for key in ("uid", "title"):
        names = [load(path)[key] for path in DASHBOARDS]
        assert len(set(names)) == len(names) == 6


@every_dashboard
def test_a_dashboard_is_for_one_screen(dashboard: Any) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert max(place["y"] + place["h"] for place in places) <= SCREEN
    assert max(place["x"] + place["w"] for place in places) == WIDTH
    for one, other in combinations(places, 2):
        apart = any(one[a] + one[n] <= other[a] or other[a] + other[n] <= one[a] for a, n in (("x", "w"), ("y", "h")))
        assert apart, (one, other)


@every_dashboard
def test_a_dashboard_can_be_changed_in_the_generator_only(dashboard: Any) -> None:
    assert dashboard["editable"] is False
    (provider,) = provisioned("dashboards/headcount.yml")["providers"]
    assert provider["allowUiUpdates"] is False


@every_dashboard
def test_no_two_panels_have_one_name_or_id(dashboard: Any) -> None:
    for key in ("id", "title"):
        names = [panel[key] for panel in dashboard["panels"]]
        assert len(set(names)) == len(names)


@every_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: Any) -> None:
    assert panel["title"]
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]


@every_panel
def test_a_panel_asks_the_provisioned_datasource(panel: Any) -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    assert panel["datasource"] == wanted
    assert panel["targets"]
    assert all(target["datasource"] == wanted for target in panel["targets"])


@every_panel
def test_every_series_has_a_name(panel: Any) -> None:
    for target in panel["targets"]:
        assert target["legendFormat"] not in {"", "__auto"}
        assert ("by (shard)" in target["expr"]) <= ("{{shard}}" in target["legendFormat"])
        assert ("by (level)" in target["expr"]) <= ("{{level}}" in target["legendFormat"])


@pytest.mark.parametrize("query", list(queries()), ids=str)
def test_every_metric_that_a_panel_names_exists(query: PanelQuery) -> None:
    assert "$" not in query.expr
    assert named(query.expr) - exposed() - recorded().keys() - PROMETHEUS_OWN == set()
    assert named(query.expr)


def test_stops_for_poison_are_on_the_consumers_page_by_shard_and_limit() -> None:
    (query,) = (query for query in queries() if "headcount_consumer_poison_stops_total" in query.expr)
    assert query.dashboard == "Headcount: consumer"
    assert "by (shard, limit)" in query.expr
