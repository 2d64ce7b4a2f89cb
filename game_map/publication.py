"""The snapshots in S3: written once each, in order, whoever crashes or wakes up late.

Three objects. ``publication.json`` is the decision: the whole update and how far Transitions' stream was read for it,
put on the condition that it still is the one that was read. Whoever's put goes through owns the next update. Then the
two files are put, each on the condition that it still is what was there when the update was decided, so that one who
was held up in between can't put an old one over a newer one. After a crash in between, the next publisher finds the
decision and puts what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from game_map.snapshots import FILES, Position, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

DECISION = "publication.json"
_LOST = {"PreconditionFailed", "ConditionalRequestConflict"}  # of If-Match: another's put was before, or is under way
_ABSENT = {"NoSuchKey", "404"}


class OvertakenError(Exception):
    """Another replica has published meanwhile: nothing of what this one knows may be used any more."""


class MalformedPublicationError(Exception):
    """The bucket's ``publication.json`` was not written by Headcount; the message says what to do."""


@dataclass(frozen=True)
class Publication:
    """The newest decision: its number, the update, and how far the stream was read for it."""

    number: int
    snapshot: Snapshot
    position: Position


class Bucket:
    """The objects under ``prefix``, for one publisher. Methods raise botocore's errors once its retries are used up."""

    def __init__(self, client: S3Client, bucket: str, prefix: str, max_age: int) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._cached = f"public, max-age={max_age}"
        self._tags: dict[str, str | None] = {}  # of each object as this publisher knows it; None: it isn't there

    def newest(self) -> tuple[Publication | None, bool]:
        """The newest decision, with the two files put if they were not yet; and whether one was put.

        The files are read before the decision: what they are by then is not newer than it, and may be replaced.
        Raises `OvertakenError`.
        """
        there = {name: self._get(name) for name in FILES}
        found = self._get(DECISION)
        if found is None:
            return None, False
        publication = _parsed(self._bucket, found)
        late = [name for name in FILES if (there[name] or {}).get("update_id") != publication.snapshot.update_id]
        for name in late:
            self._put(name, publication.snapshot.files[name], self._cached)
        return publication, bool(late)

    def publish(self, publication: Publication) -> None:
        """Decide for ``publication``, the one after `newest`, and put the files. Raises `OvertakenError`."""
        self._put(DECISION, _told(publication), "no-store")
        for name, content in publication.snapshot.files.items():
            self._put(name, content, self._cached)

    def _get(self, name: str) -> dict[str, Any] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except ClientError as error:
            if _code(error) not in _ABSENT:
                raise
            self._tags[name] = None
            return None
        self._tags[name] = answer["ETag"]
        try:
            content = orjson.loads(answer["Body"].read())
        except orjson.JSONDecodeError:
            return {}
        return content if isinstance(content, dict) else {}

    def _put(self, name: str, content: Mapping[str, Any], cached: str) -> None:
        tag = self._tags[name]
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            answer = self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=orjson.dumps(content, option=orjson.OPT_INDENT_2),
                ContentType="application/json",
                CacheControl=cached,
                **condition,
            )
        except ClientError as error:
            if _code(error) in _LOST | _ABSENT:
                raise OvertakenError(name) from error
            raise
        self._tags[name] = answer["ETag"]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _told(publication: Publication) -> dict[str, Any]:
    snapshot, position = publication.snapshot, publication.position
    return {
        "number": publication.number,
        "update_id": snapshot.update_id,
        "made_at": snapshot.made_at,
        "levels": snapshot.levels,
        "transitions": snapshot.transitions,
        "stream": position.stream,
        "read": position.numbers,
        "finished": sorted(position.finished),
    }


def _parsed(bucket: str, found: Mapping[str, Any]) -> Publication:
    try:
        snapshot = Snapshot(
            str(found["update_id"]), int(found["made_at"]), dict(found["levels"]), dict(found["transitions"])
        )
        position = Position(str(found["stream"]), dict(found["read"]), frozenset(found["finished"]))
        return Publication(int(found["number"]), snapshot, position)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedPublicationError(
            f"{DECISION} in the S3 bucket {bucket} is not as Headcount writes it ({type(error).__name__} {error}). "
            "Mend or delete it; without it snapshots begin anew."
        ) from error
