"""Benchmark of the gateway: `troth serve` over TLS with keys, policy, audit, redaction and receipts, beside the bare
upstream.

Usage: python bench/gateway_passthrough.py [--requests N] [--write]
Starts an OpenAI-compatible upstream and `troth serve` in processes of their own, in a temporary folder.
CPU per request is user plus system time of the server process (/proc/PID/stat), so it holds on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from troth.gateway.vendors.record import DueDiligence, Offer, Retention
from troth.identity.keys import NewKey
from troth.identity.users import NewUser
from troth.settings.load import load
from troth.wiring import opened

RESULT = Path(__file__).parent / "results" / "gateway_passthrough.md"
DAY = 86_400_000
CHUNKS = 40
TEXT = "I am Jane Doe, jane.doe@example.com, +1 415 555 0100. " + "Tell me about the weather in spring. " * 12
BODY = {"model": "bench-chat", "messages": [{"role": "user", "content": TEXT}]}


def upstream(pipe: Any) -> None:
    """The vendor: answers with what it was sent, whole or in 40 chunks."""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = body["messages"][-1]["content"]
        if not body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            return web.json_response({"choices": [choice], "usage": {}})
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        width = len(text) // CHUNKS + 1
        for at in range(0, len(text), width):
            delta = {"index": 0, "delta": {"content": text[at : at + width]}, "finish_reason": None}
            await response.write(b"data: " + json.dumps({"choices": [delta]}).encode() + b"\n\n")
            await asyncio.sleep(0.002)
        await response.write(b"data: [DONE]\n\n")
        return response

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


@dataclass(frozen=True)
class Server:
    """A running `troth serve`."""

    url: str
    token: str
    process: int
    trust: ssl.SSLContext


@contextmanager
def serving(folder: Path, vendor_port: int) -> Iterator[Server]:
    """Prepare a tenant, a key and a vendor, then start `troth serve` and wait until it answers."""
    settings = {
        "TROTH_DATA__FOLDER": str(folder / "data"),
        "TROTH_DATA__KEYS": str(folder / "keys"),
        "TROTH_SERVER__PORT": "0",
        "TROTH_SERVER__REQUESTS_PER_MINUTE": "100000000",
        "TROTH_GATEWAY__ALLOW_PLAIN_LOOPBACK_VENDORS": "true",
    }
    os.environ.update(settings)
    token = prepared(vendor_port)
    program = [sys.executable, "-c", "from troth.cli.main import main; main()", "serve"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            address, authority = addresses(process)
            yield Server(address, token, process.pid, ssl.create_default_context(cafile=authority))
        finally:
            process.terminate()


def addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What `troth serve` says of itself: its address, and the certificate authority for clients."""
    assert process.stdout is not None
    address = ""
    for line in process.stdout:
        if "answers at" in line:
            address = line.split()[-1]
        if "certificate authority" in line:
            return address, line.split("clients", 1)[1].strip()
    raise SystemExit("troth serve ended before it was ready")


def prepared(vendor_port: int) -> str:
    """An API key of a fresh member; the upstream stands approved on file."""
    with opened(load()) as troth:
        system = troth.system
        identity = system.identity
        tenant = identity.tenants.create("Bench", "eu")
        new = NewUser(tenant.id, "bench@example.test", "Bench", frozenset({"member"}), "svc_bench", issued=False)
        user = identity.users.create(new)
        key = identity.keys.create(NewKey(tenant.id, user.id, "bench", frozenset({"generate", "own-data"})))
        now = int(time.time() * 1000)
        facts = DueDiligence(
            name="Bench",
            base_url=f"http://127.0.0.1:{vendor_port}/v1",
            offers=(Offer(model="bench-chat", upstream="bench", kind="chat"),),
            review="ab" * 32,
            review_expires=now + 30 * DAY,
            agreement="cd" * 32,
            agreement_ends=now + 30 * DAY,
            retention=Retention.ZERO,
            jurisdictions=("eu",),
            regions=("here",),
            moderation="bench",
        )
        system.gateway.vendors.add("bench", facts, None, "svc_one")
        system.gateway.vendors.approve("bench", "svc_two")
    return key.token


def cpu_ms(process: int) -> float:
    """User plus system time of a process in ms."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float:
    """Resident memory in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


Ask = Callable[[], Awaitable[None]]


async def closed_loop(ask: Ask, requests: int, workers: int) -> float:
    """Requests per second of some callers that wait for each answer."""
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await ask()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return requests / (time.perf_counter() - start)


