"""Answers of AWS to a boto3 client, given before anything is sent."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

Answer = tuple[int, dict[str, Any]] | None  # status and body; None: none comes


class _Raw:
    """A body, as urllib3 hands it over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body


def play(client: BaseClient, *answers: Answer) -> list[dict[str, Any]]:
    """Have AWS give these answers, one per attempt; returns the list of what is asked, as it grows."""
    left = list(answers)
    asked: list[dict[str, Any]] = []

    def answer(request: AWSPreparedRequest, **_: object) -> Any:
        asked.append(json.loads(request.body if isinstance(request.body, str | bytes) else "{}"))
        given = left.pop(0)
        if given is None:
            raise ConnectionClosedError(endpoint_url="memory")
        status, body = given
        return AWSResponse(request.url, status, HTTPHeaders(), _Raw(json.dumps(body).encode()))

    client.meta.events.register("before-send", answer)
    return asked
