"""Pictures as SVG: still ones, without scripts, since a repository's page runs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygal
from pygal.style import Style

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from benchmarks.results import Chart

COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#65a30d", "#be185d")
STYLE = Style(background="white", plot_background="white", colors=COLOURS, font_family="sans-serif", title_font_size=18)
MANY_LABELS = 12


def draw(chart: Chart, directory: Path) -> None:
    """Write ``<name>.svg``."""
    kind = pygal.Line if chart.lines else pygal.HorizontalBar
    picture = kind(
        style=STYLE,
        js=[],
        title=chart.title,
        logarithmic=chart.logarithmic,
        show_legend=len(chart.series) > 1,
        legend_at_bottom=True,
        width=900,
        height=500 if chart.lines else 160 + 60 * len(chart.labels) * len(chart.series),
        print_values=not chart.lines,
        value_formatter=lambda value: f"{value:,.4g}",
        dots_size=2,
        no_data_text="",
        disable_xml_declaration=True,
        x_labels_major_count=MANY_LABELS,
        show_minor_x_labels=len(chart.labels) <= MANY_LABELS,
    )
    picture.uuid = chart.name  # else a random one: a picture that changes with nothing in it
    picture.add_xml_filter(_without_scripts)
    picture.x_labels = chart.labels
    for name, values in chart.series.items():
        picture.add(name, values)
    (directory / f"{chart.name}.svg").write_text(picture.render(is_unicode=True) + "\n", encoding="utf-8")


def _without_scripts(root: Element) -> Element:
    for parent in list(root.iter()):
        for child in [child for child in parent if str(child.tag).endswith("script")]:
            parent.remove(child)
    return root
