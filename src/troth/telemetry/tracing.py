"""Traces by OpenTelemetry (extra `traces`): spans of a closed kind and name, and nothing else, to one collector.

No context is taken from outside, so a stranger neither chooses the id of a trace nor makes us keep one. What leaves is
built anew from an allow-list before each export: what a library might have added to a span stays here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.watch import UNWATCHED, Kind, Span
from troth.telemetry.labels import OTHER

_NAME = re.compile(r"(request|operation|transaction|vendor|key|redaction)( [A-Za-z0-9._:/{}-]{1,64})?\Z")
_ATTRIBUTES: dict[str, type] = {
    "troth.outcome": str,
    "http.response.status_code": int,
    "gen_ai.usage.input_tokens": int,
    "gen_ai.usage.output_tokens": int,
}
_OUTCOMES = frozenset({"done", "refused", "failed"})
_AMOUNTS = {
    "status": "http.response.status_code",
    "tokens_in": "gen_ai.usage.input_tokens",
    "tokens_out": "gen_ai.usage.output_tokens",
}
_ROOTS = frozenset({Kind.REQUEST, Kind.OPERATION})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Tracer:
    """A `Watch` that traces a share of what begins; parts of what is not traced cost one look."""

    def __init__(self, exporter: Any, share: float, version: str, *, at_once: bool = False) -> None:
        """`exporter` gets what the allow-list admits, in the background or `at_once`. Raises `Unavailable`."""
        try:
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the extra `traces`
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415
            from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415
        except ImportError as error:
            raise _missing() from error
        resource = Resource({"service.name": "troth", "service.version": version})  # nothing from the environment
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=resource, shutdown_on_exit=False
        )
        processor = SimpleSpanProcessor if at_once else BatchSpanProcessor
        self._provider.add_span_processor(processor(filtered(exporter)))
        self._tracer = self._provider.get_tracer("troth", version)

    def begin(self, kind: Kind, name: str) -> Span:
        """A span within the present one; of the kinds that stand alone, one of its own too."""
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        if kind not in _ROOTS and not get_current_span().is_recording():
            return UNWATCHED.begin(kind, name)
        return _Traced(self._tracer.start_span(f"{kind.value} {name}", kind=_kind(kind)), kind)

    def current(self) -> str | None:
        """The id of the trace that the present work is recorded in, as 32 hexadecimal digits."""
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        return _trace_id(get_current_span())

    def stop(self) -> None:
        """Send what waits, within the time of one export, and end."""
        self._provider.shutdown()


def collector(endpoint: str) -> Any:
    """An exporter to an OTLP collector. Raises `Invalid` for an address that is not https (http on loopback),
    `Unavailable` without the extra."""
    _require_safe(endpoint)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from requests import Session  # noqa: PLC0415
    except ImportError as error:
        raise _missing() from error
    session = Session()
    session.trust_env = False  # no proxy, no credentials from files
    return OTLPSpanExporter(endpoint=endpoint, session=session, timeout=5)


class _Traced:
    __slots__ = ("_kind", "_span")

    def __init__(self, span: Any, kind: Kind) -> None:
        self._span = span
        self._kind = kind

    def add(self, name: str, amount: int) -> None:
        if name in _AMOUNTS:
            self._span.set_attribute(_AMOUNTS[name], amount)

    def active(self) -> AbstractContextManager[object]:
        from opentelemetry.trace import use_span  # noqa: PLC0415

        active: AbstractContextManager[object] = use_span(
            self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False
        )
        return active

    def trace(self) -> str | None:
        return _trace_id(self._span)

    def end(self, outcome: str, name: str | None = None) -> None:
        if name is not None:
            self._span.update_name(f"{self._kind.value} {name}")
        self._span.set_attribute("troth.outcome", str(outcome))
        self._span.end()


def filtered(exporter: Any) -> Any:
    """An exporter in front of another: hands on copies that hold only names and attributes of the allow-list."""
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExporter  # noqa: PLC0415

    class Filtered(SpanExporter):
        def export(self, spans: Sequence[Any]) -> Any:
            return exporter.export([cleaned(one) for one in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return bool(exporter.force_flush(timeout_millis))

    def cleaned(span: Any) -> Any:
        return ReadableSpan(
            name=span.name if _NAME.match(span.name) else OTHER,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes={key: value for key, value in (span.attributes or {}).items() if _admitted(key, value)},
            kind=span.kind,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )  # no events, no links, no status text: exceptions and messages would stand there

    return Filtered()


def _admitted(name: str, value: object) -> bool:
    kind = _ATTRIBUTES.get(name)
    return type(value) is kind and (kind is int or value in _OUTCOMES)


def _kind(kind: Kind) -> Any:
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    return {Kind.REQUEST: SpanKind.SERVER, Kind.VENDOR: SpanKind.CLIENT}.get(kind, SpanKind.INTERNAL)


def _trace_id(span: Any) -> str | None:
    return f"{span.get_span_context().trace_id:032x}" if span.is_recording() else None


def _missing() -> Unavailable:
    return Unavailable("Traces need the extra 'traces': pip install 'troth[traces]'.", code="extra-missing")


def _require_safe(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    near = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (near or parts.scheme == "https") or not parts.hostname or parts.username or parts.password:
        raise Invalid(
            "TROTH_TELEMETRY__TRACES_ENDPOINT is an https address without a password (http on this machine only).",
            code="bad-setting",
        )
