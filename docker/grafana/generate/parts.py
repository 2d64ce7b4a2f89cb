"""What all pages are made of: one look for each kind of panel."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as m
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from .colours import BLUE, COLOURS

DATASOURCE = m.DataSourceRef(type_val="prometheus", uid="prometheus")  # provisioning/datasources/prometheus.yml
TAG = "headcount"
WIDTH = 24  # of Grafana's grid

PanelBuilder = Builder[m.Panel]
Thresholds = Sequence[tuple[float | None, str]]


@dataclass(frozen=True)
class Query:
    """An expression and how its series are named; ``names``: what of `COLOURS` the label in the legend may be."""

    expr: str
    legend: str
    names: tuple[str, ...] = ()


def or_zero(expr: str, label: str = "", value: str = "none") -> str:
    """Where a counter may not exist yet: 0, named by its label as the series are."""
    zero = f'label_replace(vector(0), "{label}", "{value}", "", "")' if label else "vector(0)"
    return f"{expr} or on () {zero}"


def rate(metric: str, by: str = "", selector: str = "") -> str:
    """Events per second of a counter over all processes."""
    return f"sum{f' by ({by}) ' if by else ''}(rate({metric}{selector}[$__rate_interval]))"


def quantiles(histogram: str, job: str, window: str = "$__rate_interval") -> list[Query]:
    """Median, 95 % and 99 % over all processes of a job."""
    buckets = f'sum by (le) (rate({histogram}_bucket{{job="{job}"}}[{window}]))'
    named = (("0.5", "median"), ("0.95", "95 %"), ("0.99", "99 %"))
    return [Query(f"histogram_quantile({share}, {buckets})", name) for share, name in named]


def lines(title: str, description: str, unit: str, queries: Sequence[Query], *, stack: bool = False) -> PanelBuilder:
    """Series over time; those that are named so have the colour of `COLOURS`."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .min(0)
        .datasource(DATASOURCE)
        .line_width(1)
        .fill_opacity(40 if stack else 8)
        .show_points(c.VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(dashboard.FieldColor().mode(m.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .stacking(common.StackingConfig().mode(c.StackingMode.NORMAL if stack else c.StackingMode.NONE).group("A"))
        .legend(
            common.VizLegendOptions()
            .display_mode(c.LegendDisplayMode.LIST)
            .placement(c.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI).sort(c.SortOrder.DESCENDING))
    )
    for number, query in enumerate(queries):
        panel.with_target(_target(query, number))
    for name in sorted(_named(queries)):
        panel.override_by_name(name, [m.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": COLOURS[name]})])
    return panel


def number(
    title: str, description: str, unit: str, expr: str, *, thresholds: Thresholds, decimals: int = 0
) -> PanelBuilder:
    """One figure, its recent course behind it, coloured by thresholds."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .decimals(decimals)
        .datasource(DATASOURCE)
        .graph_mode(c.BigValueGraphMode.AREA)
        .color_mode(c.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(thresholds))
        .with_target(_target(Query(expr, title), 0))
    )


def bars(title: str, description: str, unit: str, query: Query) -> PanelBuilder:
    """The latest value of each series as a horizontal bar."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .min(0)
        .datasource(DATASOURCE)
        .orientation(c.VizOrientation.HORIZONTAL)
        .display_mode(c.BarGaugeDisplayMode.BASIC)
        .name_placement(c.BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_scheme(dashboard.FieldColor().mode(m.FieldColorModeId.FIXED).fixed_color(BLUE))
        .with_target(_target(query, 0).instant())
    )


def rows(title: str, description: str, query: Query, *, hidden: Sequence[str]) -> PanelBuilder:
    """A table of labels, one row per series; ``hidden``: columns that say nothing."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .unit("none")
        .datasource(DATASOURCE)
        .with_target(_target(query, 0).instant().format(PromQueryFormat.TABLE))
        .with_transformation(
            m.DataTransformerConfig(id_val="organize", options={"excludeByName": dict.fromkeys(hidden, True)})
        )
    )


def page(name: str, description: str, *grid: tuple[int, Sequence[PanelBuilder]]) -> dashboard.Dashboard:
    """A page of rows; each is a height and panels of equal width. About 24 units of height fit a screen."""
    built = (
        dashboard.Dashboard(f"Headcount: {name}")
        .uid(f"headcount-{name.replace(' ', '-')}")
        .description(description)
        .tags([TAG])
        .readonly()
        .time("now-15m", "now")
        .refresh("5s")
        .timezone("browser")
        .tooltip(m.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Headcount")
            .type(m.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .keep_time(True)
            .icon("external link")
        )
    )
    made = y = 0
    for height, panels in grid:
        width = WIDTH // len(panels)
        for column, panel in enumerate(panels):
            made += 1
            placed = panel.build()
            placed.id_val, placed.grid_pos = made, m.GridPos(h=height, w=width, x=column * width, y=y)
            built.with_panel(_Built(placed))
        y += height
    return built


class _Built(Builder[m.Panel]):
    """A panel that has its place."""

    def __init__(self, panel: m.Panel) -> None:
        self._panel = panel

    def build(self) -> m.Panel:
        return self._panel


def _target(query: Query, number: int) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(DATASOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
        .ref_id(chr(ord("A") + number))
        .range()
    )


def _thresholds(steps: Thresholds) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(m.ThresholdsMode.ABSOLUTE)
        .steps([m.Threshold(value, colour) for value, colour in steps])
    )


def _named(queries: Sequence[Query]) -> set[str]:
    """Names of series that have a colour of their own."""
    return {query.legend for query in queries} & COLOURS.keys() | {name for query in queries for name in query.names}
