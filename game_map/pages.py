"""The pages: static files, small enough to be served without a build step, and a map's layout of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from headcount.aws import UnavailableError

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

PAGE, OPERATORS = Path(__file__).with_name("page"), Path(__file__).with_name("operators")
# Asked for again with the entity tag after a minute: whoever upgrades sees the new page soon.
CACHED = {"Cache-Control": "public, max-age=60"}
LARGEST_LAYOUT = 1_000_000  # bytes

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Place(BaseModel):
    """Where a level lies, in shares of the map's width and height, and what it is called."""

    model_config = ConfigDict(extra="forbid")

    x: Share
    y: Share
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Page(StaticFiles):
    """`/` and what it loads."""

    def __init__(self) -> None:
        super().__init__(directory=PAGE, html=True)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """As starlette's, with how long it may be cached."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(CACHED)
        return response


def of_operators() -> list[Route]:
    """`/ops` and what it loads."""

    def route(path: str) -> Route:
        file = OPERATORS / (path[1:] if "." in path else f"{path[1:]}.html")

        async def serve(_: Request) -> Response:
            return FileResponse(file, headers={"Cache-Control": "no-cache"})  # asked for anew, by its ETag

        return Route(path, serve)

    return [route(path) for path in ("/ops", "/ops.css", "/ops.js")]


def layout(path: Path | None) -> Callable[[Request], Awaitable[Response]]:
    """What answers `/api/layout`, empty without a file. Raises `UnavailableError` where the file can't be used."""
    content = _read(path) if path is not None else {}

    async def serve(_: Request) -> Response:
        return JSONResponse(content, headers=CACHED)

    return serve


def _read(path: Path) -> dict[str, Any]:
    where = f"The map's layout {path} (HEADCOUNT_MAP_LAYOUT)"
    try:
        if not path.is_file():
            raise UnavailableError(f"{where} is no file.")
        if path.stat().st_size > LARGEST_LAYOUT:
            raise UnavailableError(f"{where} is larger than {LARGEST_LAYOUT:,} bytes.")
        found: Any = orjson.loads(path.read_bytes())
        places = TypeAdapter(dict[str, Place]).validate_python(found, strict=True)
    except OSError as error:
        raise UnavailableError(f"{where} can't be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise UnavailableError(f"{where} is not JSON: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "it"
        raise UnavailableError(
            f'{where} is not as it must be: {at}: {first["msg"]}. It is {{"<level>": {{"x": 0 to 1, "y": 0 to 1, '
            '"name": "if it has another"}, …}.'
        ) from error
    return {level: place.model_dump(exclude_none=True) for level, place in places.items()}
