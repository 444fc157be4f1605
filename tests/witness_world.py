"""A log in memory and a witness in a folder, for tests of both."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from click.testing import CliRunner
from starlette.types import ASGIApp, Receive, Scope, Send

from log_world import TestKey
from troth.audit import merkle
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.cosignature import Ed25519Cosigner, MlDsa44Cosigner
from troth.audit.merkle import leaf_hash, node_hash
from troth.audit.note import VerifierKey, parse_note
from troth.audit.witness import Submission, Witness, WitnessRecords
from troth.cli.witness import witness
from troth.kernel.clock import Clock
from troth.storage.blobs import LocalBlobs
from worlds import MovableClock

ORIGIN = "troth.test/log/operator"


@dataclass
class GrowingLog:
    """Leaves in memory, a key, and whatever it wants to say about them."""

    origin: str = ORIGIN
    leaves: list[bytes] = field(default_factory=list)
    seed: bytes = b"\x07" * 32

    def __post_init__(self) -> None:
        self.key = TestKey(self.origin, self.seed)
        self.vkey = VerifierKey(self.origin, self.key.public_key)

    def grow(self, count: int, tag: bytes = b"") -> GrowingLog:
        self.leaves += [leaf_hash(tag + str(len(self.leaves) + at).encode()) for at in range(count)]
        return self

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        size = len(self.leaves) if size is None else size
        return Checkpoint(self.origin, size, merkle.root(self._node, size))

    def note(self, size: int | None = None) -> bytes:
        made = self.checkpoint(size)
        return signed(made, self.vkey, self.key.sign(made.text().encode()))

    def ask(self, old: int, size: int | None = None) -> bytes:
        """An add-checkpoint body with a true proof from `old` to `size`."""
        made = self.checkpoint(size)
        proof = merkle.consistency(self._node, old, made.size) if 0 < old < made.size else []
        return Submission(old, tuple(proof), parse_note(self.note(size)), made).encode()

    def _node(self, height: int, position: int) -> bytes:
        if height == 0:
            return self.leaves[position]
        return node_hash(self._node(height - 1, 2 * position), self._node(height - 1, 2 * position + 1))


def witness_in(folder: Path, *logs: GrowingLog, clock: Clock | None = None) -> Witness:
    """A witness for these logs whose records lie in `folder`; made on first use."""
    records, fresh = WitnessRecords(LocalBlobs(folder)), not (folder / "logs").exists()
    for log in logs if fresh else ():
        records.begin(log.origin)
    cosigners = [Ed25519Cosigner("w.test/1", b"\x01" * 32), MlDsa44Cosigner("w.test/1", b"\x02" * 32)]
    return Witness({log.origin: [log.vkey] for log in logs}, records, cosigners, clock or MovableClock())


def command(*arguments: object) -> str:
    """`troth witness …` in this process; its output."""
    result = CliRunner().invoke(witness, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def verifiers(folder: Path) -> list[VerifierKey]:
    """The keys of a witness on disk."""
    return [VerifierKey.parse(key) for key in re.findall(r"^witness \S+ (\S+) <url>$", command("show", folder), re.M)]


@contextmanager
def running_witness(
    folder: Path, port: int = 0, host: str = "127.0.0.1", *more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`troth witness run` as a process of its own, and where it answers."""
    program = [sys.executable, "-c", "from troth.cli.main import main; main()"]
    arguments = [*program, "witness", "run", str(folder), "--listen", f"{host}:{port}", *more]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.kill()


@contextmanager
def answering(app: ASGIApp) -> Iterator[str]:
    """An application behind real HTTP on loopback, in a thread; its address."""
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True  # what is still being answered is cut off
            thread.join()


@dataclass
class Scripted:
    """A door that says what it was told to, and remembers what it was asked."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    pieces: int = 1
    pause: float = 0.0
    asked: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.asked.append(body)
        headers = [(b"content-type", self.media_type.encode()), (b"location", b"/elsewhere")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for at in range(self.pieces):
            await asyncio.sleep(self.pause)
            await send({"type": "http.response.body", "body": self.body, "more_body": at + 1 < self.pieces})
