"""Spans reach a real collector; what is not on the allow-list does not, whoever put it on a span."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from otlp_collector import collecting
from troth.kernel.errors import Invalid
from troth.kernel.watch import UNWATCHED, Kind, watched
from troth.telemetry.tracing import Tracer, filtered
from troth.telemetry.tracing import collector as reach

NEEDLE = "jane.doe@example.com"


@pytest.mark.parametrize(
    "endpoint", ["http://collector.example/v1/traces", "ftp://127.0.0.1/x", "https://u:p@c.example/x", ""]
)
def test_an_unsafe_address_is_refused(endpoint: str) -> None:
    with pytest.raises(Invalid) as refused:
        reach(endpoint)
    assert refused.value.code == "bad-setting"


def test_spans_of_one_request_hang_together() -> None:
    with collecting() as collector:
        tracer = Tracer(reach(collector.endpoint), 1.0, "1.2")
        request = tracer.begin(Kind.REQUEST, "other")
        with request.active():
            operation = tracer.begin(Kind.OPERATION, "chat.complete")

            def elsewhere() -> None:
                with operation.active(), watched(tracer, Kind.VENDOR, "troth-echo-1") as call:
                    call.add("tokens_in", 7)
                    call.add("prompt", 9)

            worker = threading.Thread(target=elsewhere)
            worker.start()
            worker.join()
            operation.end("done")
            seen = tracer.current()
        request.add("status", 200)
        request.end("done", "/v1/chat/completions")
        tracer.stop()
    spans = {span.name: span for span in collector.spans()}
    root = spans["request /v1/chat/completions"]
    chat, vendor = spans["operation chat.complete"], spans["vendor troth-echo-1"]
    assert root.parent_span_id == b""
    assert (chat.parent_span_id, vendor.parent_span_id) == (root.span_id, chat.span_id)
    assert {span.trace_id.hex() for span in spans.values()} == {seen}
    attributes = {one.key: one.value for one in vendor.attributes}
    assert attributes["gen_ai.usage.input_tokens"].int_value == 7
    assert attributes["troth.outcome"].string_value == "done"
    assert set(attributes) == {"gen_ai.usage.input_tokens", "troth.outcome"}
    (resource,) = {str(message.resource_spans[0].resource) for message in collector.requests()}
    assert "troth" in resource


def test_parts_of_what_is_not_traced_are_nothing() -> None:
    with collecting() as collector:
        tracer = Tracer(reach(collector.endpoint), 0.0, "1")
        assert tracer.begin(Kind.KEY, "open") is UNWATCHED
        with watched(tracer, Kind.REQUEST, "/v1/models") as span, watched(tracer, Kind.KEY, "open"):
            assert span.trace() is None
            assert tracer.current() is None
        tracer.stop()
    assert collector.spans() == []


def test_the_filter_drops_what_a_library_put_on_a_span() -> None:
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415
    from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags  # noqa: PLC0415

    def leaky(exporter: Any) -> Any:
        provider = TracerProvider()
        memory = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(exporter(memory)))
        other = SpanContext(1, 2, True, TraceFlags(1))
        span = provider.get_tracer("x").start_span(f"GET /people/{NEEDLE}", links=[Link(other, {"of": NEEDLE})])
        for name in ("gen_ai.input.messages", "gen_ai.output.messages", "url.full", "client.address", "troth.outcome"):
            span.set_attribute(name, NEEDLE)
        span.set_attribute("http.response.status_code", 200)
        span.add_event("gen_ai.user.message", {"content": NEEDLE})
        span.record_exception(ValueError(NEEDLE))
        span.set_status(Status(StatusCode.ERROR, NEEDLE))
        span.end()
        (out,) = memory.get_finished_spans()
        return out

    clean, known_bad = leaky(filtered), leaky(lambda exporter: exporter)
    assert NEEDLE not in clean.to_json()
    assert known_bad.to_json().count(NEEDLE) > 5
    assert (clean.name, dict(clean.attributes)) == ("other", {"http.response.status_code": 200})
    assert (len(clean.events), len(clean.links)) == (0, 0)


def test_the_environment_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"owner={NEEDLE}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", NEEDLE)
    with collecting() as collector:
        tracer = Tracer(reach(collector.endpoint), 1.0, "1")
        with watched(tracer, Kind.OPERATION, "model.list"):
            pass
        tracer.stop()
    assert collector.spans()
    assert not any(NEEDLE.encode() in body for body in collector.raw)
