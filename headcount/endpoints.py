"""`/metrics`, `/healthz` and `/readyz` of a service, served from a thread of its own."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvicorn
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from headcount.aws import UnavailableError
from headcount.settings import variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_MOST_WAITING = 2048  # connections that the kernel holds for us


@dataclass(frozen=True)
class Health:
    """An answer of `/healthz` or `/readyz`: ``problems`` make it a 503, ``warnings`` are only told."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def response(self) -> JSONResponse:
        """As HTTP."""
        status = "failing" if self.problems else "warning" if self.warnings else "ok"
        body = {"status": status, "problems": self.problems, "warnings": self.warnings}
        return JSONResponse(body, status_code=503 if self.problems else 200)


def serve(
    host: str, port: int, metrics: Callable[[], bytes], healthy: Callable[[], Health], ready: Callable[[], Health]
) -> int:
    """Serve the three until the process ends; returns the port. Raises `UnavailableError` if it is taken."""

    def on_metrics(_: Request) -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def on_health(_: Request) -> Response:
        return healthy().response()

    def on_ready(_: Request) -> Response:
        return ready().response()

    listener = listening(host, port, "metrics", ("metrics_host", "metrics_port"))
    app = Starlette(routes=[Route("/metrics", on_metrics), Route("/healthz", on_health), Route("/readyz", on_ready)])
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="endpoints", daemon=True).start()
    return int(listener.getsockname()[1])


def listening(host: str, port: int, what: str, settings: tuple[str, str]) -> socket.socket:
    """A socket that listens there; raises `UnavailableError`, which names ``settings``, if it can't."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_MOST_WAITING)  # here, where a port that another process took at the same moment still shows
    except OSError as error:
        listener.close()
        raise UnavailableError(
            f"Can't serve {what} on {host}:{port}: {error.strerror}. "
            f"Set {' and '.join(map(variable, settings))} to an address and a port that are free."
        ) from error
    return listener
