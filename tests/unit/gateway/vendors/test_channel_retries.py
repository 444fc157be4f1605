"""When a request is sent to the same vendor again: never by chance, and with one key for both."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from gateway_world import Upstream, serving
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel, _pause
from troth.kernel.errors import TrothError


def asked(answers: list[web.Response | None], *, idempotent: bool = False) -> tuple[str, Upstream, Channel]:
    """How a POST ended when the vendor answers so, one after the other; None breaks the connection."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        given = left.pop(0)
        if given is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return given

    async def go() -> tuple[str, Upstream, Channel]:
        async with serving(Upstream(handler=answer)) as upstream:
            channel = Channel(upstream.url, "sk", Limits(seconds=5, idempotent=idempotent))
            try:
                ended = (await channel.post("/chat/completions", lambda: {"json": {}}, bytes)).decode()
            except TrothError as refusal:
                ended = refusal.code
            finally:
                await channel.close()
            return ended, upstream, channel

    return asyncio.run(go())


def yes() -> web.Response:
    return web.Response(text="yes")


def busy(status: int = 429, after: str | None = "0") -> web.Response:
    return web.Response(status=status, headers={} if after is None else {"Retry-After": after})


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_pause_that_the_vendor_asks_for_is_kept_and_the_request_sent_again(status: int) -> None:
    ended, upstream, channel = asked([busy(status), yes()])
    assert (ended, len(upstream.headers), channel.health.resting) == ("yes", 2, False)


def test_a_long_pause_is_not_waited_for_and_the_vendor_gets_nothing_until_then() -> None:
    ended, upstream, channel = asked([busy(after="60"), yes()])
    assert (ended, len(upstream.headers), channel.health.resting) == ("vendor-busy", 1, True)


def test_twice_busy_is_busy() -> None:
    ended, upstream, _ = asked([busy(), busy(after="30"), yes()])
    assert (ended, len(upstream.headers)) == ("vendor-busy", 2)


@pytest.mark.parametrize(("status", "code"), [(429, "vendor-busy"), (503, "vendor-overloaded"), (500, "vendor-failed")])
def test_without_a_word_about_when_nothing_is_sent_again(status: int, code: str) -> None:
    ended, upstream, _ = asked([busy(status, after=None), yes()])
    assert (ended, len(upstream.headers)) == (code, 1)


@pytest.mark.parametrize("first", [None, 500, 503])
def test_a_failed_request_is_sent_again_only_under_one_idempotency_key(first: int | None) -> None:
    def failure() -> web.Response | None:
        return None if first is None else busy(first, after=None)

    ended, upstream, _ = asked([failure(), yes()], idempotent=True)
    keys = {headers.get("Idempotency-Key") for headers in upstream.headers}
    assert (ended, len(upstream.headers), len(keys), None in keys) == ("yes", 2, 1, False)
    ended, upstream, _ = asked([failure(), yes()])
    assert ended != "yes"
    assert len(upstream.headers) == 1
    assert "Idempotency-Key" not in upstream.headers[0]


def test_a_refused_request_is_never_sent_again() -> None:
    ended, upstream, _ = asked([web.Response(status=400), yes()], idempotent=True)
    assert (ended, len(upstream.headers)) == ("vendor-refused-request", 1)


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("Wed, 01 Jan 2099 00:00:00 GMT", 10**8, 10**11),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 0, 0),
        ("-1", None, None),
        ("soon", None, None),
        ("9" * 100, None, None),
        (None, None, None),
    ],
    ids=["number", "date", "past", "negative", "word", "endless", "none"],
)
def test_when_to_come_again_is_a_number_or_a_date(header: str | None, low: int | None, high: int | None) -> None:
    seconds = _pause(header)
    if low is None or high is None:
        assert seconds is None
    else:
        assert seconds is not None
        assert low <= seconds <= high
