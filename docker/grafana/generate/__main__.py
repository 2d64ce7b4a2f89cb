"""Writes each dashboard into ``dashboards/``, or into the directory that is the only argument."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from . import consumer, cost, game_map, level_aggregator, overview, pruner

PAGES = (overview, consumer, level_aggregator, pruner, game_map, cost)


def main(directory: Path) -> None:
    """One file per page, named as its module."""
    for page in PAGES:
        name = page.__name__.rpartition(".")[2]
        text = json.dumps(page.dashboard().build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "dashboards")
