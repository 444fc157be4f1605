"""Films on one thread: in turn, stopped when nobody wants them, gone with the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from troth.gateway.vendors.film_room import FilmRoom
from troth.kernel.errors import TooMany, VendorFailed

Told = Callable[[int], None]


def until(room: FilmRoom, identifier: str, state: str) -> None:
    end = time.monotonic() + 20
    while room.look(identifier).state != state:
        assert time.monotonic() < end, room.look(identifier)
        time.sleep(0.005)


def test_one_after_the_other() -> None:
    room, gate = FilmRoom(), threading.Event()

    def slow(told: Told) -> bytes:
        told(40)
        gate.wait(20)
        return b"one"

    first, second = room.begin(slow), room.begin(lambda _: b"two")
    until(room, first, "in_progress")
    assert (room.look(second).state, room.look("film_other").state) == ("queued", "unknown")
    with pytest.raises(VendorFailed):
        room.content(first)
    gate.set()
    until(room, second, "completed")
    assert (room.content(first), room.content(second), room.look(first).progress) == (b"one", b"two", 100)
    room.forget(first)
    assert room.look(first).state == "unknown"
    room.close()


def test_who_forgets_stops_it() -> None:
    room, seen, stopped = FilmRoom(), threading.Event(), threading.Event()

    def endless(told: Told) -> bytes:
        try:
            while True:
                told(1)
                seen.set()
                time.sleep(0.005)
        finally:
            stopped.set()

    identifier = room.begin(endless)
    assert seen.wait(20)
    room.forget(identifier)
    assert stopped.wait(20)
    room.close()


def test_what_breaks_is_failed_and_the_next_is_made() -> None:
    room = FilmRoom()

    def broken(_: Told) -> bytes:
        raise ValueError

    first, second = room.begin(broken), room.begin(lambda _: b"two")
    until(room, second, "completed")
    assert room.look(first).state == "failed"
    room.close()


def test_a_closed_room_stops_within_a_frame() -> None:
    room = FilmRoom()

    def endless(told: Told) -> bytes:
        while True:
            told(1)
            time.sleep(0.005)

    until(room, room.begin(endless), "in_progress")
    room.close()
    assert room._thread is not None
    assert not room._thread.is_alive()


def test_it_holds_so_many() -> None:
    room, gate = FilmRoom(), threading.Event()

    def waiting(_: Told) -> bytes:
        gate.wait(20)
        return b""

    for _ in range(64):
        room.begin(waiting)
    with pytest.raises(TooMany):
        room.begin(waiting)
    gate.set()
    room.close()
