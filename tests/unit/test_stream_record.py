"""A record of PlayerState's stream, as the adapter hands it over."""

import orjson
import pytest

from headcount.model import PlayerChange, PlayerRow
from level_aggregator.stream_record import read_change

OLD = {"playerId": {"S": "ann"}, "levelId": {"S": "a"}, "lastUpdated": {"N": "1"}}
NEW = {"playerId": {"S": "ann"}, "levelId": {"S": "b/ü"}, "lastUpdated": {"N": "1700000000123"}}
BEFORE, AFTER = PlayerRow("a", 1), PlayerRow("b/ü", 1_700_000_000_123)


@pytest.mark.parametrize(
    ("images", "change"),
    [
        ({"OldImage": {}, "NewImage": NEW}, PlayerChange(None, AFTER)),
        ({"NewImage": NEW}, PlayerChange(None, AFTER)),
        ({"OldImage": OLD, "NewImage": NEW}, PlayerChange(BEFORE, AFTER)),
        ({"OldImage": OLD, "NewImage": {}}, PlayerChange(BEFORE, None)),
        ({"OldImage": OLD, "NewImage": None}, PlayerChange(BEFORE, None)),
        ({}, PlayerChange(None, None)),
    ],
)
def test_images_are_rows_and_empty_ones_none(images: dict[str, object], change: PlayerChange) -> None:
    record = {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "1", **images}}

    assert read_change(orjson.dumps(record)) == change


@pytest.mark.parametrize("data", [b"", b"x", b"[]", b"{}", b'{"dynamodb": {"NewImage": {"a": {"S": "b"}}}}'])
def test_what_is_no_record_of_player_state_raises(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        read_change(data)
