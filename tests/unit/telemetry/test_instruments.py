"""Nothing is loaded that nobody asked for; what is asked for is given, or refused with a reason."""

from __future__ import annotations

import io
import subprocess
import sys
import urllib.request

import pytest

from otlp_collector import collecting
from troth.kernel.errors import Invalid
from troth.kernel.journal import Journal
from troth.kernel.watch import UNWATCHED, Kind, watched
from troth.settings.sections import Telemetry
from troth.telemetry.instruments import instruments_of
from troth.telemetry.readings import Reading

_LOADS = """
import sys
import troth.cli.installation
print([name for name in ("prometheus_client", "opentelemetry", "structlog", "http.server") if name in sys.modules])
"""


def test_a_server_without_wishes_loads_no_library() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADS], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"


def test_nothing_is_watched_by_default() -> None:
    made = instruments_of(Telemetry(), Journal(io.StringIO()))
    assert made.watch is UNWATCHED
    made.start([], lambda: ({}, True))
    assert made.listener is None
    made.stop()


def test_an_address_that_others_reach_is_refused_at_the_start() -> None:
    with pytest.raises(Invalid):
        instruments_of(Telemetry(metrics_port=0, metrics_host="0.0.0.0"), Journal(io.StringIO()))


def test_metrics_and_traces_together() -> None:
    readings = [
        Reading("troth_depth", "Depth", lambda: {"": 7.0}),
        Reading("troth_seen_total", "Seen", lambda: {"a": 1.0, "jane@x.example": 2.0}, "place"),
        Reading("troth_away", "Away", _refuse),
    ]
    journal = Journal(io.StringIO(), strict=True)
    with collecting() as collector:
        wish = Telemetry(metrics_port=0, traces_endpoint=collector.endpoint, traces_share=1.0)
        made = instruments_of(wish, journal)
        made.know(routes=["/v1/models"], operations=["model.list"])
        made.start(readings, lambda: ({"log": False}, False))
        with watched(made.watch, Kind.OPERATION, "model.list") as span:
            assert journal.trace() == span.trace()
        assert made.listener is not None
        text = urllib.request.urlopen(f"http://127.0.0.1:{made.listener.port}/metrics", timeout=10).read().decode()
        made.stop()
        made.stop()  # a second call does nothing
    assert 'troth_operations_total{operation="model.list",outcome="done"} 1.0' in text
    assert "troth_depth 7.0" in text
    assert 'troth_seen_total{place="other"} 2.0' in text
    assert "troth_scrape_failures 1.0" in text
    assert "troth_away " not in text
    assert [span.name for span in collector.spans()] == ["operation model.list"]


def _refuse() -> dict[str, float]:
    raise OSError("no such place")
