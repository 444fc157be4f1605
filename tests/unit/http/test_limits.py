"""Requests are counted for each credential and each address, a minute at a time."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from troth.http.limits import RateLimit
from troth.kernel.errors import TooMany


class Seconds:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _request(host: str = "10.0.0.1", **headers: str) -> HTTPConnection:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "client": (host, 1)})


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def limit(seconds: Seconds) -> RateLimit:
    return RateLimit(3, 2, seconds)


def test_the_limit_is_refused_and_the_next_minute_is_fresh(limit: RateLimit, seconds: Seconds) -> None:
    for _ in range(2):
        limit.check(_request())
    with pytest.raises(TooMany):
        limit.check(_request())
    seconds.now = 60.0
    limit.check(_request())


def test_one_does_not_use_up_what_is_another_s(limit: RateLimit) -> None:
    for _ in range(3):
        limit.check(_request(authorization="Bearer one"))
    with pytest.raises(TooMany):
        limit.check(_request(authorization="Bearer one"))
    limit.check(_request(authorization="Bearer two"))
    limit.check(_request())


def test_a_session_cookie_is_a_credential(limit: RateLimit) -> None:
    for _ in range(3):
        limit.check(_request(cookie="__Host-sid=x"))
    with pytest.raises(TooMany):
        limit.check(_request(cookie="__Host-sid=x"))
