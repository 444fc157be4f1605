"""Providers of others as processes of their own."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def started(*command: str | Path, ready: str, **options: object) -> Iterator[subprocess.Popen[str]]:
    """A process that says when it is ready."""
    process = subprocess.Popen(
        [str(one) for one in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )  # type: ignore[call-overload]
    said = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise AssertionError("".join(said))
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield process
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        drain.join(10)
        process.stdout.close()
