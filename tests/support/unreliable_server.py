# SPDX-License-Identifier: MIT
"""A local HTTP server that misbehaves as told: cuts connections, ignores ranges, sends wrong bytes, redirects."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server does; each request consumes one entry of the lists that are not empty."""

    content: bytes
    cut_after: list[int | None] = field(default_factory=list)  # bytes of the body before the connection is cut
    statuses: list[int | None] = field(default_factory=list)  # answers in place of the file
    damage: list[bool] = field(default_factory=list)  # send other bytes of the same length
    ranges: bool = True
    etag: str | None = None  # None: of the content
    mark: bool = True  # whether there is an ETag at all
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range header, as they came
    url: str = ""


def _next(entries: list, otherwise):
    return entries.pop(0) if entries else otherwise


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        behaviour = self.behaviour
        asked = self.headers.get("Range")
        behaviour.requests.append((self.path, asked))
        self.close_connection = True
        status = _next(behaviour.statuses, None)
        if self.path.startswith("/elsewhere/"):
            self._head(302, {"Location": self.path.removeprefix("/elsewhere"), "Content-Length": "0"})
        elif status is not None:
            self._head(status, {"Content-Length": "0"})
        else:
            self._send_file(asked if behaviour.ranges else None)

    def _send_file(self, asked: str | None) -> None:
        behaviour = self.behaviour
        content = behaviour.content
        if _next(behaviour.damage, False):
            content = bytes(byte ^ 0x55 for byte in content)
        etag = behaviour.etag or f'"{hashlib.sha256(behaviour.content).hexdigest()[:8]}"'
        headers = {"ETag": etag} if behaviour.mark else {}
        start = 0
        if asked and self.headers.get("If-Range") in (None, etag):
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(content):
                self._head(416, {"Content-Length": "0"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        self._head(206 if start else 200, headers | {"Content-Length": str(len(body))})
        cut = _next(behaviour.cut_after, None)
        self.wfile.write(body if cut is None else body[:cut])

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(content: bytes, **behaviour) -> Iterator[Behaviour]:
    """Serve `content` at every address; what is given comes with `url`, an address without a path."""
    told = Behaviour(content, **behaviour)
    handler = type("Handler", (_Handler,), {"behaviour": told})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
