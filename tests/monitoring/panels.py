"""Every panel's query, as Prometheus can run it: for tests here, and for one on a living Prometheus.

    for query in queries():
        answer = ask_prometheus(query.expr)  # an instant query is enough
        assert answer, query

The list comes from the committed JSON: ``panels[].targets[].expr``. Variables are replaced by what a person sees who
opens the dashboard: ``$__rate_interval`` by 1m, a dashboard's own variables by their default.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).parents[2] / "docker" / "grafana"
DASHBOARDS = tuple(sorted((GRAFANA / "dashboards").glob("*.json")))

RATE_INTERVAL = "1m"  # of Grafana at 5 s between scrapes: 20 s or more


@dataclass(frozen=True)
class PanelQuery:
    """``dashboard`` and ``panel`` are titles."""

    dashboard: str
    panel: str
    ref: str
    expr: str

    def __str__(self) -> str:
        return f"{self.dashboard}, {self.panel}, {self.ref}"


def load(path: Path) -> Any:
    """A dashboard's JSON."""
    return json.loads(path.read_text("utf-8"))


def queries() -> Iterator[PanelQuery]:
    """Of all dashboards."""
    for path in DASHBOARDS:
        yield from queries_of(load(path))


def queries_of(dashboard: Any) -> Iterator[PanelQuery]:
    """Of one dashboard, given its JSON."""
    values = {"__rate_interval": RATE_INTERVAL}
    values |= {variable["name"]: variable["query"] for variable in dashboard.get("templating", {}).get("list", [])}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expr = re.sub(r"\$(\w+)", lambda found: values[found[1]], target["expr"])
            yield PanelQuery(dashboard["title"], panel["title"], target["refId"], expr)
