"""The API over HTTP: `/api/levels`, `/api/levels/{id}`, `/api/transitions`, `/api/stream`, `/api/openapi.json`.

For operators `/api/ops` and its page `/ops`, where that is set.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from game_map.answers import UnknownLevelError, encoded
from game_map.guard import Guard
from game_map.openapi import MOST_MINUTES, described

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from game_map.boards import Boards
    from game_map.limits import Limits
    from game_map.ops import Ops
    from game_map.stream import Streams
    from headcount.settings import Settings

PAGE = Path(__file__).with_name("page")
DEFAULT_MINUTES = 5
LONGEST_VERSION = 16  # digits
# A copy in a CDN may be shown for a second; one that is a little older while a new one is fetched.
CACHED = {"Cache-Control": "public, max-age=1, stale-while-revalidate=5"}
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Api:
    """The handlers of the routes."""

    boards: Boards
    streams: Streams
    ops: Ops | None = None

    async def levels(self, request: Request) -> Response:
        """All levels that have players."""
        return self._answer(request, self.boards.newest.levels)

    async def level(self, request: Request) -> Response:
        """One level."""
        level, minutes = request.path_params["id"], _minutes(request)
        try:
            return self._answer(request, lambda: self.boards.newest.level(level, minutes))
        except UnknownLevelError:
            raise HTTPException(404, "LevelState has no such level: nobody has ever been in it.") from None

    async def transitions(self, request: Request) -> Response:
        """Moves of the last minutes."""
        minutes = _minutes(request)
        return self._answer(request, lambda: self.boards.newest.transitions(minutes))

    async def stream(self, request: Request) -> Response:
        """Server-sent events."""
        if self.streams.is_full:
            raise HTTPException(503, "So many streams are open that one more is too many.", {"Retry-After": "10"})
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=STREAMED)
        last = _last_event(request.headers.get("last-event-id", ""))
        return StreamingResponse(self.streams.events(last), media_type="text/event-stream", headers=STREAMED)

    async def openapi(self, _: Request) -> Response:
        """The description of all this."""
        return JSONResponse(described(ops=self.ops is not None))

    async def costs(self, _: Request) -> Response:
        """What operators see; no cache may keep it."""
        told = self.ops.told(self.boards.newest.board) if self.ops else None
        if told is None:
            raise HTTPException(503, "The services' rows have not been read twice yet.", {"Retry-After": "10"})
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    def _answer(self, request: Request, body: Callable[[], dict[str, Any]]) -> Response:
        if self.boards.is_empty:
            raise HTTPException(503, "The tables have not been read yet.", {"Retry-After": "1"})
        content, tag = encoded(body())
        headers = {**CACHED, "ETag": tag}
        known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
        if tag in known or known == ["*"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)


def make_app(settings: Settings, boards: Boards, streams: Streams, limits: Limits, ops: Ops | None = None) -> Starlette:
    """The application; to be run in the event loop that ``boards`` are published in. ``ops``: where it is shown."""
    api = Api(boards, streams, ops)
    routes = [
        Route("/api/levels", api.levels),
        Route("/api/levels/{id:path}", api.level),
        Route("/api/transitions", api.transitions),
        Route("/api/stream", api.stream),
        Route("/api/openapi.json", api.openapi),
    ]
    if ops is not None:
        routes += [Route("/api/ops", api.costs), *map(_file, ("/ops", "/ops.css", "/ops.js"))]
    middleware = [Middleware(Guard, limits=limits, proxies=settings.map_proxies, now=time.monotonic)]
    if settings.map_origins:
        origins = sorted(settings.map_origins)
        middleware.append(Middleware(CORSMiddleware, allow_origins=origins, allow_headers=["Last-Event-ID"]))
    return Starlette(routes=routes, middleware=middleware, exception_handlers={HTTPException: _refused})


def _file(path: str) -> Route:
    file = PAGE / (path[1:] if "." in path else f"{path[1:]}.html")

    async def serve(_: Request) -> Response:
        return FileResponse(file, headers={"Cache-Control": "no-cache"})  # asked for anew, by its ETag

    return Route(path, serve)


async def _refused(_: Request, error: Exception) -> Response:
    """An error as JSON: what is wrong, for a person."""
    if not isinstance(error, HTTPException):
        raise error
    headers = {**(error.headers or {}), "Cache-Control": "no-store"}
    return JSONResponse({"error": error.detail}, error.status_code, headers)


def _minutes(request: Request) -> int:
    told = request.query_params.getlist("minutes")
    if len(told) > 1:  # a proxy might heed another one than we do
        raise HTTPException(400, "minutes must be given once.")
    text = told[0] if told else str(DEFAULT_MINUTES)
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_MINUTES))
    if not is_number or not 1 <= int(text) <= MOST_MINUTES:
        raise HTTPException(400, f"minutes must be a whole number from 1 to {MOST_MINUTES}.")
    return int(text)


def _last_event(text: str) -> int | None:
    """The id of the last event that a client was told; one that is no id of ours is as good as none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_VERSION else None
