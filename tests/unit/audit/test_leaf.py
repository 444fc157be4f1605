from __future__ import annotations

import pytest
import rfc8785

from log_world import entry
from troth.audit.leaf import columns, read_leaf


def test_the_columns_of_an_entry() -> None:
    leaf = rfc8785.dumps(entry("operator", 3, facts={"subject": "usr_b", "count": 2}).as_json())
    assert columns(leaf) == {
        "request": "req_3",
        "actor": "usr_a",
        "subject": "usr_b",
        "operation": "object.open",
        "outcome": "done",
        "time": 1_700_000_000_003,
    }


@pytest.mark.parametrize(
    "leaf", [b"", b"\xff", b"[1]", b'"x"', b"{", b"{} x", b"[" * 60_000, b'{"facts":[],"time":"x","actor":7}']
)
def test_no_leaf_can_block_the_log(leaf: bytes) -> None:
    assert set(columns(leaf).values()) == {None}


def test_a_leaf_that_a_database_would_refuse_is_cut() -> None:
    found = columns(b'{"actor":"a\\u0000b","request":"%s","time":99999999999999999999}' % (b"r" * 200))
    assert found["actor"] == "ab"
    assert found["request"] == "r" * 64
    assert found["time"] is None
    assert read_leaf(b"[]") == {}
