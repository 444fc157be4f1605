"""Opaque ids."""

from __future__ import annotations

import os
import time

from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import Invalid
from troth.kernel.ids import _AHEAD, _drawn, id_bytes, id_from_bytes, new_id


@given(st.binary(min_size=16, max_size=16))
def test_bytes_survive_the_text_form(raw: bytes) -> None:
    assert id_bytes(id_from_bytes("obj", raw)) == raw


def test_ids_differ() -> None:
    assert len({new_id("obj") for _ in range(3 * _AHEAD)}) == 3 * _AHEAD


def test_a_forked_process_draws_its_own() -> None:
    new_id("obj")
    assert _drawn
    mine, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, new_id("obj").encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(mine, 64).decode() not in {new_id("obj") for _ in range(_AHEAD)}


@given(st.text(max_size=40))
def test_anything_else_is_a_typed_refusal(text: str) -> None:
    try:
        raw = id_bytes(text)
    except Invalid as error:
        assert error.code == "bad-id"
    else:
        assert len(raw) == 16


def test_the_id_of_a_request_begins_with_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = [new_id("req") for _ in range(3)]
    after = time.time_ns() // 1_000_000
    times = [int.from_bytes(id_bytes(one)[:6], "big") for one in made]
    assert before <= times[0] <= times[1] <= times[2] <= after
    assert len({id_bytes(one)[6:] for one in made}) == 3
