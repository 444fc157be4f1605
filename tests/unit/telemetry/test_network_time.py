"""SNTP against a real server on the loopback, right and wrong, and against everything that is no answer."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from troth.kernel.clock import SystemClock
from troth.kernel.errors import Unavailable
from troth.promises.checks.clocks import time_server
from troth.storage.database import metadata
from troth.storage.outbox import Outbox, pending
from troth.telemetry.network_time import NetworkTime, ask, stamp
from worlds import sqlite

_REPLY = struct.Struct("!BBbbII4sQQQQ")
Fields = list[object]


@pytest.mark.parametrize("ahead", [0.0, 90.0, -3.0])
def test_the_offset_of_a_server_is_measured(ahead: float) -> None:
    with time_server(ahead) as server:
        sample = ask(server)
    assert abs(sample.offset - ahead) < 1
    assert 0 <= sample.delay < 2


@contextmanager
def answering(change: Callable[[Fields], bytes]) -> Iterator[str]:
    """A server whose answer was changed; once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))

        def serve() -> None:
            question, asker = line.recvfrom(512)
            now = stamp(time.time())
            fields: Fields = [0b00_100_100, 2, 0, 0, 0, 0, b"", now, _REPLY.unpack_from(question)[-1], now, now]
            line.sendto(change(fields), asker)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{line.getsockname()[1]}"
        thread.join()


def changed(place: int, value: object) -> Callable[[Fields], bytes]:
    return lambda fields: _REPLY.pack(*(value if at == place else one for at, one in enumerate(fields)))


@pytest.mark.parametrize(
    "change",
    [
        changed(0, 0b00_100_011),  # a client
        changed(0, 0b11_100_100),  # not synchronized
        changed(1, 0),  # kiss of death
        changed(1, 16),
        changed(5, 2 << 16),  # two seconds from its source
        changed(8, 7),  # an answer to somebody else
        changed(9, 0),
        changed(10, 0),
        lambda _fields: b"short",
    ],
)
def test_what_is_no_fit_answer_is_none(change: Callable[[Fields], bytes]) -> None:
    with answering(change) as server, pytest.raises(Unavailable) as refusal:
        ask(server, seconds=0.2)
    assert refusal.value.code == "no-network-time"


def test_silence_and_nonsense_are_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        for server in (f"127.0.0.1:{line.getsockname()[1]}", "127.0.0.1:none"):
            with pytest.raises(Unavailable):
                ask(server, seconds=0.1)


def test_an_era_that_begins_in_2036_is_read() -> None:
    ahead = 2_120_000_000.0 - time.time()  # 2037
    with time_server(ahead) as server:
        assert ask(server).offset == pytest.approx(ahead, abs=5)


def test_over_the_limit_entries_are_marked_and_nothing_known_is_not_right(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    metadata.create_all(database.engine)
    recorder = Outbox(database)
    with time_server(90.0) as wrong, time_server(0.0) as fit:
        network_time = NetworkTime([wrong], 500, recorder, SystemClock())
        recorder.mark = lambda: network_time.mark
        assert not network_time.right()
        assert abs((network_time.look() or 0) - 90_000) < 1000
        assert (network_time.right(), network_time.mark) == (False, "off")
        network_time._servers = (fit,)
        network_time.look()
        assert (network_time.right(), network_time.mark) == (True, None)
    network_time._servers = ("127.0.0.1:none",)
    assert network_time.look() is None
    assert (network_time.right(), network_time.mark) == (False, None)
    recorder.close()
    with database.read() as connection:
        told = [json.loads(leaf) for _, _, leaf in pending(connection, 10)]
    database.close()
    assert [one.get("clock") for one in told] == ["off", None, None]
    assert [one.get("code") for one in told] == ["clock-off", None, "no-network-time"]


def test_without_servers_nothing_is_asked(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    recorder = Outbox(database)
    network_time = NetworkTime([], 500, recorder, SystemClock())
    assert (network_time.look(), network_time.configured, network_time.right()) == (None, False, False)
    recorder.close()
    database.close()
