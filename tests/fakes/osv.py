"""A stand-in for OSV's API, on a port of this machine."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answering(BaseHTTPRequestHandler):
    """Answers as OSV does: ``known`` by package name or purl; long answers of `querybatch` in pages of one."""

    known: dict[str, list[str]]
    broken = False

    def do_POST(self) -> None:
        """Answer ``/query`` and ``/querybatch``."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.broken:
            self.send_error(503)
            return
        many = "queries" in asked
        answer = {"results": [self._page(query) for query in asked["queries"]]} if many else self._all(asked)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _all(self, query: dict[str, Any]) -> dict[str, Any]:
        package = query["package"]
        found = [
            {"id": name, "aliases": ["CVE-1"], "summary": "bad", "affected": [{"package": package, "ranges": []}]}
            for name in self.known.get(package["name"], [])
        ]
        return {"vulns": found} if found else {}

    def _page(self, query: dict[str, Any]) -> dict[str, Any]:
        names, at = self.known.get(query["package"]["purl"], []), int(query.get("page_token", 0))
        page: dict[str, Any] = {"vulns": [{"id": names[at]}]} if names else {}
        return page | ({"next_page_token": str(at + 1)} if at + 1 < len(names) else {})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing."""


@contextmanager
def osv(known: dict[str, list[str]], *, broken: bool = False) -> Iterator[str]:
    """Serve for a while; yields the address. ``broken``: it answers every question with an error."""
    handler = type("Osv", (Answering,), {"known": known, "broken": broken})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
