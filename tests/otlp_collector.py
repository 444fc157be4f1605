"""A collector that speaks OTLP over HTTP: takes what exporters post and parses it with the protocol's own messages."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """What arrived. `raw` are the bodies, unpacked."""

    endpoint: str
    raw: list[bytes] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    def requests(self) -> list[Any]:
        """Each body as a message."""
        parsed = []
        for body in self.raw:
            message = ExportTraceServiceRequest()
            message.ParseFromString(body)
            parsed.append(message)
        return parsed

    def spans(self) -> list[Any]:
        """Every span."""
        return [
            span
            for message in self.requests()
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, start: str) -> list[Any]:
        """Spans whose name begins so."""
        return [span for span in self.spans() if span.name.startswith(start)]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of loopback."""
    collector = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            collector.headers.append(str(self.headers))
            collector.raw.append(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.endpoint = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
