"""Rows that somebody else wrote."""

import pytest

from headcount.explain import shown
from headcount.model import PlayerRow
from headcount.tables import MalformedRowError, parsed


def _row(item: dict[str, dict[str, str]]) -> PlayerRow:
    return PlayerRow(item["levelId"]["S"], int(item["lastUpdated"]["N"]))


@pytest.mark.parametrize(
    "item",
    [
        {"playerId": {"S": "secret"}},
        {"playerId": {"S": "secret"}, "levelId": {"S": "a"}, "lastUpdated": {"N": "1.5"}},
        {"playerId": {"S": "secret"}, "levelId": {"S": "a"}, "lastUpdated": {"S": "now"}},
    ],
)
def test_the_table_and_the_attributes_are_named_and_no_player(item: dict[str, dict[str, str]]) -> None:
    with pytest.raises(MalformedRowError) as raised:
        parsed("PlayerState", item, _row)
    assert "PlayerState" in str(raised.value)
    assert "playerId" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_time_beyond_the_calendar_is_shown_as_what_it_is() -> None:
    assert "99999999999999999 ms" in shown(99_999_999_999_999_999)
