"""What certificates of devices cost: issuing, the handshake, and each request, beside plain TLS in the same run.

    .venv/bin/python bench/mtls.py [--rounds 300] [--write]

Server and client share this process and its lock, so latencies are upper bounds; compare within the run. `--write`
replaces bench/results/mtls.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from certified_town import Town, asked, issuer_of, now, town
from troth.identity.certificates.issuing import fresh_key, leaf_certificate
from troth.identity.certificates.names import SpiffeName
from troth.identity.certificates.reading import read_shown
from troth.kernel.caller import Connection
from troth.kernel.scope import SYSTEM, within

Row = tuple[str, str, str]


def each(work: Callable[[], object], rounds: int) -> float:
    """Microseconds of CPU for one round."""
    work()
    begun = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - begun) / rounds * 1e6


def issuing(home: Town, rounds: int) -> list[Row]:
    """From the bare signature to the whole of it."""
    authorities = home.parts.authorities
    issuer, key, holder = issuer_of(authorities.trusted()[-1]), home.authority_key(), fresh_key().public_key()
    name = SpiffeName("localhost", "ten_a", "device", "dev_b")
    signature = each(lambda: key.sign(b"x" * 500, ec.ECDSA(hashes.SHA256())), rounds)
    leaf = each(lambda: leaf_certificate(name, holder, issuer, key, now()), rounds)
    whole = each(lambda: authorities.certify("ten_a", "device", "dev_b", holder), rounds)
    return [
        ("P-256 signature, the limit", f"{signature:.0f} µs", "CPU"),
        ("certificate built and signed", f"{leaf:.0f} µs", "CPU"),
        ("the same with its authority found", f"{whole:.0f} µs", f"CPU; {1e6 / whole:.0f} a second and core"),
    ]


def judging(home: Town, rounds: int) -> list[Row]:
    """What each request with a session pays."""
    ada = home.tenant("bench")
    device = home.device(ada)
    plain, bound = home.session(ada), home.session(ada)
    identity = home.installation.troth.system.identity
    over = Connection("TLSv1.3", "loopback", mtls=True, certificate=device.shown.certificate)
    off = Connection("TLSv1.3", "loopback")
    certificate = device.shown.certificate
    with within(SYSTEM):
        identity.device_sessions.authenticate(bound, over)
        alone = each(lambda: identity.sessions.authenticate(plain, off), rounds)
        unbound = each(lambda: identity.device_sessions.authenticate(plain, off), rounds)
        device_too = each(lambda: identity.device_sessions.authenticate(bound, over), rounds)
        read = each(lambda: (read_shown.cache_clear(), read_shown(certificate)), rounds)
    return [
        ("session authenticated, no look at devices", f"{alone:.0f} µs", "CPU"),
        ("the same, and it is bound to none", f"{unbound:.0f} µs", "CPU; every request at the first port"),
        ("the same, bound, over its certificate", f"{device_too:.0f} µs", "CPU; every request at the second port"),
        ("certificate read for the first time", f"{read:.0f} µs", "CPU; once an hour and device"),
    ]


def requests(home: Town, rounds: int) -> list[Row]:
    """A request on a connection that stands, and one with its handshake; both doors in turn."""
    ada = home.tenant("doors")
    device, plain, bound = home.device(ada), home.session(ada), home.session(ada)
    took: dict[tuple[str, bool], list[float]] = {
        (kind, first): [] for kind in ("kept", "fresh") for first in (True, False)
    }
    with home.line(first=True) as one, home.line(device.shown) as two:
        for _ in range(rounds):
            for line, token, first in ((one, plain, True), (two, bound, False)):
                begun = time.perf_counter()
                assert asked(line, "GET", "/v1/me", token).status == 200
                took["kept", first].append(time.perf_counter() - begun)
    for _ in range(rounds // 4):
        for token, shown, first in ((plain, None, True), (bound, device.shown, False)):
            begun = time.perf_counter()
            assert home.ask("GET", "/v1/me", token, shown, first=first).status == 200
            took["fresh", first].append(time.perf_counter() - begun)
    shown = {"kept": "GET /v1/me on a connection that stands", "fresh": "GET /v1/me with its handshake"}
    rows = []
    for kind, text in shown.items():
        tls, mtls = (statistics.median(took[kind, first]) * 1e3 for first in (True, False))
        rows.append((text, f"{tls:.2f} ms, {mtls:.2f} ms", f"p50, TLS and mTLS: factor {mtls / tls:.2f}"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, town(Path(folder)) as home:
        found = [row for part in (issuing, judging, requests) for row in part(home, chosen.rounds)]
    for name, figure, detail in found:
        print(f"{name:46} {figure:>20}  {detail}")
    if chosen.write:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.0f} beside it"
        lines = [
            "# What certificates of devices cost",
            "",
            f"`.venv/bin/python bench/mtls.py --rounds {chosen.rounds} --write`, {datetime.now(UTC):%Y-%m-%d}, SQLite; "
            f"{machine}. Server and client share one process: compare within the run.",
            "",
            "| What | Figure | |",
            "|---|---|---|",
            *(f"| {name} | {figure} | {detail} |" for name, figure, detail in found),
        ]
        (Path(__file__).parent / "results" / "mtls.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
