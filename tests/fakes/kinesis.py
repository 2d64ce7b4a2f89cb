"""A Kinesis stream that takes records, or not, as it is told. Stands for boto3's client."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from mypy_boto3_kinesis import KinesisClient

from headcount.dead_letters.redrive import MOST_BYTES, MOST_RECORDS

Refuse = Callable[[int, bytes], str | None]


def everything_taken(_request: int, _data: bytes) -> str | None:
    """No error."""
    return None


class FakeKinesis:
    """``refuse``: by the request's number and the record's bytes, the error code with which it is not taken."""

    def __init__(self, refuse: Refuse = everything_taken) -> None:
        self.taken: list[bytes] = []
        self.requests: list[int] = []
        self.hash_keys: list[int] = []
        self._refuse = refuse

    @property
    def client(self) -> KinesisClient:
        """As the code expects it."""
        return cast("KinesisClient", self)

    def put_records(self, *, StreamName: str, Records: Sequence[Any]) -> Any:  # noqa: N803 (boto3's names)
        """As the real one, its limits included."""
        assert StreamName == "events"
        assert 1 <= len(Records) <= MOST_RECORDS
        size = sum(len(one["Data"]) + len(one["PartitionKey"]) for one in Records)
        assert size <= MOST_BYTES or len(Records) == 1
        self.requests.append(len(Records))
        answers = []
        for one in Records:
            code = self._refuse(len(self.requests), one["Data"])
            if code is None:
                self.taken.append(one["Data"])
                self.hash_keys.append(int(one["ExplicitHashKey"]))
                answers.append({"SequenceNumber": str(len(self.taken)), "ShardId": "shardId-000000000000"})
            else:
                answers.append({"ErrorCode": code, "ErrorMessage": "no"})
        return {"Records": answers, "FailedRecordCount": sum("ErrorCode" in answer for answer in answers)}
