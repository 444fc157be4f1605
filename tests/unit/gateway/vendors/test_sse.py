from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.vendors.sse import MAX_EVENT, EventReader, encode
from troth.kernel.errors import VendorFailed

STREAM = (
    b': ping\r\n\r\ndata: {"a": 1}\r\n\r\nevent: x\nid: 1\ndata:two\ndata: lines\n\ndata: \xc3\xa9\n\ndata: [DONE]\n\n'
)
EVENTS = ['{"a": 1}', "two\nlines", "é", "[DONE]"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_cuts_change_nothing(cuts: list[int]) -> None:
    reader, events, last = EventReader(), [], 0
    for cut in [*sorted(cuts), len(STREAM)]:
        events += reader.feed(STREAM[last:cut])
        last = cut
    assert events == EVENTS


@pytest.mark.parametrize(
    "piece",
    [
        b"data: " + b"x" * MAX_EVENT,
        b"data: xxxxxxxx\n" * (MAX_EVENT // 8),
        b"\xff" * (MAX_EVENT + 1),
        b"data:\n" * (MAX_EVENT + 1),
    ],
)
def test_an_endless_event_is_refused(piece: bytes) -> None:
    reader = EventReader()
    with pytest.raises(VendorFailed) as refusal:
        list(reader.feed(piece))
        list(reader.feed(b"data: more"))
    assert refusal.value.code == "vendor-flood"


def test_what_is_no_utf8_is_refused() -> None:
    with pytest.raises(VendorFailed):
        list(EventReader().feed(b"data: \xff\n\n"))


def test_encode_is_what_the_reader_reads() -> None:
    assert list(EventReader().feed(encode("é"))) == ["é"]


def test_many_small_pieces_cost_no_more_than_few_large_ones() -> None:
    """Quadratic work on one line of a megabyte, byte by byte, would take minutes."""
    line = b"data: " + b"x" * (MAX_EVENT - 16)
    reader, started = EventReader(), time.process_time()
    for at in range(len(line)):
        assert not list(reader.feed(line[at : at + 1]))
    assert [len(event) for event in reader.feed(b"\n\n")] == [MAX_EVENT - 16]
    assert time.process_time() - started < 10
