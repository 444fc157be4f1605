"""Opaque ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import Invalid
from troth.kernel.ids import id_bytes, id_from_bytes, new_id


@given(st.binary(min_size=16, max_size=16))
def test_bytes_survive_the_text_form(raw: bytes) -> None:
    assert id_bytes(id_from_bytes("obj", raw)) == raw


def test_two_ids_differ() -> None:
    assert new_id("obj") != new_id("obj")


@given(st.text(max_size=40))
def test_anything_else_is_a_typed_refusal(text: str) -> None:
    try:
        raw = id_bytes(text)
    except Invalid as error:
        assert error.code == "bad-id"
    else:
        assert len(raw) == 16
