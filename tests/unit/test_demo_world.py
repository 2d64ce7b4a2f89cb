"""The demo's players and the events they send."""

import warnings
from collections import Counter, defaultdict
from itertools import pairwise

from headcount.demo.tsv import APP_ID, OTHER_APP_ID, Event, Kind, templates
from headcount.demo.world import MAX_DELAY_MS, World

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # an escape sequence in the SDK, seen when it is first compiled
    from snowplow_analytics_sdk.event_transformer import transform

START = 1_760_000_000_000
CONTEXT = "contexts_com_codecombat_level_context_1"


def play(world: World, seconds: int = 90, rate: int = 300) -> list[Event]:
    return [e for tick in range(seconds * 10) for e in world.tick(START + tick * 100, rate // 10)]


def silences(events: list[Event]) -> dict[str, list[int]]:
    times = defaultdict(list)
    for event in events:
        if event.kind is Kind.LEVEL and event.player:
            times[event.player].append(event.at)
    return {p: [b - a for a, b in pairwise(at)] for p, at in times.items()}


def test_same_seed_and_ticks_give_the_same_events() -> None:
    assert play(World(50, 8, 7), 20) == play(World(50, 8, 7), 20)
    assert play(World(50, 8, 7), 20) != play(World(50, 8, 8), 20)


def test_templates_are_whole_events_of_several_types() -> None:
    assert {len(row) for row in templates()} == {131}
    assert len({row[126] for row in templates()}) >= 5


def test_lines_say_what_the_event_says() -> None:
    for event in play(World(50, 8, 7), 10):
        seen = transform(event.line.decode())
        context = seen.get(CONTEXT, [{}])[0]
        assert seen["app_id"] == event.app_id == (OTHER_APP_ID if event.kind is Kind.OTHER_APP else APP_ID)
        assert seen["collector_tstamp"].endswith(f".{event.at % 1000:03d}Z")
        assert (CONTEXT in seen) == (event.kind is not Kind.NO_CONTEXT)
        assert context.get("user_id") == event.player
        assert context.get("level_slug") == event.level
        if event.kind is Kind.LEVEL:
            assert len(context["user_id"]) == len(context["level_session"]) == 24
            assert context["level_name"]
            assert context["world_name"]


def test_every_kind_occurs_and_level_events_are_most() -> None:
    kinds = Counter(event.kind for event in play(World(200, 20, 7)))
    assert set(kinds) == set(Kind)
    assert 0.75 < kinds[Kind.LEVEL] / kinds.total() < 0.85


def test_keys_are_random_by_default_and_the_browser_if_asked_for() -> None:
    assert len({e.partition_key for e in play(World(20, 5, 7, duplicates=0), 5)}) == 1500
    for event in play(World(20, 5, 7, stable_keys=True), 5):
        assert transform(event.line.decode())["domain_userid"] == event.partition_key


def test_a_tick_yields_what_was_asked_for_in_order_of_time() -> None:
    world = World(100, 5, 7, disorder=0, duplicates=0)
    events = play(world, 30)
    assert len(events) == 9000
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert world.tick(START, 3)[0].at == START + 29_900, "the wall clock was set back"


def test_nobody_is_in_two_levels_in_one_millisecond() -> None:
    places = defaultdict(set)
    for event in play(World(30, 20, 7), 10, rate=3000):
        if event.kind is Kind.LEVEL:
            places[event.player, event.at].add(event.level)
    assert max(map(len, places.values())) == 1


def test_some_events_are_delayed_and_some_repeated() -> None:
    events = play(World(100, 5, 7))
    delayed = [e.delay_ms for e in events if e.delay_ms]
    assert 0 < max(delayed) <= MAX_DELAY_MS
    assert 0.01 < len(delayed) / len(events) < 0.03
    assert 0.005 < 1 - len({e.line for e in events}) / len(events) < 0.015


def test_levels_fill_unevenly_along_the_campaign() -> None:
    world = World(500, 20, 7)
    play(world)
    at = Counter(e.level for e in world.tick(START + 90_000, 2000) if e.kind is Kind.LEVEL)
    assert len(at) >= 15
    assert max(at.values()) > 4 * min(at.values())


def test_some_fall_silent_long_enough_to_leave_and_some_of_them_return() -> None:
    events = play(World(500, 20, 7))
    end = START + 90_000
    last = {e.player: e.at for e in events if e.kind is Kind.LEVEL}
    assert sum(at < end - 70_000 for at in last.values()) >= 5
    assert sum(max(gaps, default=0) > 70_000 for gaps in silences(events).values()) >= 3


def test_dwell_and_silence_scale_with_the_idle_timeout() -> None:
    slow, fast = (play(World(50, 20, 7, timeout, duplicates=0)) for timeout in (300, 20))
    assert moves(slow) * 5 < moves(fast)


def moves(events: list[Event]) -> int:
    where: dict[str | None, str | None] = {}
    changes = 0
    for event in events:
        if event.kind is Kind.LEVEL:
            changes += where.get(event.player, event.level) != event.level
            where[event.player] = event.level
    return changes


def test_a_long_campaign_has_every_slug_once() -> None:
    slugs = [level.slug for level in World(1, 130, 7).levels]
    assert len(set(slugs)) == 130
    assert slugs[0] == "dungeons-of-kithgard"
