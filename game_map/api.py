"""The handlers of the API: what a request is answered, as `game_map.openapi` describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse

from game_map.answers import UnknownLevelError, encoded
from game_map.openapi import MOST_HISTORY_MINUTES, MOST_MINUTES, described
from game_map.ranges import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from game_map.boards import Boards
    from game_map.ops import Ops
    from game_map.past import Past
    from game_map.stream import Streams

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
    ops: Ops | None = None

    async def levels(self, request: Request) -> Response:
        """All levels that have players."""
        return self._answer(request, self.boards.newest.levels, ("levels", 0))

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
        return self._answer(request, lambda: self.boards.newest.transitions(minutes), ("transitions", minutes))

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
        if self.streams.are_full_of(request.state.address):
            raise HTTPException(429, "Too many streams are open to this address.", {"Retry-After": "10"})
        if self.streams.are_full:
            raise HTTPException(503, "So many streams are open that one more is too many.", {"Retry-After": "10"})
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=STREAMED)
        last = _last_event(request.headers.get("last-event-id", ""))
        events = self.streams.events(request.state.address, last)
        return StreamingResponse(events, media_type="text/event-stream", headers=STREAMED)

    async def openapi(self, _: Request) -> Response:
        """The description of all this."""
        return JSONResponse(described(ops=self.ops is not None))

    async def costs(self, _: Request) -> Response:
        """What operators see; no cache may keep it."""
        told = self.ops.told(self.boards.newest.board) if self.ops else None
        if told is None:
            raise HTTPException(503, "The services' rows have not been read twice yet.", {"Retry-After": "10"})
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    def _answer(
        self, request: Request, body: Callable[[], dict[str, Any]], kept_as: tuple[str, int] | None = None
    ) -> Response:
        if self.boards.is_empty:
            raise HTTPException(503, "The tables have not been read yet.", {"Retry-After": "1"})
        content, tag = encoded(body()) if kept_as is None else self.boards.encoded(kept_as, body)
        return _told(request, content, tag, CACHED)


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