async def open_loop(ask: Ask, rate: float, seconds: float) -> list[float]:
    """Latencies in ms at a steady arrival rate."""
    taken: list[float] = []

    async def one() -> None:
        start = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - start) * 1000)

    tasks = []
    for _ in range(int(rate * seconds)):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*tasks)
    return sorted(taken)


def quantiles(taken: list[float]) -> str:
    return f"{statistics.median(taken):.1f} / {taken[int(len(taken) * 0.99)]:.1f} ms"


async def measure(server: Server, vendor_port: int, requests: int) -> list[tuple[str, str, str]]:
    """The rows of the table: what, measured, goal."""
    rows: list[tuple[str, str, str]] = []
    headers = {"authorization": f"Bearer {server.token}"}
    connector = aiohttp.TCPConnector(ssl=server.trust)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client, aiohttp.ClientSession() as bare:

        async def ask(session: aiohttp.ClientSession, url: str) -> None:
            async with session.post(f"{url}/v1/chat/completions", json=BODY) as response:
                answer = await response.json()
                assert response.status == 200, answer
                assert answer["choices"][0]["message"]["content"] == TEXT

        async def models() -> None:
            async with client.get(f"{server.url}/v1/models") as response:
                assert response.status == 200
                await response.read()

        async def through() -> None:
            await ask(client, server.url)

        async def direct() -> None:
            await ask(bare, f"http://127.0.0.1:{vendor_port}")

        for name, work, goal in (
            ("GET /v1/models: TLS, key, policy, two audit records", models, "1.5 ms CPU"),
            ("chat: the same, and moderation, redaction, sealed receipt, vendor, restore", through, "4 ms CPU"),
        ):
            await closed_loop(work, requests // 10, 16)
            before = cpu_ms(server.process)
            speed = await closed_loop(work, requests, 16)
            used = (cpu_ms(server.process) - before) / requests
            rows.append((name, f"{used:.2f} ms CPU, {speed:.0f}/s", goal))
        alone, added = await open_loop(direct, 30, 5), await open_loop(through, 30, 5)
        rows.append(("latency at 30/s, p50 / p99: upstream alone", quantiles(alone), ""))
        rows.append(("latency at 30/s, p50 / p99: through Troth", quantiles(added), "+3 / +10 ms"))
        rows += await streams(client, bare, server, vendor_port)
    rows.append(("resident memory after the run", f"{resident_mb(server.process):.0f} MB", "150 MB"))
    return rows


async def streams(
    client: aiohttp.ClientSession, bare: aiohttp.ClientSession, server: Server, vendor_port: int
) -> list[tuple[str, str, str]]:
    """Chunks kept and time to the first, beside the upstream's own."""

    async def one(session: aiohttp.ClientSession, url: str) -> tuple[int, float]:
        start, first, count, text = time.perf_counter(), 0.0, 0, ""
        async with session.post(f"{url}/v1/chat/completions", json=BODY | {"stream": True}) as response:
            async for line in response.content:
                if line.startswith(b"data: {"):
                    first = first or (time.perf_counter() - start) * 1000
                    count += 1
                    text += json.loads(line[6:])["choices"][0]["delta"].get("content", "")
        assert session is bare or text == TEXT
        return count, first

    async def median(session: aiohttp.ClientSession, url: str) -> tuple[int, float]:
        runs = [await one(session, url) for _ in range(20)]
        return min(count for count, _ in runs), statistics.median(first for _, first in runs)

    sent, alone = await median(bare, f"http://127.0.0.1:{vendor_port}")
    kept, through = await median(client, server.url)
    return [
        ("stream: chunks kept", f"{kept} of {sent}", "90 %"),
        ("stream: first chunk, upstream alone / through Troth", f"{alone:.1f} / {through:.1f} ms", "+5 ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--write", action="store_true", help="write bench/results/gateway_passthrough.md")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    vendor = multiprocessing.Process(target=upstream, args=(theirs,), daemon=True)
    vendor.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), port) as server:
        rows = asyncio.run(measure(server, port, options.requests))
    vendor.terminate()
    load_now = os.getloadavg()[0]
    lines = ["| what | measured | goal |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    note = f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load_now:.1f}.\n"
    report = "\n".join(lines) + "\n" + note
    print(report)
    if options.write:
        head = "# Gateway\n\n`python bench/gateway_passthrough.py --write`\n\n"
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(head + report)


if __name__ == "__main__":
    main()
