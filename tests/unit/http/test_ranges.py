"""One range of bytes (RFC 9110 section 14), and what gets the whole."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from troth.http.ranges import ranged

WHOLE = b"0123456789"


def asked(wanted: str | None, condition: str | None = None) -> Response:
    return ranged(Response(WHOLE, media_type="video/mp4"), wanted, condition)


@pytest.mark.parametrize(
    ("wanted", "part", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", WHOLE, "bytes 0-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("Bytes=9-9", b"9", "bytes 9-9/10"),
    ],
)
def test_a_part(wanted: str, part: bytes, told: str) -> None:
    response = asked(wanted)
    assert (response.status_code, bytes(response.body), response.headers["content-range"]) == (206, part, told)
    assert response.headers["content-length"] == str(len(part))
    assert response.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=12-14", "bytes=5-4", "bytes=-0"])
def test_beyond_the_end(wanted: str) -> None:
    response = asked(wanted)
    assert (response.status_code, response.headers["content-range"], bytes(response.body)) == (416, "bytes */10", b"")


@pytest.mark.parametrize(
    "wanted", [None, "", "bytes=-", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b", "bytes=" + "9" * 40 + "-"]
)
def test_the_whole(wanted: str | None) -> None:
    response = asked(wanted)
    assert (response.status_code, bytes(response.body), response.headers["accept-ranges"]) == (200, WHOLE, "bytes")


def test_a_condition_that_cannot_be_judged_gets_the_whole() -> None:
    assert asked("bytes=0-3", '"etag"').status_code == 200
