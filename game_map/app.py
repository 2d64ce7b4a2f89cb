"""The page at `/`, its API, and what operators see at `/ops`, over HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from game_map.guard import Guard
from game_map.pages import Page, layout, of_operators

if TYPE_CHECKING:
    from starlette.requests import Request

    from game_map.api import Api
    from game_map.limits import Limits
    from headcount.settings import Settings


def make_app(settings: Settings, api: Api, limits: Limits) -> Starlette:
    """The application; to be run in the event loop that the boards of ``api`` are published in.

    Raises `UnavailableError` where the map's own layout can't be used.
    """
    routes = [
        Route("/api/levels", api.levels),
        Route("/api/levels/{id:path}", api.level),
        Route("/api/transitions", api.transitions),
        Route("/api/history", api.history),
        Route("/api/stream", api.stream),
        Route("/api/layout", layout(settings.map_layout)),
        Route("/api/openapi.json", api.openapi),
        *([Route("/api/ops", api.costs), *of_operators()] if api.ops is not None else []),
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
