"""The installation that the gateway's benchmark loads: `troth serve` in a process of its own, an approved upstream."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from troth.gateway.vendors.papers import CLAUSES, Contract, Tier, settled
from troth.gateway.vendors.record import DueDiligence, Offer, Retention
from troth.identity.keys import NewKey
from troth.identity.users import NewUser
from troth.settings.load import load
from troth.wiring import opened

DAY = 86_400_000


@dataclass(frozen=True)
class Server:
    """A running `troth serve`, and the seconds that it took to answer."""

    url: str
    token: str
    process: int
    authority: str
    started: float


def settings(folder: Path) -> dict[str, str]:
    """One installation below a folder, without limits and without anything that runs beside the load."""
    empty = folder / "troth.toml"
    empty.touch()
    return {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),  # kept by the first start, as an installation has it
        "TROTH_CONFIG": str(empty),
        "TROTH_DATA__FOLDER": str(folder / "data"),
        "TROTH_DATA__KEYS": str(folder / "keys"),
        "TROTH_SERVER__PORT": "0",
        "TROTH_SERVER__REQUESTS_PER_MINUTE": "100000000",
        "TROTH_SERVER__ANONYMOUS_PER_MINUTE": "100000000",
        "TROTH_GATEWAY__ALLOW_PLAIN_LOOPBACK_VENDORS": "true",
        "TROTH_PROMISES__FIRST_AFTER_SECONDS": "86400",
    }


@contextmanager
def serving(token: str = "") -> Iterator[Server]:
    """`troth serve`, once it answers /readyz."""
    program = [sys.executable, "-c", "from troth.cli.main import main; main()", "serve"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=kept) as process:
        try:
            address, authority = addresses(process)
            asyncio.run(once(f"{address}/readyz", ssl.create_default_context(cafile=authority)))
            yield Server(address, token, process.pid, authority, time.perf_counter() - begin)
        finally:
            process.terminate()


async def once(url: str, trust: ssl.SSLContext) -> None:
    """One GET that must succeed."""
    async with aiohttp.ClientSession() as client, client.get(url, ssl=trust) as response:
        assert response.status == 200, await response.text()


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
            diligence=settled(Tier.STANDARD, "svc_three", now, "ef" * 32),
            agreement="cd" * 32,
            agreement_ends=now + 30 * DAY,
            contract=Contract(parties=("Bench", "Us"), clauses=CLAUSES, starts=now),
            retention=Retention.ZERO,
            jurisdictions=("eu",),
            regions=("here",),
            moderation="bench",
        )
        system.gateway.vendors.add("bench", facts, None, "svc_one")
        system.gateway.vendors.approve("bench", "svc_two")
    return key.token
