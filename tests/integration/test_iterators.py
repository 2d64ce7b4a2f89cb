"""Whose an iterator is that a call carries; needs no emulator."""

from tests.integration.calls import Call
from tests.integration.iterators import Iterators

STREAMS = "DynamoDBStreams_20120810"


def test_an_iterator_is_of_the_stream_that_it_was_got_for() -> None:
    """Also the one that reading by it gives, to go on with."""
    iterators = Iterators()
    for table in ("players", "moves"):
        got = Call("game_map", f"{STREAMS}.GetShardIterator", {"StreamArn": table})
        iterators.learn(iterators.resolved(got), f'{{"ShardIterator": "{table} 1"}}'.encode())
        read = iterators.resolved(_reading_by(f"{table} 1"))
        iterators.learn(read, f'{{"Records": [], "NextShardIterator": "{table} 2"}}'.encode())
    known = ("players 1", "players 2", "moves 1", "moves 2")
    found = [iterators.resolved(_reading_by(iterator)).body["StreamArn"] for iterator in known]
    assert found == ["players", "players", "moves", "moves"]


def test_calls_that_are_none_of_a_tables_stream_stay_as_they_are() -> None:
    iterators = Iterators()
    got = Call("game_map", f"{STREAMS}.GetShardIterator", {"StreamArn": "moves"})
    iterators.learn(got, b'{"ShardIterator": "i"}')
    of_kinesis = Call("consumer", "Kinesis_20131202.GetRecords", {"ShardIterator": "i"})
    assert iterators.resolved(of_kinesis) == of_kinesis
    assert iterators.resolved(_reading_by("another")) == _reading_by("another")


def _reading_by(iterator: str) -> Call:
    return Call("game_map", f"{STREAMS}.GetRecords", {"ShardIterator": iterator})
