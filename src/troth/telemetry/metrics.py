"""Counters and histograms of what is watched, in Prometheus's terms. Labels come from closed sets (`labels.py`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from troth.kernel.watch import Kind, Span
from troth.telemetry.labels import OTHER, Labels

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_OUTCOMES = frozenset({"done", "refused", "failed"})
_OPEN: AbstractContextManager[object] = nullcontext()


class Meter:
    """A `Watch` that counts. What it is not told to count costs two calls.

    `routes` and `operations` are all there are; model names join as operators put them on offer.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._routes, self._operations, self._models = Labels(), Labels(), Labels(more=64)
        self._requests = self._counter("troth_http_requests", "Answered requests", "route", "status")
        self._latency = self._histogram("troth_http_request_seconds", "Time to the end of an answer", "route")
        self._outcomes = self._counter("troth_operations", "Operations that ended", "operation", "outcome")
        self._calls = self._counter("troth_vendor_calls", "Calls to vendors that ended", "model", "outcome")
        self._answering = self._histogram("troth_vendor_seconds", "Time of a call to a vendor", "model")
        self._tokens = self._counter("troth_vendor_tokens", "Tokens that vendors counted", "model", "direction")
        self._redaction = self._histogram("troth_redaction_seconds", "Time to redact one request to a vendor")
        self._ends: dict[Kind, Callable[[str, str, float, dict[str, int]], None]] = {
            Kind.REQUEST: self._request,
            Kind.OPERATION: self._operation,
            Kind.VENDOR: self._vendor,
            Kind.REDACTION: self._redacted,
        }

    def know(self, *, routes: Iterable[str], operations: Iterable[str]) -> None:
        """The names there are; before this, and beyond these, a name is "other"."""
        self._routes, self._operations = Labels(frozenset(routes)), Labels(frozenset(operations))

    def begin(self, kind: Kind, name: str) -> Span:
        """A span of a kind that is counted, or one that does nothing."""
        end = self._ends.get(kind)
        return _UNCOUNTED if end is None else _Timed(end, name)

    def _request(self, name: str, _outcome: str, seconds: float, amounts: dict[str, int]) -> None:
        route, status = self._routes.of(name), amounts.get("status", 0) // 100
        self._requests(route, _CLASSES[status - 1] if 1 <= status <= 5 else OTHER).inc()
        self._latency(route).observe(seconds)

    def _operation(self, name: str, outcome: str, _seconds: float, _amounts: dict[str, int]) -> None:
        self._outcomes(self._operations.of(name), _outcome(outcome)).inc()

    def _vendor(self, name: str, outcome: str, seconds: float, amounts: dict[str, int]) -> None:
        model = self._models.of(name)
        self._calls(model, _outcome(outcome)).inc()
        self._answering(model).observe(seconds)
        for direction in ("in", "out"):
            if amount := amounts.get(f"tokens_{direction}", 0):
                self._tokens(model, direction).inc(amount)

    def _redacted(self, _name: str, _outcome: str, seconds: float, _amounts: dict[str, int]) -> None:
        self._redaction().observe(seconds)

    def _counter(self, name: str, text: str, *labels: str) -> Callable[..., Any]:
        return _children(Counter(name, text, labels, "", "", "", self.registry))

    def _histogram(self, name: str, text: str, *labels: str) -> Callable[..., Any]:
        return _children(Histogram(name, text, labels, "", "", "", self.registry, buckets=_BUCKETS))


class _Timed:
    """A span that is counted when it ends, once."""

    __slots__ = ("_amounts", "_began", "_end", "_name")

    def __init__(self, end: Callable[[str, str, float, dict[str, int]], None], name: str) -> None:
        self._end: Callable[[str, str, float, dict[str, int]], None] | None = end
        self._name = name
        self._amounts: dict[str, int] = {}
        self._began = time.perf_counter()

    def add(self, name: str, amount: int) -> None:
        self._amounts[name] = self._amounts.get(name, 0) + amount

    def active(self) -> AbstractContextManager[object]:
        return _OPEN

    def trace(self) -> str | None:
        return None

    def end(self, outcome: str, name: str | None = None) -> None:
        end, self._end = self._end, None
        if end is not None:
            end(name or self._name, outcome, time.perf_counter() - self._began, self._amounts)


class _Uncounted:
    """A span of a kind that only traces show."""

    def add(self, name: str, amount: int) -> None:
        """Not counted."""

    def active(self) -> AbstractContextManager[object]:
        return _OPEN

    def trace(self) -> str | None:
        return None

    def end(self, outcome: str, name: str | None = None) -> None:
        """Not counted."""


_UNCOUNTED = _Uncounted()


def _outcome(outcome: str) -> str:
    return outcome if outcome in _OUTCOMES else OTHER


def _children(metric: Counter | Histogram) -> Callable[..., Any]:
    """The child of each set of label values, found by one look: the library checks the names each time."""

    @cache
    def child(*values: str) -> Any:
        return metric.labels(*values) if values else metric

    return child
