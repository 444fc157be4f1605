from __future__ import annotations

import pytest
from starlette.requests import Request

from troth.http.room import Room, take_room
from troth.kernel.errors import Unavailable


def request() -> Request:
    return Request({"type": "http"})


def test_what_is_taken_comes_back_however_it_ends() -> None:
    room, first, second = Room(100), request(), request()
    with room.share(first):
        take_room(first, 60)
        with pytest.raises(Unavailable) as refusal, room.share(second):
            take_room(second, 40)
            take_room(second, 1)
        assert refusal.value.code == "no-room"
        assert room.taken == 60
        with room.share(second):
            take_room(second, 40)
    assert room.taken == 0


def test_who_has_no_share_is_not_counted() -> None:
    take_room(request(), 1 << 40)


def test_one_address_leaves_room_for_others() -> None:
    room = Room(100, 50)
    first, second, other = (Request({"type": "http", "client": (host, 1)}) for host in ("::1", "::2", "2620:fe::1"))
    with room.share(first), room.share(second), room.share(other):
        take_room(first, 40)
        with pytest.raises(Unavailable):
            take_room(second, 11)  # of the same /64
        take_room(second, 10)
        take_room(other, 50)
    with room.share(first):
        take_room(first, 50)
