"""Benchmark of the gateway: `troth serve` beside LiteLLM's proxy, in one run against one upstream.

Usage: python bench/gateway.py [--seconds N] [--peer PYTHON] [--write]

The upstream, each gateway and the client (wrk, or else Python) are processes of their own. Troth runs as shipped: TLS
1.3, SQLite with synchronous=FULL, tier `fast`, moderation, receipts, usage rows; only its rate limits and the hourly
checks are out of the way. `--peer`: the Python of a venv with LiteLLM (and Presidio); see `gateway_peers.py`.
CPU is user plus system time of all processes of a gateway (/proc/PID/stat). It holds on a busy machine, within some
tens of percent, for cores are shared between threads; requests/s and latencies hold on a quiet one only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from gateway_load import Gateway, cpu_ms, loaded, resident_mb
from gateway_peers import KEY, litellm
from gateway_server import prepared, serving, settings
from gateway_upstream import upstream

RESULT = Path(__file__).parent / "results" / "gateway.md"
OPEN = 60  # connections of one client; more of one address Troth refuses
RATE = 30  # arrivals a second
PLAIN = (
    "We open the workshop in spring and would like to know what people expect of it. Last year most of them came for "
    "the pottery wheels, some for the kiln, and only a few for the talks in the evening. The room is small, so no more "
    "than twelve can work at the same time. Please write a short notice for the board that says when we open, what to "
    "bring, and that children are welcome on Sundays. Keep it friendly and do not use more than eighty words. "
)
TEXT = "I am Jane Doe, jane.doe@example.com, +1 415 555 0100. " + PLAIN


def body(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "bench-chat", "messages": [{"role": "user", "content": text}]} | more


CHAT = "/v1/chat/completions"
# What is asked, and its name, and its goals of CPU and speed for Troth.
ASKED: dict[str, tuple[str, dict[str, Any] | None, str]] = {
    "models": ("/v1/models", None, "0.8 ms, 1,000/s"),
    "plain": (CHAT, body(PLAIN), "4 ms, 200/s"),
    "personal": (CHAT, body(TEXT), "4 ms, 200/s"),
    "streamed": (CHAT, body(TEXT, stream=True), ""),
}
NAMES = {
    "models": "GET /v1/models: key, policy, two audit entries, no vendor",
    "plain": "chat, no personal data",
    "personal": "chat, personal data",
    "streamed": "chat, personal data, streamed in 40 chunks",
}


def closed_loops(of: Gateway, which: tuple[str, ...], seconds: float, *, ours: bool) -> Iterator[tuple[str, ...]]:
    """Rows of the first table."""
    for one in which:
        path, sent, goal = ASKED[one]
        loaded(of, path, sent, 4, 1)  # warm
        for connections in (1, 16):
            before = cpu_ms(of.processes)
            got = loaded(of, path, sent, connections, seconds)
            used = (cpu_ms(of.processes) - before) / max(1, got.requests)  # a crowded machine may answer none
            spread = f"{got.middle:.1f} / {got.slow:.1f} ms"
            row = (of.name, NAMES[one], str(connections), f"{used:.2f} ms", f"{got.per_second:.0f}", spread)
            print(*row, flush=True)
            yield (*row, goal if ours else "")


async def open_loop(ask: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> list[float]:
    """Latencies in ms at a steady arrival rate."""
    taken: list[float] = []

    async def one() -> None:
        start = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - start) * 1000)

    tasks = []
    for _ in range(int(RATE * seconds)):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(1 / RATE)
    await asyncio.gather(*tasks)
    return sorted(taken)


@dataclass
class Felt:
    """What a caller sees: latencies at 30/s, chunks of a stream and ms to the first, whether texts came back."""

    middle: float = 0.0
    slow: float = 0.0
    chunks: int = 0
    first: float = 0.0
    same: int = 0
    asked: int = 0
    streamed_same: int = 0


async def felt(of: Gateway, seconds: float) -> Felt:
    found, connector = Felt(), aiohttp.TCPConnector(ssl=of.context(), limit=OPEN)
    async with aiohttp.ClientSession(connector=connector, headers=of.headers()) as client:

        async def ask() -> None:
            async with client.post(of.url + CHAT, json=body(TEXT)) as response:
                answer = await response.json()
                assert response.status == 200, answer
                found.asked += 1
                found.same += answer["choices"][0]["message"]["content"] == TEXT

        async def stream() -> tuple[int, float, bool]:
            start, first, count, text = time.perf_counter(), 0.0, 0, ""
            async with client.post(of.url + CHAT, json=body(TEXT, stream=True)) as response:
                async for line in response.content:
                    if line.startswith(b"data: {") and (choices := json.loads(line[6:])["choices"]):
                        said = choices[0]["delta"].get("content") or ""
                        first = first or (time.perf_counter() - start) * 1000
                        count, text = count + bool(said), text + said
            return count, first, text == TEXT

        await ask()
        taken = await open_loop(ask, seconds)
        found.middle, found.slow = statistics.median(taken), taken[int(len(taken) * 0.99)]
        runs = [await stream() for _ in range(20)]
        found.chunks, found.first = min(one for one, _, _ in runs), statistics.median(one for _, one, _ in runs)
        found.streamed_same = sum(one for _, _, one in runs)
    return found


def secrets_told(port: int) -> str:
    """How many requests the upstream saw since the last look, and how many of them held personal data."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen") as response:
        seen = json.load(response)
    return f"{seen['told']:,} of {seen['seen']:,}"


