"""What stands before every answer: a limit per address, bounded requests, headers that browsers heed."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from game_map.limits import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from game_map.limits import Limits

LONGEST_URL = 2048  # bytes, path and query, as they came
LONGEST_HEADERS = 16_384  # bytes
VERSIONS = {"1.0", "1.1", "2"}
SECURE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware; ``proxies``: how many of our own stand before us. Leaves the ``address`` in the state."""

    def __init__(self, app: ASGIApp, limits: Limits, proxies: int, now: Callable[[], float]) -> None:
        self._app, self._limits, self._proxies, self._now = app, limits, proxies, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURE)
            await send(message)

        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = ", ".join(Headers(scope=scope).getlist("x-forwarded-for"))
        address = client(peer, forwarded, self._proxies)
        scope.setdefault("state", {})["address"] = address
        refusal = self._refusal(scope, address)
        await (refusal or self._app)(scope, receive, secured)

    def _refusal(self, scope: Scope, address: str) -> JSONResponse | None:
        wait = self._limits.wait(address, self._now())
        if wait:
            return _refused(429, "Too many requests from this address.", {"Retry-After": str(ceil(wait))})
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:
            return _refused(414, f"A URL is of {LONGEST_URL} bytes at most.", {})
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEADERS:
            return _refused(431, f"All headers together are of {LONGEST_HEADERS} bytes at most.", {})
        if scope["http_version"] not in VERSIONS:
            return _refused(400, "This speaks HTTP/1.1.", {})
        return None


def _refused(code: int, why: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({"error": why}, code, {**headers, "Cache-Control": "no-store"})
