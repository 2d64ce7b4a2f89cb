"""``python -m headcount cost``."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer
from rich.console import Console

from headcount.cost.load import ImpossibleLoadError, Load, Pace
from headcount.cost.parts import Choices
from headcount.cost.prices import load_prices
from headcount.cost.report import Comparison, as_json, markdown, table
from headcount.environment import load_settings
from headcount.settings import MOST_SECONDS

# Beyond these no game is, and the formulae lose themselves in rounding.
_LEAST, _MOST_EVENTS, _MOST_PLAYERS, _MOST_LEVELS, _MOST_SHARDS = 1e-6, 1e9, 10**12, 10**6, 10**6
_MOST_EVENTS_PER_MINUTE, _MOST_EVENTS_PER_LEVEL = 6000, 1e9
_MOST_KILOBYTES = 10_240  # of a record in Kinesis


def cost(
    *,
    events_per_second: Annotated[float, typer.Option(min=_LEAST, max=_MOST_EVENTS, help="Of all kinds, on average.")],
    players: Annotated[int, typer.Option(min=1, max=_MOST_PLAYERS, help="In PlayerState at a time.")],
    levels: Annotated[int, typer.Option(min=2, max=_MOST_LEVELS, help="Of the game.")] = 200,
    shards: Annotated[
        int, typer.Option(min=0, max=_MOST_SHARDS, help="Of the events' stream; 0: as many as the events need.")
    ] = 0,
    stable_keys: Annotated[
        bool, typer.Option("--stable-keys/--random-keys", help="How Enrich partitions: by player, or at random.")
    ] = False,
    refresh: Annotated[
        float | None,
        typer.Option(min=_LEAST, max=MOST_SECONDS, help="Seconds; else as HEADCOUNT_REFRESH_SECONDS is set."),
    ] = None,
    level_share: Annotated[float, typer.Option(min=_LEAST, max=1, help="Of the events, that are level events.")] = 0.6,
    events_per_minute_and_player: Annotated[
        float,
        typer.Option(
            min=0,
            max=_MOST_EVENTS_PER_MINUTE,
            help="Level events of one who plays; 0: what there is, over all players.",
        ),
    ] = 0,
    events_per_level: Annotated[
        float, typer.Option(min=1, max=_MOST_EVENTS_PER_LEVEL, help="Level events from coming to moving on.")
    ] = 100,
    session_minutes: Annotated[
        float, typer.Option(min=_LEAST, help="From coming to leaving; inf: nobody leaves.")
    ] = 30,
    hot_level_share: Annotated[
        float, typer.Option(min=0, max=0.99, help="Of the players, in the fullest level.")
    ] = 0.2,
    event_kilobytes: Annotated[
        float, typer.Option(min=_LEAST, max=_MOST_KILOBYTES, help="Of an enriched event.")
    ] = 1.9,
    stream_shards: Annotated[
        int, typer.Option(min=1, max=_MOST_SHARDS, help="Of PlayerState's stream: one per partition.")
    ] = 4,
    fan_out: Annotated[bool, typer.Option("--fan-out", help="With enhanced fan-out for the consumer.")] = False,
    game_map: Annotated[bool, typer.Option("--map", help="With the game map, its history among it.")] = False,
    x86: Annotated[bool, typer.Option("--x86", help="Tasks on x86 instead of ARM.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Sums only.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """What a game costs in AWS a month, beside the tutorial's design of one write per event; see docs/cost.md."""
    pace = Pace.of(load_settings(), refresh)
    try:
        load = Load(
            events_per_second=events_per_second,
            players=players,
            levels=levels,
            shards=shards,
            level_share=level_share,
            events_per_level=events_per_level,
            events_per_minute_and_player=events_per_minute_and_player,
            session_minutes=session_minutes,
            hot_level_share=hot_level_share,
            event_kilobytes=event_kilobytes,
            stable_keys=stable_keys,
            stream_shards=stream_shards,
        )
    except ImpossibleLoadError as error:
        raise typer.BadParameter(str(error)) from None
    found = Comparison(load, pace, Choices(x86=x86, fan_out=fan_out, game_map=game_map), load_prices())
    console = Console()
    if as_data:
        sys.stdout.write(orjson.dumps(as_json(found)).decode() + "\n")
    elif console.is_terminal:
        console.print(table(found, brief=brief))
    else:
        sys.stdout.write(markdown(found, brief=brief))
