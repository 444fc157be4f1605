"""Who is asked, who steps in, and what the receipt says of it: two real upstreams, the whole road."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from gateway_world import DAY, PERSON, TENANT, Upstream, World, chunks_of, completion, due_diligence, event, serving
from troth.gateway.departing import Wanted
from troth.gateway.places import CHAT
from troth.gateway.store import receipts_of_vendor
from troth.gateway.vendors.breaker import FAILURES
from troth.gateway.vendors.openai_compatible import OpenAICompatible
from troth.gateway.vendors.record import Retention
from troth.gateway.vendors.routing import RoutingPolicy
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.receipts import Receipt
from troth.kernel.errors import TrothError, VendorFailed

Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


def status(code: int, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return answer


async def broken(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def chat(stream: bool = False) -> CompleteChat:
    body = {"model": "acme-chat", "messages": [{"role": "user", "content": "hello"}], "stream": stream}
    return CompleteChat.model_validate(body)


class Town:
    """Acme and Bravo, each with an upstream of its own, in that order."""

    def __init__(self, world: World, first: Handler | None = None, **other: Any) -> None:
        self.world = world
        self.acme = Upstream(handler=first)
        self.bravo = Upstream(chat=lambda _: completion("from bravo"), chunks=lambda _: [
            event([{"index": 0, "delta": {"content": "from bravo"}}]), b"data: [DONE]\n\n"])  # fmt: skip
        self.other = other

    async def __aenter__(self) -> Town:
        self.stack = AsyncExitStack()
        await self.stack.enter_async_context(serving(self.acme))
        await self.stack.enter_async_context(serving(self.bravo))
        self.world.add_vendor(self.acme.url, vendor="acme")
        self.world.add_vendor(self.bravo.url, vendor="bravo", **self.other)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    async def ask(self, stream: bool = False) -> tuple[str, Receipt]:
        """The text, or the code of the refusal, and the receipt."""
        call = self.world.call()
        try:
            answer = await self.world.chat.complete(call, chat(stream))
            if stream:
                chunks = await chunks_of(answer)
                text = "".join(c["delta"].get("content") or "" for one in chunks for c in one["choices"])
            else:
                text = answer.choices[0]["message"]["content"]
        except TrothError as refusal:
            text = refusal.code
        self.world.close(call)
        return text, self.world.receipts.show(TENANT, PERSON, call.request_id)


def run(world: World, work: Callable[[Town], Coroutine[Any, Any, Any]], first: Handler | None, **other: Any) -> Any:
    async def go() -> Any:
        async with Town(world, first, **other) as town:
            return await work(town)

    return world.run(go())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("code", [429, 503, 401, 404])
def test_another_steps_in_when_the_first_says_that_nothing_was_done(world: World, code: int, stream: bool) -> None:
    async def work(town: Town) -> None:
        text, receipt = await town.ask(stream)
        assert text == "from bravo"
        assert [one.vendor for one in receipt.attempts] == ["acme", "bravo"]
        assert receipt.attempts[0].outcome.startswith("vendor-")
        assert (receipt.vendor, receipt.outcome) == ("acme", "answered")
        assert receipt.routing is not None
        assert [one.vendor for one in receipt.routing.may_step_in] == ["bravo"]
        assert town.bravo.requests[0]["model"] == "upstream-chat"
        assert town.bravo.requests[0]["store"] is False

    run(world, work, status(code))


@pytest.mark.parametrize("first", [status(500), broken, status(400), status(302)], ids=["500", "cut", "400", "302"])
def test_nobody_steps_in_when_the_request_may_have_run(world: World, first: Handler) -> None:
    async def work(town: Town) -> None:
        text, receipt = await town.ask()
        assert text.startswith("vendor-")
        assert (receipt.outcome, receipt.attempts) == (text, ())
        assert town.bravo.received == b""

    run(world, work, first)


def test_nobody_steps_in_for_what_the_first_ones_policy_forbids(world: World) -> None:
    async def blocked(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"code": "content_policy_violation"}}, status=429)

    async def work(town: Town) -> None:
        assert (await town.ask())[0] == "moderation-blocked"
        assert town.bravo.received == b""

    run(world, work, blocked)


def test_nobody_steps_in_after_the_first_chunk(world: World) -> None:
    async def work(town: Town) -> None:
        town.acme.chunks = lambda _: [event([{"index": 0, "delta": {"content": "half"}}])]
        call = world.call()
        answer = await world.chat.complete(call, chat(stream=True))
        text = b""
        with contextlib.suppress(TrothError):
            async for piece in answer.chunks:
                text += piece
        assert b"half" in text
        assert town.bravo.received == b""

    run(world, work, None)


def test_not_even_for_a_refusal_that_says_nothing_was_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def half(_self: Any, _payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"choices": [{"index": 0, "delta": {"content": "half"}}]}
        raise VendorFailed("It says so in the middle.", code="vendor-overloaded")

    async def work(town: Town) -> None:
        monkeypatch.setattr(OpenAICompatible, "chat_stream", half)
        departure = world.clearance.clear(world.call(), _wanted())
        seen = []
        with pytest.raises(VendorFailed):
            async for chunk in departure.port.chat_stream(departure.payload):
                seen.append(chunk)
        assert (len(seen), departure.record.id) == (1, "acme")
        departure.redaction.close()

    run(world, work, None)


@pytest.mark.parametrize(
    "other",
    [
        {"retention": Retention.TRANSIENT},
        {"regions": ("us",), "transfers": ()},
        {"certificates": (), "sub_processors": ("somebody",)},
    ],
    ids=["retention", "region", "sub-processor"],
)
def test_weaker_terms_never_step_in(world: World, other: dict[str, Any]) -> None:
    async def work(town: Town) -> None:
        text, receipt = await town.ask()
        assert text == "vendor-busy"
        assert town.bravo.received == b""
        assert receipt.routing is not None
        assert set(receipt.routing.refused) == {"bravo"}

    run(world, work, status(429), **other)


def test_weaker_terms_do_not_step_in_for_a_paper_that_lapsed_either(world: World) -> None:
    async def work(town: Town) -> None:
        world.clock.forward(days=181)  # acme's review, of 180 days, is over; bravo's is not
        with pytest.raises(TrothError) as refusal:
            await world.chat.complete(world.call(), chat())
        assert refusal.value.code == "review-expired"
        assert town.bravo.received == b""

    other = {"retention": Retention.TRANSIENT, "review_expires": world.now + 300 * DAY}
    run(world, work, None, **other)


def test_equal_terms_do(world: World) -> None:
    async def work(town: Town) -> None:
        world.clock.forward(days=181)
        text, receipt = await town.ask()
        assert (text, receipt.vendor, receipt.attempts) == ("from bravo", "bravo", ())
        assert receipt.routing is not None
        assert receipt.routing.refused == {"acme": "review-expired"}
        assert town.acme.received == b""

    run(world, work, None, review_expires=world.now + 300 * DAY)


def test_both_lines_tell_who_used_a_vendor(world: World) -> None:
    async def work(town: Town) -> None:
        await town.ask()
        with world.database.read() as connection:
            found = {name: receipts_of_vendor(connection, name, 0, world.now + 1) for name in ("acme", "bravo")}
        assert [len(rows) for rows in found.values()] == [1, 1]
        assert found["acme"][0].object == found["bravo"][0].object
        assert (found["acme"][0].outcome, found["bravo"][0].outcome) == ("vendor-busy", "answered")

    run(world, work, status(429))


def test_the_tenant_may_want_no_fallback(world: World) -> None:
    class NoFallback:
        def of(self, tenant: str) -> RoutingPolicy:
            assert tenant == TENANT
            return RoutingPolicy(fallback=False)

    world.clearance._router._policies = NoFallback()

    async def work(town: Town) -> None:
        assert (await town.ask())[0] == "vendor-busy"
        assert town.bravo.received == b""

    run(world, work, status(429))


def test_a_vendor_that_rests_is_not_asked_first(world: World) -> None:
    async def work(town: Town) -> None:
        for _ in range(FAILURES):
            assert (await town.ask())[0] == "vendor-failed"
        asked = len(town.acme.headers)
        text, receipt = await town.ask()
        assert (text, receipt.vendor, len(town.acme.headers)) == ("from bravo", "bravo", asked)

    run(world, work, status(500))


def test_midnight(world: World) -> None:
    """A vendor whose agreement lapses at midnight gets nothing at 00:00:01, whatever was decided before."""

    async def work(town: Town) -> None:
        world.vendors.suspend("bravo", "usr_one")
        ends = due_diligence(world.now, town.acme.url, agreement_ends=world.now + 10 * DAY)
        world.vendors.amend("acme", ends, None, "usr_one")
        world.vendors.approve("acme", "usr_two")
        world.clock.forward(days=9, hours=23, minutes=59, seconds=59)
        call = world.call()
        departure = world.clearance.clear(call, _wanted())
        world.clock.forward(seconds=2)
        async with world.clearance.concluding(departure):
            with pytest.raises(TrothError) as refusal:
                await departure.port.chat(departure.payload)
        assert refusal.value.code == "agreement-ended"
        assert town.acme.received == b""
        with pytest.raises(TrothError) as again:
            await world.chat.complete(world.call(), chat())
        assert again.value.code == "agreement-ended"

    run(world, work, None)


def test_a_stream_begun_before_midnight_ends_and_nothing_more_is_sent(world: World) -> None:
    async def work(town: Town) -> None:
        pieces = [event([{"index": 0, "delta": {"content": one}}]) for one in ("be", "fore")]
        town.acme.chunks = lambda _: [*pieces, b"data: [DONE]\n\n"]
        world.clock.forward(days=179, hours=23, minutes=59, seconds=59)
        answer = await world.chat.complete(world.call(), chat(stream=True))
        world.clock.forward(seconds=2)
        assert len(await chunks_of(answer)) == 2
        sent = len(town.acme.received)
        with pytest.raises(TrothError) as refusal:
            await world.chat.complete(world.call(), chat(stream=True))
        assert (refusal.value.code, len(town.acme.received)) == ("review-expired", sent)

    run(world, work, None)


def _wanted() -> Wanted:
    payload = chat().model_dump(mode="json", by_alias=True, exclude_none=True)
    return Wanted("chat.complete", "chat", "acme-chat", payload, CHAT)