class Report:
    """Both tables, row by row."""

    def __init__(self, seconds: float, port: int) -> None:
        self.seconds, self.port = seconds, port
        self.loads: list[tuple[str, ...]] = []
        self.rows: list[tuple[str, ...]] = []
        self.alone = Felt()

    def measure(self, of: Gateway, which: tuple[str, ...], *, ours: bool = False) -> None:
        self.loads += closed_loops(of, which, self.seconds, ours=ours)
        secrets_told(self.port)
        seen = asyncio.run(felt(of, self.seconds))
        told, alone = secrets_told(self.port), self.alone
        row = (
            of.name,
            f"+{seen.middle - alone.middle:.1f} / +{seen.slow - alone.slow:.1f} ms",
            f"{seen.chunks} of {alone.chunks}",
            f"+{seen.first - alone.first:.1f} ms",
            f"{of.at_start:.0f} / {resident_mb(of.processes):.0f} MB",
            f"{of.started:.1f} s",
            told,
            f"{seen.same} of {seen.asked}, {seen.streamed_same} of 20 streams",
        )
        print(*row, flush=True)
        self.rows.append(row)

    def baseline(self, of: Gateway) -> None:
        self.loads += closed_loops(of, ("personal", "streamed"), self.seconds, ours=False)
        self.alone = asyncio.run(felt(of, self.seconds))

    def text(self) -> str:
        goal = ("goal", "+3 / +10 ms", "90 %", "+5 ms", "150 MB / -", "3 s", "0", "all")
        heads = ("gateway", "asked", "connections", "CPU per request", "requests/s", "p50 / p99", "goal")
        felt = ("gateway", f"added p50 / p99 at {RATE}/s", "chunks kept", "first chunk", "resident: start / after",
                "start", "upstream saw personal data", "own text came back")  # fmt: skip
        return (
            f"The upstream alone at {RATE}/s: {self.alone.middle:.1f} / {self.alone.slow:.1f} ms, first chunk "
            f"{self.alone.first:.1f} ms.\n\n{table(heads, self.loads)}\n{table(felt, [*self.rows, goal])}"
        )


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (heads, tuple("---" for _ in heads), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


@contextmanager
def troth(folder: Path, port: int) -> Iterator[Gateway]:
    """An installation that was used before, started again."""
    os.environ.update(settings(folder))
    with serving():
        pass
    with serving(prepared(port)) as server:
        time.sleep(2)
        roots = (server.process,)
        yield Gateway("Troth", server.url, roots, server.token, server.authority, server.started, resident_mb(roots))


def measured(folder: Path, options: argparse.Namespace, vendor: int, port: int) -> str:
    report, chats = Report(options.seconds, port), ("plain", "personal", "streamed")
    report.baseline(Gateway("the upstream alone", f"http://127.0.0.1:{port}", (vendor,)))
    with troth(folder, port) as ours:
        report.measure(ours, ("models", *chats), ours=True)
    for presidio in (False, True) if options.peer else ():
        with litellm(options.peer, port, folder, presidio=presidio) as peer:
            name = "LiteLLM + Presidio" if presidio else "LiteLLM"
            at = resident_mb(peer.processes)
            report.measure(Gateway(name, peer.url, peer.processes, KEY, None, peer.started, at), chats)
    return report.text()


def conditions() -> str:
    client = "wrk" if shutil.which("wrk") else "a Python client"
    return (
        f"\n{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores shared by gateway, upstream and "
        f"client ({client}), Python {platform.python_version()}, load average {os.getloadavg()[0]:.1f} at the end. "
        "Troth: TLS 1.3, SQLite with synchronous=FULL, tier `fast`, every step of the pipeline; there is no way past "
        "the detector, so `GET /v1/models` stands for key, policy and audit alone. LiteLLM: plain HTTP, one worker, no "
        "database and so neither a record of requests nor keys of its own; Presidio: both services in one process "
        "(counted), spaCy's small English model. A prompt has some 550 characters.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6, help="length of each load")
    parser.add_argument("--peer", help="Python of a venv with LiteLLM and Presidio")
    parser.add_argument("--write", action="store_true", help="write bench/results/gateway.md")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    vendor = multiprocessing.Process(target=upstream, args=(theirs,), daemon=True)
    vendor.start()
    with tempfile.TemporaryDirectory() as folder:
        report = measured(Path(folder), options, vendor.pid or 0, ours.recv()) + conditions()
    vendor.terminate()
    print(report)
    if options.write:
        peer = " --peer PEER/bin/python" if options.peer else ""
        RESULT.write_text(f"# Gateway\n\n`python bench/gateway.py{peer} --write`\n\n{report}")


if __name__ == "__main__":
    sys.exit(main())
