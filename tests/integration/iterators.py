"""Which table's stream a shard iterator is of: AWS knows, a call that carries one does not say (pure)."""

import json
from dataclasses import replace

from tests.integration.calls import Call

_API = "DynamoDBStreams_"
_GIVEN = ("ShardIterator", "NextShardIterator")  # by GetShardIterator, by GetRecords


class Iterators:
    """Learns iterators from answers, and puts the stream that they are of into calls."""

    def __init__(self) -> None:
        self._streams: dict[str, str] = {}  # ARN by iterator

    def resolved(self, call: Call) -> Call:
        """``call``, with a ``StreamArn`` where it has but an iterator that was learnt."""
        arn = self._streams.get(call.body.get("ShardIterator", "")) if call.target.startswith(_API) else None
        return call if arn is None else replace(call, body={**call.body, "StreamArn": arn})

    def learn(self, call: Call, answer: bytes) -> None:
        """The iterator that ``answer`` gives, if it does, to go on with in the stream of the resolved ``call``."""
        arn = call.body.get("StreamArn")
        if call.target.startswith(_API) and arn is not None:
            told = json.loads(answer)
            self._streams.update({told[name]: arn for name in _GIVEN if told.get(name)})
