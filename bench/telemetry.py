"""What telemetry costs: one line, one span, one scrape, and requests through a real server with it off and on.

    .venv/bin/python bench/telemetry.py [--write]

Beside it in the same run: structlog as JSON lines with a filter of names, which is what one would use without thought.
"""

from __future__ import annotations

import io
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import structlog

from house import house
from otlp_collector import collecting
from troth.kernel.journal import Journal
from troth.kernel.watch import UNWATCHED, Kind, Watch
from troth.telemetry.metrics import Meter
from troth.telemetry.tracing import Tracer, collector

RESULTS = Path(__file__).parent / "results" / "telemetry.md"
LINES, ROUNDS, ASKED = 20_000, 5, 300


def per_call(act: Callable[[], object], count: int = LINES) -> float:
    """Microseconds of CPU, the median of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            act()
        rounds.append((time.process_time() - began) / count * 1e6)
    return statistics.median(rounds)


def journal_line() -> float:
    """An access line."""
    journal = Journal(io.StringIO())
    journal.know_routes(["/v1/models"])
    fields: dict[str, Any] = {"route": "/v1/models", "method": "GET", "status": 200, "ms": 3, "request": "req_abcdef"}
    return per_call(lambda: journal.event("access", **fields))


def structlog_line() -> float:
    """The same by structlog: a processor that filters names, a time, JSON."""
    listed = {"event", "route", "method", "status", "ms", "request", "timestamp"}
    logger = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[
            lambda _logger, _name, said: {key: value for key, value in said.items() if key in listed},
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
    )
    fields = {"route": "/v1/models", "method": "GET", "status": 200, "ms": 3, "request": "req_abcdef"}
    return per_call(lambda: logger.info("access", **fields))


def span(watch: Watch, kind: Kind) -> float:
    """Beginning and ending one."""

    def act() -> None:
        one = watch.begin(kind, "model.list")
        one.add("status", 200)
        one.end("done")

    return per_call(act, LINES // 4)


def requests(root: Path, **telemetry: Any) -> tuple[float, float]:
    """Milliseconds of CPU of GET /v1/models and of a chat, in process, through the whole application."""
    with house(root, telemetry=telemetry, gateway={"redaction_tier": "rules"}) as built:
        key = built.key_headers(built.tenant("bench"), "generate", "own-data")
        chat = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "How deep is the harbour?"}]}
        acts = (
            lambda: built.call("GET", "/v1/models", key),
            lambda: built.call("POST", "/v1/chat/completions", key, **chat),
        )
        return tuple(_cpu(act) for act in acts)  # type: ignore[return-value]


def _cpu(act: Callable[[], object]) -> float:
    """Milliseconds of CPU for each, client and server together: other work on the machine does not count."""
    for _ in range(20):
        act()
    began = time.process_time()
    for _ in range(ASKED):
        act()
    return (time.process_time() - began) / ASKED * 1000


def main() -> None:
    with collecting() as taken, tempfile.TemporaryDirectory() as folder:
        meter = Meter()
        meter.know(routes=["model.list"], operations=["model.list"])
        rows = [
            ("line of the journal, checked field by field", f"{journal_line():.1f} µs"),
            ("the same by structlog, names filtered only", f"{structlog_line():.1f} µs"),
            ("span, nobody watches", f"{span(UNWATCHED, Kind.OPERATION):.2f} µs"),
            ("span, metrics: a counter", f"{span(meter, Kind.OPERATION):.1f} µs"),
            ("span, metrics: counter and histogram", f"{span(meter, Kind.REQUEST):.1f} µs"),
            (
                "span, traces: not sampled",
                f"{span(Tracer(collector(taken.endpoint), 0.0, '1'), Kind.OPERATION):.1f} µs",
            ),
            ("span, traces: sampled", f"{span(Tracer(collector(taken.endpoint), 1.0, '1'), Kind.OPERATION):.1f} µs"),
        ]
        wishes: dict[str, dict[str, Any]] = {
            "off": {},
            "access log and metrics": {"access_log": True, "metrics_port": 0},
            "and traces, all sampled": {
                "access_log": True, "metrics_port": 0, "traces_endpoint": taken.endpoint, "traces_share": 1.0,
            },
        }  # fmt: skip
        for number, (name, wish) in enumerate(wishes.items()):
            models, chat = requests(Path(folder) / str(number), **wish)
            rows.append((f"GET /v1/models, chat, in process: {name}", f"{models:.2f} ms, {chat:.2f} ms"))
    text = "".join(f"| {what} | {cost} |\n" for what, cost in rows)
    page = (
        "# What telemetry costs\n\n`.venv/bin/python bench/telemetry.py --write`; "
        f"{platform.machine()}, Python {platform.python_version()}, 2 cores (load {os.getloadavg()[0]:.0f}), CPU time."
        f"\n\n| What | Cost |\n| --- | --- |\n{text}"
    )
    if "--write" in sys.argv:
        RESULTS.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
