"""The adapter to clamd against a small server that speaks INSTREAM as clamd(8) says, with its own signature."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from troth.gateway.intake.clamd import Clamd
from troth.kernel.errors import Invalid, Unavailable

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MOST = 1 << 20  # bytes of one stream, as StreamMaxLength
Reply = Callable[[bytes], bytes]


def verdict(content: bytes) -> bytes:
    known = hashlib.sha256(content).digest() == hashlib.sha256(EICAR).digest()
    return b"stream: Eicar-Test.UNOFFICIAL FOUND\0" if known else b"stream: OK\0"


def exactly(line: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = line.recv(count - len(got))
        if not piece:
            raise ConnectionError
        got += piece
    return got


def serve(listener: socket.socket, reply: Reply) -> None:
    with contextlib.suppress(OSError):
        while True:
            line, _ = listener.accept()
            with line, contextlib.suppress(OSError):
                assert exactly(line, 10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack(">I", exactly(line, 4))[0]:
                    content += exactly(line, size)
                    if len(content) > MOST:
                        line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                        break
                else:
                    line.sendall(reply(content))


@contextlib.contextmanager
def daemon(address: tuple[str, int] | str, reply: Reply = verdict) -> Iterator[str]:
    """A server, and its address as the setting has it."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener, reply), daemon=True)
        thread.start()
        yield f"unix:{address}" if isinstance(address, str) else f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="clamd-"))  # the path of a UNIX socket has 107 bytes
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_clean_and_known_content(folder: Path, kind: str) -> None:
    with daemon(str(folder / "s") if kind == "unix" else ("127.0.0.1", 0)) as address:
        clamd = Clamd(address, 5)
        clamd.examine(b"hello")
        clamd.examine(bytes(300_000))
        with pytest.raises(Invalid) as refusal:
            clamd.examine(EICAR)
        assert refusal.value.code == "malware-found"
        assert "Eicar" not in refusal.value.advice


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0",
        b"OK\0",
        b"stream: OK",
        b"stream: OK but\0",
        b"stream: scan failed ERROR\0",
        b"HTTP/1.1 200 OK\r\n\r\n\0",
        b"x" * 100_000,
    ],
)
def test_any_other_answer_refuses(folder: Path, reply: bytes) -> None:
    with daemon(str(folder / "s"), lambda _: reply) as address, pytest.raises(Unavailable) as refusal:
        Clamd(address, 1).examine(b"hello")
    assert refusal.value.code == "antivirus-away"


def test_a_stream_that_is_too_long_for_the_daemon_refuses(folder: Path) -> None:
    with daemon(str(folder / "s")) as address, pytest.raises(Unavailable):
        Clamd(address, 5).examine(bytes(3 << 20))


def test_nobody_there_or_nobody_answering_refuses(folder: Path) -> None:
    with pytest.raises(Unavailable):
        Clamd(f"unix:{folder / 'nobody'}", 1).examine(b"hello")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(folder / "mute"))
        mute.listen()
        with pytest.raises(Unavailable):
            Clamd(f"unix:{folder / 'mute'}", 0.2).examine(b"hello")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable):
            Clamd(f"127.0.0.1:{taken.getsockname()[1]}", 1).examine(b"hello")
