"""A real Redis server for tests of limits, on a Unix socket or with TLS and a password, and time that they set."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from troth.gateway.limits.buckets import Claim
from troth.gateway.limits.rules import Moment, moment, rule
from troth.gateway.limits.valkey import ValkeyBuckets
from troth.kernel.errors import Unavailable

START = 1_795_000_000_000  # in November 2026
LEASE = ("req_1", START + 600_000)


def at(later_ms: int = 0) -> Moment:
    """So much after the tests' beginning."""
    return moment(START + later_ms)


def claim(name: str, most: int, amount: int = 1, bucket: str = "b") -> Claim:
    """A claim on a limit by its name."""
    return Claim(f"{{t}}:{bucket}:{name}", rule(name), most, amount)


def no_seed(_place: int) -> int:
    """Sums begin at 0."""
    return 0


@contextmanager
def redis_server(*options: str, socket: bool = True) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server with nothing in it that writes nothing; its process, and its address when it has a socket."""
    program = shutil.which("redis-server")
    assert program is not None, "apt-get install redis-server"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "s"
        reached = ["--port", "0", "--unixsocket", str(place)] if socket else []
        quiet = ["--save", "", "--appendonly", "no", "--dir", folder, "--logfile", str(Path(folder) / "log")]
        running = subprocess.Popen([program, *reached, *quiet, *options])
        try:
            if socket:
                _wait(ValkeyBuckets(f"unix://{place}"))
            yield running, f"unix://{place}"
        finally:
            running.kill()
            running.wait()


def _wait(store: ValkeyBuckets) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            store.take([], at(), LEASE, no_seed)
        except Unavailable:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            store.close()
            return
