"""A vendor that hangs, floods, redirects, lies or breaks off: typed errors, bounded memory, no second run."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from gateway_world import Upstream, serving
from troth.gateway.vendors import channel as channel_module
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel
from troth.gateway.vendors.openai_compatible import OpenAICompatible
from troth.kernel.errors import Invalid, TooMany, TrothError, VendorFailed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def text(body: str, status: int = 200, **more: Any) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, **more)

    return handle


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2)
    return web.Response()


async def flood(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65536)
    except ConnectionError:
        return response


async def breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-length": "1000"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.abort()
    return response


async def endless_event(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"data: " + b"x" * 65536 + b"\n")
    except ConnectionError:
        return response


def code_of(handler: Handler, *, stream: bool = False, seconds: float = 0.5) -> str:
    async def go() -> str:
        async with serving(Upstream(handler=handler)) as upstream:
            channel = Channel(upstream.url, "sk", Limits(seconds, 4 << 20))
            vendor = OpenAICompatible(channel)
            try:
                with pytest.raises(TrothError) as refusal:
                    if stream:
                        async for _ in vendor.chat_stream({"stream": True}):
                            pass
                    else:
                        await vendor.chat({})
            finally:
                await channel.close()
            return refusal.value.code

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (hang, "vendor-timeout"),
        (flood, "vendor-flood"),
        (breaks_off, "vendor-failed"),
        (text("<html>hello</html>", content_type="text/html"), "vendor-bad-answer"),
        (text("[]"), "vendor-bad-answer"),
        (text("{}"), "vendor-bad-answer"),
        (text("[" * 200_000), "vendor-bad-answer"),
        (text("", 302, headers={"location": "http://127.0.0.1:1/"}), "vendor-redirected"),
        (text("jane", 500), "vendor-failed"),
        (text("jane", 401), "vendor-credential"),
        (text("jane", 404), "vendor-model-unknown"),
        (text("jane", 429), "vendor-busy"),
        (text("jane", 400), "vendor-refused-request"),
        (text('{"error": {"code": "moderation_blocked"}}', 400), "moderation-blocked"),
    ],
)
def test_answers_of_a_bad_vendor(handler: Handler, code: str) -> None:
    assert code_of(handler, seconds=0.5 if handler is hang else 60) == code


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (text('{"choices": []}', content_type="application/json"), "vendor-bad-answer"),
        (endless_event, "vendor-flood"),
        (text("data: nonsense\n\n", content_type="text/event-stream"), "vendor-bad-answer"),
        (text("data: {}\n\n", content_type="text/event-stream"), "vendor-truncated"),
    ],
)
def test_streams_of_a_bad_vendor(handler: Handler, code: str) -> None:
    assert code_of(handler, stream=True, seconds=60) == code


def test_messages_say_nothing_of_the_vendors_text() -> None:
    async def go() -> str:
        async with serving(Upstream(handler=text("jane.doe@example.com", 400))) as upstream:
            channel = Channel(upstream.url, "sk-secret", Limits(2))
            with pytest.raises(TrothError) as refusal:
                await channel.post("/chat/completions", lambda: {"json": {}}, bytes)
            await channel.close()
            return refusal.value.advice

    assert "jane" not in asyncio.run(go())


def test_unreachable_is_tried_again_then_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "_CONNECT_PAUSE", 0.01)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

        async def go() -> list[str]:
            channel, codes, bodies = Channel(url, None, Limits(5)), [], 0

            def body() -> dict[str, Any]:
                nonlocal bodies
                bodies += 1
                return {"json": {}}

            for _ in range(6):
                with pytest.raises(TrothError) as refusal:
                    await channel.post("/x", body, bytes)
                codes.append(refusal.value.code)
                if len(codes) == 1:
                    assert bodies == 3
            await channel.close()
            return codes

        assert asyncio.run(go()) == ["vendor-unreachable"] * 5 + ["vendor-resting"]


def test_a_request_that_was_sent_is_never_sent_again() -> None:
    count = 0

    async def once(request: web.Request) -> web.StreamResponse:
        nonlocal count
        count += 1
        return await breaks_off(request)

    assert code_of(once) == "vendor-failed"
    assert count == 1


def test_a_tls_1_2_vendor_is_refused_without_a_waiver() -> None:
    strict, waived = Channel("https://v.test", None, Limits()), Channel("https://v.test", None, Limits(), tls12=True)
    assert strict._tls.minimum_version.name == "TLSv1_3"
    assert waived._tls.minimum_version.name == "TLSv1_2"
    assert strict._tls.check_hostname


@pytest.mark.parametrize("back", [200, 400, 429])
def test_a_vendor_that_recovers_is_used_again(back: int) -> None:
    answers = iter([500] * 4 + [back])

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": []}, status=next(answers, 500))

    async def go() -> None:
        async with serving(Upstream(handler=handle)) as upstream:
            channel = Channel(upstream.url, None, Limits(5))
            vendor = OpenAICompatible(channel)
            for _ in range(4):
                with pytest.raises(VendorFailed):
                    await vendor.chat({})
            with contextlib.nullcontext() if back == 200 else pytest.raises((Invalid, TooMany)):
                await vendor.chat({})
            for _ in range(4):  # the count began anew
                with pytest.raises(VendorFailed):
                    await vendor.chat({})
            await channel.close()

    asyncio.run(go())
