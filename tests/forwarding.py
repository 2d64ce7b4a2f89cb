"""What proxies before an emulator have in common: whose call it is, and how it is passed on."""

import json
import logging
import re
import socket
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from tests.integration.calls import Call

_SIGNED_BY = re.compile(r"Credential=([^/,]+)/[^/,]+/[^/,]+/([^/,]+)/")
# What speaks of one connection, and what each side says anew of a body that is whole.
_NOT_PASSED_ON = {"connection", "keep-alive", "upgrade", "transfer-encoding", "content-length", "host", "expect"}

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per call would hide what a test has to say


def listening() -> tuple[socket.socket, str]:
    """A socket on a port of this machine, and its address as an endpoint; who comes before it is served waits."""
    own = socket.socket()
    own.bind(("127.0.0.1", 0))
    own.listen(128)
    return own, f"http://127.0.0.1:{own.getsockname()[1]}"


def call_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """What a request asks for. Its access key id is taken for its service's name.

    ``path``: with its query; ``headers``: lower-case names.
    """
    signed = _SIGNED_BY.search(headers.get("authorization", ""))
    service, api = signed.groups() if signed else ("nobody", "unsigned")
    target = headers.get("x-amz-target")
    if target is None:  # a body is then no call's parameters, but an object of S3's
        return Call(service, f"{api}:{method} {path}", {})
    content: dict[str, Any] = json.loads(body) if "json" in headers.get("content-type", "") else {}
    return Call(service, target, content)


def passed_on(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that are for the other side, too."""
    return [(name, value) for name, value in headers if name.lower() not in _NOT_PASSED_ON]


def client_of(upstream: str) -> httpx.AsyncClient:
    """Speaks to the emulator; gives connections up long before the emulator does."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=1)
    own = {"accept-encoding": "identity"}
    return httpx.AsyncClient(base_url=upstream, headers=own, limits=limits, timeout=30, trust_env=False)
