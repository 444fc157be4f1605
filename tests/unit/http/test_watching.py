"""Each exchange is watched by route template, status and time; nothing that a stranger wrote is told."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import generate_latest
from starlette.testclient import TestClient

from otlp_collector import collecting
from troth.http.app import create_app
from troth.http.watching import Watching
from troth.kernel.journal import Journal
from troth.kernel.watch import Watch
from troth.telemetry.metrics import Meter
from troth.telemetry.tracing import Tracer, collector

from .conftest import World

NEEDLE = "jane.doe@example.com"
FOREIGN = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def watched(world: World, watch: Watch, journal: Journal | None = None) -> Iterator[TestClient]:
    """The application of the world with a watch around it."""
    known: list[frozenset[str]] = []

    def learn(templates: frozenset[str]) -> None:
        known.append(templates)
        if journal is not None:
            journal.know_routes(templates)
        if isinstance(watch, Meter):
            watch.know(routes=templates, operations=[one.name for one in world.door.dispatcher.registry])

    watching = Watching(watch, journal, learn)
    app = create_app(world.door, ready=lambda: ({}, True), start=lambda: None, stop=lambda: None, watching=watching)
    with TestClient(app, base_url="https://troth.test", raise_server_exceptions=False) as client:
        yield client
    assert "/echo/{word}" in known[0]


def test_lines_and_labels_hold_templates_only(world: World) -> None:
    stream, meter = io.StringIO(), Meter()
    journal = Journal(stream, strict=True)
    with watched(world, meter, journal) as client:
        odd = {"x-request-id": NEEDLE, "user-agent": NEEDLE}
        client.post(f"/echo/{NEEDLE}?q={NEEDLE}", json={}, headers=world.good | odd)
        client.get(f"/{NEEDLE}")
        client.request("BREW", f"/{NEEDLE}")
        client.put("/echo")
    lines: list[dict[str, Any]] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(one["method"], one["route"], one["status"]) for one in lines] == [
        ("POST", "/echo/{word}", 400),
        ("GET", "other", 404),
        ("OTHER", "other", 404),
        ("PUT", "/echo", 405),
    ]
    assert all(one["request"].startswith("req_") for one in lines)
    assert NEEDLE not in stream.getvalue()
    text = generate_latest(meter.registry).decode()
    assert 'troth_http_requests_total{route="/echo/{word}",status="4xx"} 1.0' in text
    assert 'troth_http_requests_total{route="other",status="4xx"} 2.0' in text
    assert NEEDLE not in text


def test_what_is_not_known_from_the_table_is_other(world: World) -> None:
    meter = Meter()
    with watched(world, meter) as client:
        for number in range(50):
            client.get(f"/made-up-{number}")
    assert "made-up" not in generate_latest(meter.registry).decode()


def test_a_trace_of_a_stranger_is_not_taken_up(world: World) -> None:
    stream = io.StringIO()
    journal = Journal(stream, strict=True)
    with collecting() as taken:
        tracer = Tracer(collector(taken.endpoint), 1.0, "1")
        journal.trace = tracer.current
        with watched(world, tracer, journal) as client:
            sent = {"traceparent": f"00-{FOREIGN}-b7ad6b7169203331-01", "tracestate": f"x={NEEDLE}", "baggage": NEEDLE}
            client.post("/echo/hi", headers=world.good | sent)
        tracer.stop()
    (root,) = taken.spans()
    assert root.name == "request /echo/{word}"
    assert root.parent_span_id == b""
    assert root.trace_id.hex() != FOREIGN
    assert list(root.links) == []
    assert root.trace_state == ""
    assert json.loads(stream.getvalue())["trace"] == root.trace_id.hex()
    assert not any(NEEDLE.encode() in body or bytes.fromhex(FOREIGN) in body for body in taken.raw)


def test_a_stream_is_watched_to_its_end(world: World) -> None:
    meter = Meter()
    with watched(world, meter) as client:
        assert client.get("/stream", headers=world.good).content == b"ab"
    assert 'troth_http_request_seconds_count{route="/stream"} 1.0' in generate_latest(meter.registry).decode()
