"""The page at `/` and its API over HTTP; `game_map.openapi` describes that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from game_map.answers import UnknownLevelError, encoded
from game_map.guard import Guard
from game_map.openapi import DESCRIPTION, MOST_HISTORY_MINUTES, MOST_MINUTES
from game_map.pages import Page, layout
from game_map.ranges import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from game_map.boards import Boards
    from game_map.limits import Limits
    from game_map.past import Past
    from game_map.stream import Streams
    from headcount.settings import Settings

DEFAULT_MINUTES, DEFAULT_HISTORY_MINUTES = 5, 60
LONGEST_VERSION = 16  # digits
# A copy in a CDN may be shown for a second; one that is a little older while a new one is fetched.
CACHED = "public, max-age=1, stale-while-revalidate=5"
UNKNOWN = "LevelState has no such level: nobody has ever been in it."
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Api:
    """The handlers of the routes."""

    boards: Boards
    streams: Streams
    past: Past
    own_layout: Response

    async def levels(self, request: Request) -> Response:
        """All levels that have players."""
        return self._answer(request, self.boards.newest.levels)

    async def level(self, request: Request) -> Response:
        """One level."""
        level, minutes = request.path_params["id"], _minutes(request)
        try:
            return self._answer(request, lambda: self.boards.newest.level(level, minutes))
        except UnknownLevelError:
            raise HTTPException(404, UNKNOWN) from None

    async def transitions(self, request: Request) -> Response:
        """Moves of the last minutes."""
        minutes = _minutes(request)
        return self._answer(request, lambda: self.boards.newest.transitions(minutes))

    async def history(self, request: Request) -> Response:
        """Averages of minutes: of one level, or of all that had players."""
        level = _once(request, "level")
        minutes = _minutes(request, DEFAULT_HISTORY_MINUTES, MOST_MINUTES if level is None else MOST_HISTORY_MINUTES)
        if self.past.is_empty:
            raise HTTPException(503, "The history has not been read yet.", {"Retry-After": "1"})
        try:
            told = await (self.past.all(minutes) if level is None else self.past.level(level, minutes))
        except UnknownLevelError:
            raise HTTPException(404, UNKNOWN) from None
        except UnreadableError as error:
            raise HTTPException(503, str(error), {"Retry-After": "5"}) from error
        return _told(request, told.content, told.tag, f"public, max-age={told.seconds}, stale-while-revalidate=5")

    async def stream(self, request: Request) -> Response:
        """Server-sent events."""
        if self.streams.is_full:
            raise HTTPException(503, "So many streams are open that one more is too many.", {"Retry-After": "10"})
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=STREAMED)
        last = _last_event(request.headers.get("last-event-id", ""))
        return StreamingResponse(self.streams.events(last), media_type="text/event-stream", headers=STREAMED)

    async def layout(self, _: Request) -> Response:
        """Where levels shall lie, as far as somebody has said so."""
        return self.own_layout

    async def openapi(self, _: Request) -> Response:
        """The description of all this."""
        return JSONResponse(DESCRIPTION)

    def _answer(self, request: Request, body: Callable[[], dict[str, Any]]) -> Response:
        if self.boards.is_empty:
            raise HTTPException(503, "The tables have not been read yet.", {"Retry-After": "1"})
        return _told(request, *encoded(body()), CACHED)


def make_app(settings: Settings, boards: Boards, streams: Streams, limits: Limits, past: Past) -> Starlette:
    """The application; to be run in the event loop that ``boards`` are published in.

    Raises `UnavailableError` where the map's own layout can't be used.
    """
    api = Api(boards, streams, past, layout(settings.map_layout))
    routes = [
        Route("/api/levels", api.levels),
        Route("/api/levels/{id:path}", api.level),
        Route("/api/transitions", api.transitions),
        Route("/api/history", api.history),
        Route("/api/stream", api.stream),
        Route("/api/layout", api.layout),
        Route("/api/openapi.json", api.openapi),
        Mount("/", Page()),
    ]
    middleware = [Middleware(Guard, limits=limits, proxies=settings.map_proxies, now=time.monotonic)]
    if settings.map_origins:
        origins = sorted(settings.map_origins)
        middleware.append(Middleware(CORSMiddleware, allow_origins=origins, allow_headers=["Last-Event-ID"]))
    return Starlette(routes=routes, middleware=middleware, exception_handlers={HTTPException: _refused})


async def _refused(_: Request, error: Exception) -> Response:
    """An error as JSON: what is wrong, for a person."""
    if not isinstance(error, HTTPException):
        raise error
    headers = {**(error.headers or {}), "Cache-Control": "no-store"}
    return JSONResponse({"error": error.detail}, error.status_code, headers)


def _told(request: Request, content: bytes, tag: str, cached: str) -> Response:
    """A body; nothing, where the client has it."""
    headers = {"Cache-Control": cached, "ETag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def _minutes(request: Request, default: int = DEFAULT_MINUTES, most: int = MOST_MINUTES) -> int:
    text = _once(request, "minutes")
    if text is None:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_number or not 1 <= int(text) <= most:
        raise HTTPException(400, f"minutes must be a whole number from 1 to {most}.")
    return int(text)


def _once(request: Request, name: str) -> str | None:
    """A parameter of the query."""
    told = request.query_params.getlist(name)
    if len(told) > 1:  # a proxy might heed another one than we do
        raise HTTPException(400, f"{name} must be given once.")
    return told[0] if told else None


def _last_event(text: str) -> int | None:
    """The id of the last event that a client was told; one that is no id of ours is as good as none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_VERSION else None
