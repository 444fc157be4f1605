"""How the gateway's benchmark asks, and what it reads of processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import ssl
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Gateway:
    """What is loaded. `processes`: the roots of its process trees."""

    name: str
    url: str
    processes: tuple[int, ...]
    token: str = ""
    authority: str | None = None
    started: float = 0.0
    at_start: float = 0.0

    def context(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context(cafile=self.authority) if self.authority else True

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True)
class Load:
    """What connections got that wait for each answer. Latencies in ms."""

    requests: int
    per_second: float
    middle: float
    slow: float


def family(roots: tuple[int, ...]) -> list[int]:
    """The processes and their children."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := entry / "stat").exists():
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found = list(roots)
    for one in found:
        found += parents.get(one, [])
    return found


def cpu_ms(roots: tuple[int, ...]) -> float:
    """User plus system time in ms."""
    ticks = 0
    for process in family(roots):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def resident_mb(roots: tuple[int, ...]) -> float:
    """Resident memory in MB."""
    pages = sum(int(Path(f"/proc/{process}/statm").read_text().split()[1]) for process in family(roots))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def with_wrk(of: Gateway, path: str, sent: dict[str, Any] | None, connections: int, seconds: float) -> Load:
    """By wrk, which costs little of the machine that the gateway also needs."""
    command = ["wrk", "-c", str(connections), "-t", "1", "-d", f"{seconds:.0f}s", "--latency", "--timeout", "30s"]
    for name, value in of.headers().items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if sent is not None:
            script.write(
                f'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
                f"wrk.body = [==[{json.dumps(sent)}]==]\n"
            )
            script.flush()
            command += ["-s", script.name]
        said = subprocess.run([*command, of.url + path], capture_output=True, text=True, check=True).stdout
    assert not re.search("Non-2xx|Socket errors", said), said
    spread = {name: number(value) for name, value in re.findall(r"^ +(50|99)% +(\S+) *$", said, re.MULTILINE)}
    rate, asked = re.search(r"Requests/sec: +(\S+)", said), re.search(r"(\d+) requests in", said)
    assert rate, said
    assert asked, said
    return Load(int(asked[1]), float(rate[1]), spread["50"], spread["99"])


def number(text: str) -> float:
    """Milliseconds from wrk's `1.2us`, `3.4ms`, `5.6s` or `1.2m`."""
    value, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[unit]


async def with_python(of: Gateway, path: str, sent: dict[str, Any] | None, connections: int, seconds: float) -> Load:
    """The same from Python, which takes a core of its own."""
    taken: list[float] = []
    begin, trust = time.perf_counter(), of.context()

    async def work(client: aiohttp.ClientSession) -> None:
        while time.perf_counter() < begin + seconds:
            start = time.perf_counter()
            async with client.request("POST" if sent else "GET", of.url + path, json=sent, ssl=trust) as response:
                await response.read()
                assert response.status == 200
            taken.append((time.perf_counter() - start) * 1000)

    async with aiohttp.ClientSession(headers=of.headers()) as client:
        await asyncio.gather(*(work(client) for _ in range(connections)))
    taken.sort()
    return Load(len(taken), len(taken) / (time.perf_counter() - begin), statistics.median(taken),
                taken[int(len(taken) * 0.99)])  # fmt: skip


def loaded(of: Gateway, path: str, sent: dict[str, Any] | None, connections: int, seconds: float) -> Load:
    """By wrk where it is installed, else by Python."""
    if shutil.which("wrk"):
        return with_wrk(of, path, sent, connections, seconds)
    return asyncio.run(with_python(of, path, sent, connections, seconds))
