"""Server-sent events: only what changed, merged for whoever is slow, resumed where it was broken off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from game_map import boards as module
from game_map.board import Blur, Board
from game_map.boards import Boards
from game_map.stream import Streams

Event = tuple[str, int, dict[str, Any]]


def made() -> tuple[Boards, Streams]:
    boards = Boards(Blur())
    return boards, Streams(boards, most=3, most_each=2)


async def told(events: AsyncIterator[bytes]) -> Event:
    """The next event of a stream: its name, its id, its data."""
    fields = dict(line.split(": ", 1) for line in (await anext(events)).decode().strip().split("\n"))
    return fields["event"], int(fields["id"]), orjson.loads(fields["data"])


async def begun(streams: Streams, last: int | None = None, address: str = "192.0.2.1") -> AsyncIterator[bytes]:
    events = streams.events(address, last)
    assert await anext(events) == b"retry: 2000\n\n"
    return events


def levels(event: Event) -> dict[str, int]:
    return {one["id"]: one["players"] for one in event[2]["levels"]}


def test_first_everything_then_what_changed() -> None:
    async def script() -> None:
        boards, streams = made()
        boards.publish(Board(10, players={"a": 1, "b": 2}))
        events = await begun(streams)
        first = await told(events)
        assert (first[0], first[1], levels(first), first[2]["total"]) == ("levels", 10, {"b": 2, "a": 1}, 3)

        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.01)
        assert not waiting.done(), "nothing is told before there is anything new"
        boards.publish(Board(11, as_of=9, players={"a": 1, "b": 3}))
        event = (await waiting).decode()
        assert event.startswith("id: 11\nevent: changes\ndata: {")
        assert '"levels":[{"id":"b","players":3}]' in event

    asyncio.run(script())


def test_whoever_is_slow_is_told_all_of_it_at_once() -> None:
    async def script() -> None:
        boards, streams = made()
        boards.publish(Board(10, players={"a": 1, "b": 1, "c": 1}))
        events = await begun(streams)
        await told(events)
        for version in range(11, 60):
            boards.publish(Board(version, players={"a": version, "b": 1, "c": 0}))
        event = await told(events)
        assert (event[0], event[1], levels(event)) == ("changes", 59, {"a": 59, "c": 0})

    asyncio.run(script())


@pytest.mark.parametrize(("last", "kind"), [(10, "changes"), (9, "levels"), (99, "levels"), (0, "levels")])
def test_whoever_comes_back_is_told_the_difference_if_it_is_known(last: int, kind: str) -> None:
    async def script() -> None:
        boards, streams = made()
        boards.publish(Board(10, players={"a": 1, "b": 2}))
        boards.publish(Board(11, players={"a": 5, "b": 2}))
        event = await told(await begun(streams, last))
        assert (event[0], event[1]) == (kind, 11)
        assert levels(event) == ({"a": 5} if kind == "changes" else {"a": 5, "b": 2})

    asyncio.run(script())


def test_a_board_that_is_kept_no_more_means_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)

    async def script() -> None:
        boards, streams = made()
        for version in (10, 11, 12):
            boards.publish(Board(version, players={"a": version}))
        assert (await told(await begun(streams, 10)))[0] == "levels"
        assert (await told(await begun(streams, 11)))[0] == "changes"

    asyncio.run(script())


def test_versions_rise_whatever_the_clock_does() -> None:
    async def script() -> None:
        boards, streams = made()
        boards.publish(Board(10, players={"a": 1}))
        events = await begun(streams)
        await told(events)
        boards.publish(Board(7, players={"a": 2}))  # a look that took long, or a clock that was set back
        event = await told(events)
        assert (event[0], event[1], levels(event)) == ("changes", 11, {"a": 2})

    asyncio.run(script())


def test_streams_are_counted_while_they_are_open() -> None:
    async def script() -> None:
        boards, streams = made()
        boards.publish(Board(10))
        one, other = "192.0.2.1", "192.0.2.2"
        open_ones = [await begun(streams, address=address) for address in (one, one, other)]
        assert (streams.open, streams.are_full) == (3, True)
        assert (streams.are_full_of(one), streams.are_full_of(other)) == (True, False)
        await open_ones.pop(0).aclose()  # type: ignore[attr-defined] # it is a generator
        assert (streams.open, streams.are_full, streams.are_full_of(one)) == (2, False, False)
        for events in open_ones:
            await events.aclose()  # type: ignore[attr-defined] # it is a generator
        assert streams.open == 0

    asyncio.run(script())
