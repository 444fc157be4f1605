"""Benchmark of the gateway: `troth serve` over TLS with keys, policy, audit, redaction and receipts, beside the bare
upstream.

Usage: python bench/gateway_passthrough.py [--seconds N] [--write]
Starts an OpenAI-compatible upstream and `troth serve` in processes of their own, in a temporary folder, with the checks
of the promises postponed. Load comes from wrk when it is installed, else from a Python client.
CPU per request is user plus system time of the server process (/proc/PID/stat), so it holds on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import re
import shutil
import ssl
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from gateway_server import Server, prepared, serving, settings

RESULT = Path(__file__).parent / "results" / "gateway_passthrough.md"
CHUNKS = 40
OPEN = 60
PLAIN = "Tell me about the weather in spring. " * 12
TEXT = "I am Jane Doe, jane.doe@example.com, +1 415 555 0100. " + PLAIN
BODY = {"model": "bench-chat", "messages": [{"role": "user", "content": TEXT}]}
PLAIN_BODY = {"model": "bench-chat", "messages": [{"role": "user", "content": PLAIN}]}


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


def cpu_ms(process: int) -> float:
    """User plus system time of a process in ms."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float:
    """Resident memory in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


Ask = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Target:
    """What is loaded: a GET, or a POST of `body`."""

    name: str
    url: str
    process: int
    token: str = ""
    body: dict[str, Any] | None = None
    authority: str | None = None
    goal: str = ""


@dataclass(frozen=True)
class Load:
    """What a number of connections that wait for each answer got. Latencies in ms."""

    requests: int
    per_second: float
    middle: float
    slow: float


SCRIPT = """wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = %s
"""


def with_wrk(target: Target, connections: int, seconds: float, folder: Path) -> Load:
    """By wrk, which costs little of the machine that the server also needs."""
    command = ["wrk", "-c", str(connections), "-t", "1", "-d", f"{seconds:.0f}s", "--latency", "--timeout", "30s"]
    if target.token:
        command += ["-H", f"authorization: Bearer {target.token}"]
    if target.body is not None:
        script = folder / "post.lua"
        script.write_text(SCRIPT % f"[==[{json.dumps(target.body)}]==]")
        command += ["-s", str(script)]
    said = subprocess.run([*command, target.url], capture_output=True, text=True, check=True).stdout
    assert not re.search("Non-2xx|Socket errors", said), said
    spread = {name: number(value) for name, value in re.findall(r"^ +(50|99)% +(\S+) *$", said, re.MULTILINE)}
    assert len(spread) == 2, said
    rate, asked = re.search(r"Requests/sec: +(\S+)", said), re.search(r"(\d+) requests in", said)
    assert rate is not None
    assert asked is not None
    return Load(int(asked[1]), float(rate[1]), spread["50"], spread["99"])


def number(text: str) -> float:
    """Milliseconds from wrk's `1.2us`, `3.4ms` or `5.6s`."""
    value, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


async def with_python(target: Target, connections: int, seconds: float) -> Load:
    """The same from Python, which takes a core of its own."""
    taken: list[float] = []
    headers = {"authorization": f"Bearer {target.token}"} if target.token else {}
    trust = ssl.create_default_context(cafile=target.authority) if target.authority else True
    begin = time.perf_counter()

    async def work(client: aiohttp.ClientSession) -> None:
        while time.perf_counter() < begin + seconds:
            start = time.perf_counter()
            method = "GET" if target.body is None else "POST"
            async with client.request(method, target.url, json=target.body, ssl=trust) as response:
                await response.read()
                assert response.status == 200
            taken.append((time.perf_counter() - start) * 1000)

    async with aiohttp.ClientSession(headers=headers) as client:
        await asyncio.gather(*(work(client) for _ in range(connections)))
    taken.sort()
    rate = len(taken) / (time.perf_counter() - begin)
    return Load(len(taken), rate, statistics.median(taken), taken[int(len(taken) * 0.99)])


def loaded(target: Target, connections: int, seconds: float, folder: Path) -> Load:
    if shutil.which("wrk"):
        return with_wrk(target, connections, seconds, folder)
    return asyncio.run(with_python(target, connections, seconds))


