"""MiniStack's main, mended: what a PartiQL UPDATE changes is told to the table's stream, as AWS does.

MiniStack 1.5.33 tells it of every other write, but not of this one (`_partiql_update` of its DynamoDB), and players'
moves are written so (ADR 11). `tests/contract/test_table_stream.py` fails once this no longer fits a newer version.
"""

# ruff: noqa: SLF001 - there is no public place to mend it at

from copy import deepcopy
from typing import Any

from ministack.app import main
from ministack.services import dynamodb

_OK = 200
_update = dynamodb._partiql_update


def _update_and_tell(table: Any, parsed: Any, data: Any = None) -> Any:
    partition_key, sort_key, _, error = dynamodb._partiql_key_target(table, parsed)
    before = None if error else deepcopy(table["items"].get(partition_key, {}).get(sort_key))
    answer = _update(table, parsed, data)
    if answer[0] == _OK:
        after = table["items"][partition_key][sort_key]
        dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)
    return answer


if __name__ == "__main__":
    dynamodb._partiql_update = _update_and_tell
    main()
