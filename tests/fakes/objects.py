"""One S3 bucket in memory: objects that are put on a condition."""

import hashlib
import io
from typing import Any

from botocore.exceptions import ClientError


class MemoryObjects:
    """As much of the client as ``tests/contract/test_publication.py`` asks for.

    ``puts``: all that was put, by key, in order. ``refused_puts``: which tries are refused, counted as `puts` is.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}
        self.puts: list[tuple[str, bytes]] = []
        self.refused_puts: set[int] = set()

    def create_bucket(self, *, Bucket: str) -> None:  # noqa: N803 (AWS's names)
        """All are there already."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 (AWS's names)
        """The newest."""
        try:
            found = self.kept[Bucket, Key]
        except KeyError:
            raise _refused("NoSuchKey") from None
        return {**found, "Body": io.BytesIO(found["Body"])}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803 (AWS's names)
        Key: str,  # noqa: N803 (AWS's names)
        Body: bytes,  # noqa: N803 (AWS's names)
        IfMatch: str | None = None,  # noqa: N803 (AWS's names)
        IfNoneMatch: str | None = None,  # noqa: N803 (AWS's names)
        **told: str,
    ) -> dict[str, str]:
        """Put it, if it still is what the condition says."""
        if len(self.puts) in self.refused_puts:
            self.refused_puts = set()
            raise _refused("SlowDown")
        there = self.kept.get((Bucket, Key))
        if IfMatch is not None and there is None:
            raise _refused("NoSuchKey")
        if there is not None and (IfNoneMatch == "*" or (IfMatch is not None and there["ETag"] != IfMatch)):
            raise _refused("PreconditionFailed")
        tag = f'"{hashlib.md5(Body, usedforsecurity=False).hexdigest()}"'
        self.puts.append((Key, Body))
        self.kept[Bucket, Key] = {"Body": Body, "ETag": tag, **told}
        return {"ETag": tag}


def _refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "refused"}}, "Call")