def closed_loops(server: Server, upstream: Target, seconds: float, folder: Path) -> list[tuple[str, ...]]:
    """The rows of the first table: CPU per request of the process that answers."""
    url, ours = server.url, {"process": server.process, "authority": server.authority}
    chat = {"url": f"{url}/v1/chat/completions", "token": server.token, **ours}
    targets = [
        upstream,
        Target("GET /livez: TLS and nothing else", f"{url}/livez", **ours),
        Target(
            "GET /v1/models: + key, policy, two audit records",
            f"{url}/v1/models",
            token=server.token,
            goal="1.5 ms",
            **ours,
        ),
        Target(
            "chat, no personal data: + moderation, detection, sealed receipt, vendor",
            body=PLAIN_BODY,
            goal="4 ms",
            **chat,
        ),
        Target("chat, personal data: + placeholders and their way back", body=BODY, goal="4 ms", **chat),
    ]
    rows: list[tuple[str, ...]] = []
    for target in targets:
        loaded(target, 16, 1, folder)  # warm
        for connections in (1, 16):
            before, begin = cpu_ms(target.process), os.getloadavg()[0]
            got = loaded(target, connections, seconds, folder)
            used = (cpu_ms(target.process) - before) / got.requests
            speed, spread = f"{got.per_second:.0f}", f"{got.middle:.1f} / {got.slow:.1f} ms"
            rows.append((target.name, str(connections), f"{used:.2f} ms", target.goal, speed, spread, f"{begin:.1f}"))
            print(rows[-1], flush=True)
    return rows


def idle(process: int, seconds: float = 5.0) -> str:
    """CPU of a server that nobody asks anything, in percent of a core."""
    time.sleep(2)
    before = cpu_ms(process)
    time.sleep(seconds)
    return f"{(cpu_ms(process) - before) / seconds / 10:.1f} %"


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


async def spreads(server: Server, vendor_port: int) -> list[tuple[str, str, str]]:
    """Latency at a steady rate, and streams: the rows of the second table."""
    rows: list[tuple[str, str, str]] = []
    headers = {"authorization": f"Bearer {server.token}"}
    trust = ssl.create_default_context(cafile=server.authority)
    connector = aiohttp.TCPConnector(ssl=trust, limit=OPEN)  # more of one address the server would refuse
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client, aiohttp.ClientSession() as bare:

        async def ask(session: aiohttp.ClientSession, url: str) -> None:
            async with session.post(f"{url}/v1/chat/completions", json=BODY) as response:
                answer = await response.json()
                assert response.status == 200, answer
                assert answer["choices"][0]["message"]["content"] == TEXT

        async def through() -> None:
            await ask(client, server.url)

        async def direct() -> None:
            await ask(bare, f"http://127.0.0.1:{vendor_port}")

        await through()
        alone, added = await open_loop(direct, 30, 5), await open_loop(through, 30, 5)
        rows.append(("latency at 30/s, p50 / p99: upstream alone", quantiles(alone), ""))
        rows.append(("latency at 30/s, p50 / p99: through Troth", quantiles(added), "+3 / +10 ms"))
        rows += await streams(client, bare, server, vendor_port)
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


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (heads, tuple("---" for _ in heads), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def measured(folder: Path, seconds: float, vendor: multiprocessing.Process, port: int) -> str:
    """Both tables, from one installation below `folder`."""
    os.environ.update(settings(folder))
    with serving() as first:
        fresh = first.started
    with serving(prepared(port)) as server:
        memory = resident_mb(server.process)
        rest: list[tuple[str, str, str]] = [
            ("start to first 200 on /readyz: fresh folder / existing", f"{fresh:.1f} / {server.started:.1f} s", "3 s"),
            ("idle", idle(server.process), "1 %"),
        ]
        alone = f"http://127.0.0.1:{port}/v1/chat/completions"
        upstream = Target("the upstream alone: aiohttp, no TLS, answers what it got", alone, vendor.pid or 0, body=BODY)
        rows = closed_loops(server, upstream, seconds, folder)
        rest += asyncio.run(spreads(server, port))
        after = resident_mb(server.process)
        rest.append(("resident memory: at the start / after the run", f"{memory:.0f} / {after:.0f} MB", "150 MB"))
    heads = ("what", "connections", "CPU per request", "goal", "requests/s", "p50 / p99", "load before")
    return table(heads, rows) + "\n" + table(("what", "measured", "goal"), rest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8, help="length of each load")
    parser.add_argument("--write", action="store_true", help="write bench/results/gateway_passthrough.md")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    vendor = multiprocessing.Process(target=upstream, args=(theirs,), daemon=True)
    vendor.start()
    with tempfile.TemporaryDirectory() as folder:
        report = measured(Path(folder), options.seconds, vendor, ours.recv())
    vendor.terminate()
    client = "wrk" if shutil.which("wrk") else "a Python client"
    report += (
        f"\n{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores shared by server, upstream and "
        f"client ({client}), Python {platform.python_version()}, SQLite with synchronous=FULL, every answer moderated, "
        f"load average {os.getloadavg()[0]:.1f} at the end. CPU is user + system of the process that answers.\n"
    )
    print(report)
    if options.write:
        head = "# Gateway\n\n`python bench/gateway_passthrough.py --write`\n\n"
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(head + report)


if __name__ == "__main__":
    main()
