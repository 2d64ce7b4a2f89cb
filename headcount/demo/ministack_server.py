"""MiniStack's main, mended where MiniStack 1.5.33 does other than AWS does.

What a PartiQL UPDATE changes is told to the table's stream: MiniStack tells it of every other write, but not of this
one (`_partiql_update` of its DynamoDB), and players' moves are written so (ADR 11).

What a subscription to a shard has to push comes in events of a bearable size: MiniStack puts all there is since the
last push into one, which may be the whole of a backlog and more than its receiver's memory; AWS pushes 2 MB a second.

`tests/contract/test_table_stream.py` and `tests/integration/test_fan_out.py` fail once this no longer fits a newer
version.
"""

# ruff: noqa: SLF001 - there is no public place to mend it at

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import cbor2
import orjson
from ministack.app import main
from ministack.services import dynamodb, kinesis

RECORDS_A_PUSH = 500
_OK = 200
_message: Callable[[dict[str, str], bytes], bytes] = kinesis._eventstream_message
_update = dynamodb._partiql_update


def _update_and_tell(table: Any, parsed: Any, data: Any = None) -> Any:
    partition_key, sort_key, _, error = dynamodb._partiql_key_target(table, parsed)
    before = None if error else deepcopy(table["items"].get(partition_key, {}).get(sort_key))
    answer = _update(table, parsed, data)
    if answer[0] == _OK:
        after = table["items"][partition_key][sort_key]
        dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)
    return answer


def _messages(headers: dict[str, str], payload: bytes) -> bytes:
    """One event, or as many of them as its records need, one after the other as the protocol lets them come."""
    if headers.get(":event-type") != "SubscribeToShardEvent":
        return _message(headers, payload)
    is_cbor = "cbor" in headers[":content-type"]
    event = cbor2.loads(payload) if is_cbor else orjson.loads(payload)
    records = event["Records"]
    messages = []
    for part in (records[start : start + RECORDS_A_PUSH] for start in range(0, len(records), RECORDS_A_PUSH)):
        pushed = event | {"Records": part, "ContinuationSequenceNumber": part[-1]["SequenceNumber"]}
        messages.append(_message(headers, cbor2.dumps(pushed) if is_cbor else orjson.dumps(pushed)))
    return b"".join(messages) or _message(headers, payload)


if __name__ == "__main__":
    kinesis._eventstream_message = _messages
    dynamodb._partiql_update = _update_and_tell
    main()
