"""Requests are counted for each credential and each address, a minute at a time."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from troth.http.limits import RateLimit
from troth.kernel.caller import Caller, anonymous
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
        limit.check(_request(), anonymous())
    with pytest.raises(TooMany):
        limit.check(_request(), anonymous())
    seconds.now = 60.0
    limit.check(_request(), anonymous())


def test_one_does_not_use_up_what_is_another_s(limit: RateLimit) -> None:
    for _ in range(3):
        limit.check(_request(), Caller("key_one", "api-key"))
    with pytest.raises(TooMany):
        limit.check(_request(host="10.0.0.2"), Caller("key_one", "api-key"))
    limit.check(_request(), Caller("key_two", "api-key"))
    limit.check(_request(), anonymous())


def test_a_made_up_credential_counts_as_its_address(limit: RateLimit) -> None:
    for number in range(2):
        limit.check_stranger(_request(authorization=f"Bearer {number}", cookie=f"__Host-sid={number}"))
    with pytest.raises(TooMany):
        limit.check_stranger(_request(authorization="Bearer 3", cookie="__Host-sid=3"))
    with pytest.raises(TooMany):
        limit.check(_request(cookie="__Host-sid=4"), anonymous())


def test_a_customer_s_ipv6_addresses_count_as_one(limit: RateLimit) -> None:
    for number in range(2):
        limit.check_stranger(_request(host=f"2620:fe:0:1::{number}"))
    with pytest.raises(TooMany):
        limit.check_stranger(_request(host="2620:fe:0:1:dead:beef::1"))
    limit.check_stranger(_request(host="2620:fe:0:2::1"))


def test_a_full_table_forgets_who_was_silent_longest(limit: RateLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.http.limits._MOST_NAMES", 3)
    for _ in range(3):
        limit.check(_request(), Caller("key_one", "api-key"))
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3", "10.0.0.4"):
        limit.check_stranger(_request(host=host))
    with pytest.raises(TooMany):
        limit.check_stranger(_request(host="10.0.0.1"))
    with pytest.raises(TooMany):
        limit.check(_request(), Caller("key_one", "api-key"))
