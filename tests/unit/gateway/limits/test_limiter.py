"""A request is estimated, admitted and settled: by the vendor's count, by what came, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from limit_stores import redis_server
from troth.gateway.limits.counting import Came, Estimate, counted, estimated
from troth.gateway.limits.limiter import Limiter, duration
from troth.gateway.limits.rules import amounts, moment, rule
from troth.gateway.limits.valkey import ValkeyBuckets
from troth.gateway.places import CHAT
from troth.gateway.redaction import Cleared
from troth.gateway.vendors.papers import Price
from troth.gateway.vendors.port import Partial, Produced
from troth.gateway.wire.errors import openai_error
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied, Invalid, TooMany, TrothError, Unavailable, VendorFailed
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from worlds import MovableClock

TENANT, PERSON = new_id("ten"), new_id("usr")
_NUMBERS = ("tokens-per-day", "money-per-month")
PRICE = Price(currency="USD", input=1_000_000, output=2_000_000, picture=40_000)


@contextmanager
def refused_as(kind: type[TrothError], code: str) -> Iterator[None]:
    with pytest.raises(kind) as refusal:
        yield
    assert refusal.value.code == code


class Desk:
    """Callers of one tenant, and limits."""

    def __init__(self, **limits: dict[str, Any]) -> None:
        self.clock = MovableClock()
        self.limiter = Limiter({scope: amounts(table) for scope, table in limits.items()}, self.clock, b"s" * 32)

    def call(self, person: str = PERSON, key: str | None = None) -> Call:
        caller = Caller(key or person, "api-key" if key else "user", TENANT, person)
        return Call(caller, new_id("req"), self.clock.now())


def ended(ticket: Any, usage: dict[str, int] | None = None, price: Price | None = None) -> None:
    if usage is not None:
        ticket.came.see({"usage": usage})
    ticket.end(price)


def test_what_the_vendor_counted_is_what_it_costs() -> None:
    desk = Desk(tenant={"tokens-per-day": 1000})
    ended(desk.limiter.begin(desk.call(), Estimate(100, 400), []), {"prompt_tokens": 90, "completion_tokens": 10})
    call = desk.call()
    ended(desk.limiter.begin(call, Estimate(100, 400), []))
    assert call.told["x-ratelimit-remaining-tokens"] == "400"  # of 1000: 100 used, 500 estimated


def test_what_fails_costs_the_request_and_nothing_else() -> None:
    desk = Desk(tenant={"tokens-per-day": 500, "requests-per-day": 9})
    for _ in range(2):
        ended(desk.limiter.begin(desk.call(), Estimate(100, 400), []))
    call = desk.call()
    desk.limiter.begin(call, Estimate(100, 400), [])
    assert (call.told["x-ratelimit-remaining-requests"], call.told["x-ratelimit-remaining-tokens"]) == ("6", "0")


def test_a_ticket_is_settled_once() -> None:
    desk = Desk(tenant={"tokens-per-day": 100})
    first = desk.limiter.begin(desk.call(), Estimate(50), [])
    ended(first)
    desk.limiter.begin(desk.call(), Estimate(100), [])
    ended(first)
    with refused_as(TooMany, "rate-limit-exceeded"):
        desk.limiter.begin(desk.call(), Estimate(1), [])


def test_people_and_keys_have_their_own() -> None:
    desk = Desk(user={"requests-per-hour": 2}, key={"requests-per-hour": 1})
    desk.limiter.begin(desk.call(key="key_a"), Estimate(), [])
    with refused_as(TooMany, "rate-limit-exceeded"):
        desk.limiter.begin(desk.call(key="key_a"), Estimate(), [])
    desk.limiter.begin(desk.call(key="key_b"), Estimate(), [])
    with refused_as(TooMany, "rate-limit-exceeded"):
        desk.limiter.begin(desk.call(), Estimate(), [])
    desk.limiter.begin(desk.call(person=new_id("usr")), Estimate(), [])


def test_a_store_learns_no_id() -> None:
    tables = {scope: {"requests-per-hour": 2} for scope in ("tenant", "user", "key")}
    desk = Desk(**tables)
    desk.limiter.begin(desk.call(key="key_a"), Estimate(), [])
    names = list(desk.limiter._buckets._buckets)  # what a Valkey server would be given
    assert len(names) == 3
    assert not any(word in name for name in names for word in (TENANT, PERSON, "key_a"))


def test_parts_of_one_request_that_run_together_take_a_place_each() -> None:
    desk = Desk(user={"concurrent": 2})
    call = desk.call()
    first = desk.limiter.begin(call, Estimate(), [])
    desk.limiter.begin(call, Estimate(), [])
    with refused_as(TooMany, "rate-limit-exceeded"):
        desk.limiter.begin(call, Estimate(), [])
    ended(first)
    desk.limiter.begin(call, Estimate(), [])
    with refused_as(TooMany, "rate-limit-exceeded"):
        desk.limiter.begin(call, Estimate(), [])


def test_a_refusal_says_when_to_ask_again() -> None:
    desk = Desk(user={"requests-per-minute": 1})
    desk.limiter.begin(desk.call(), Estimate(), [])
    call = desk.call()
    with pytest.raises(TooMany) as refusal:
        desk.limiter.begin(call, Estimate(), [])
    assert refusal.value.seconds == 60
    assert call.told["x-ratelimit-remaining-requests"] == "0"


def test_money_is_a_quota_and_comes_from_the_price() -> None:
    desk = Desk(tenant={"money-per-month": "1.00"})
    ticket = desk.limiter.begin(desk.call(), Estimate(100_000, 400_000), [PRICE])  # 0.90
    with pytest.raises(TooMany) as refusal:
        desk.limiter.begin(desk.call(), Estimate(100_000, 400_000), [PRICE])
    assert refusal.value.code == "insufficient-quota"
    assert refusal.value.seconds > 3600
    assert openai_error(refusal.value)["error"]["type"] == "insufficient_quota"
    ended(ticket, {"prompt_tokens": 100, "completion_tokens": 0}, PRICE)
    desk.limiter.begin(desk.call(), Estimate(100_000, 400_000), [PRICE])


@pytest.mark.parametrize("price", [None, Price(currency="EUR", input=1)])
def test_what_has_no_price_is_refused_where_money_is_limited(price: Price | None) -> None:
    desk = Desk(tenant={"money-per-day": "1.00"})
    with refused_as(Unavailable, "price-missing"):
        desk.limiter.begin(desk.call(), Estimate(), [PRICE, price])
    Desk(tenant={"requests-per-day": 1}).limiter.begin(desk.call(), Estimate(), [price])


def test_a_request_beyond_the_limit_need_not_be_sent_again() -> None:
    desk, call = Desk(key={"tokens-per-minute": 10}), Desk().call(key="key_a")
    with refused_as(TooMany, "request-beyond-limit"):
        desk.limiter.begin(call, Estimate(11), [])
    assert call.told["x-should-retry"] == "false"


def test_streams_are_counted_by_what_came() -> None:
    class Port:
        async def chat_stream(self, _payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
            for text in ("Once ", "upon ", "a time"):
                yield {"choices": [{"delta": {"content": text}}]}

        async def image(self, _payload: dict[str, Any]) -> list[Produced]:
            return [Produced(b"12345"), Produced(b"678")]

    async def broken(came: Came) -> None:
        stream = counted(Port(), came).chat_stream({})  # type: ignore[arg-type]
        await anext(stream)
        await anext(stream)
        await stream.aclose()

    came = Came(Estimate(tokens_in=7, tokens_out=1024))
    asyncio.run(broken(came))
    assert (came.used().tokens_in, came.used().tokens_out) == (7, 4)  # ten bytes
    made = Came(Estimate(images=4, bytes=2))
    asyncio.run(counted(Port(), made).image({}))  # type: ignore[arg-type]
    assert (made.used().images, made.used().bytes) == (2, 10)


class Failing:
    """Answers with `error`, or never."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def chat(self, _payload: dict[str, Any]) -> dict[str, Any]:
        raise self.error

    async def image_stream(self, _payload: dict[str, Any]) -> AsyncGenerator[Partial, None]:
        yield Partial(b"12", 0)
        raise self.error


@pytest.mark.parametrize(
    ("error", "used"),
    [
        (asyncio.CancelledError(), Estimate(7, 50, 2)),  # whoever asked went away
        (VendorFailed("Late.", code="vendor-timeout"), Estimate(7, 50, 2)),
        (VendorFailed("Full.", code="vendor-overloaded"), Estimate()),
        (TooMany("Full.", code="vendor-busy"), Estimate()),
        (Denied("Suspended.", code="vendor-suspended"), Estimate()),
    ],
    ids=["cut-off", "timeout", "overloaded", "busy", "gate"],
)
def test_what_was_sent_is_paid_for(error: BaseException, used: Estimate) -> None:
    came = Came(Estimate(tokens_in=7, tokens_out=50, images=2))
    with pytest.raises(type(error)):
        asyncio.run(counted(Failing(error), came).chat({}))  # type: ignore[arg-type]
    assert came.used() == used


def test_a_picture_that_was_begun_is_paid_for() -> None:
    async def begun(came: Came) -> None:
        stream = counted(Failing(AssertionError()), came).image_stream({})  # type: ignore[arg-type]
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    came = Came(Estimate(images=2))
    asyncio.run(begun(came))
    assert came.used().images == 2


def test_a_stream_that_says_its_usage_is_believed() -> None:
    came = Came(Estimate(tokens_in=7))
    came.see({"choices": [{"delta": {"content": "x" * 300}}]})
    came.see({"type": "response.completed", "response": {"usage": {"input_tokens": 5, "output_tokens": 60}}})
    came.see({"usage": {"prompt_tokens": True, "completion_tokens": -4}})
    assert (came.used().tokens_in, came.used().tokens_out) == (5, 60)


def test_an_estimate_reads_the_payload() -> None:
    chat = {"messages": [{"role": "user", "content": "x" * 296}], "max_tokens": 50, "n": 2}
    assert (estimated("chat", chat).tokens_in, estimated("chat", chat).tokens_out) == (100, 100)
    assert estimated("image", {"prompt": "abc", "n": 3}, attached=100) == Estimate(1, 0, 3, 0, 103)
    assert estimated("video", {"prompt": "", "seconds": "8"}).seconds == 8
    assert estimated("chat", {"max_completion_tokens": 1, "max_tokens": 900}).tokens_out == 900  # whichever they heed
    said = {"messages": [{"role": "user", "content": "data:" + "x" * 295}]}
    assert estimated("chat", said) == Estimate(102, 1024, bytes=304)  # no picture: it only begins like one
    seen = {"messages": [{"role": "user", "content": Cleared("data:image/png;base64,AAAA")}]}
    assert estimated("chat", seen) == Estimate(1002, 1024, bytes=30)


def test_what_hides_in_names_and_numbers_is_counted() -> None:
    def of(parameters: Any) -> int:
        tools = [{"type": "function", "function": {"name": "f", "parameters": parameters}}]
        return estimated("chat", {"n": 1, "tools": tools}, constants=CHAT.words()).bytes

    empty = of({})
    assert of({"x" * 3000: {}}) == empty + 3000
    assert of({"a": [10**50] * 100}) == empty + 1 + 5100
    assert of({"a": {"b": {"c": "d"}}}) == empty + 4
    assert of({"a": [None, True]}) == empty + 1


@pytest.mark.parametrize(
    ("ms", "text"), [(120, "120ms"), (1000, "1s"), (60_000, "1m0s"), (86_400_000, "24h0m0s"), (61_001, "1m2s")]
)
def test_durations_are_written_as_openai_does(ms: int, text: str) -> None:
    assert duration(ms) == text


def test_limits_are_named_and_bounded() -> None:
    assert amounts({"money-per-month": "12.5", "concurrent": 4}) == {"money-per-month": 12_500_000, "concurrent": 4}
    december = moment(1_796_083_200_000)
    assert (december.began, december.ends) == (1_796_083_200_000, 1_798_761_600_000)
    wrong_amounts = [-1, "much", 1e16, "1e999999", Decimal("1e999999"), "-1e999999", "NaN", "Infinity", ""]
    for wrong in ({"tokens-per-week": 1}, *({name: one} for name in _NUMBERS for one in wrong_amounts)):
        with pytest.raises(Invalid):
            amounts(wrong)
    assert amounts(dict.fromkeys(_NUMBERS, "1e-999999")) == dict.fromkeys(_NUMBERS, 0)
    assert rule("concurrent").name == "concurrent"


def test_a_store_that_is_away_admits_nothing_and_is_settled_behind() -> None:
    with redis_server() as (server, address):
        store = ValkeyBuckets(address)
        clock = MovableClock()
        limiter = Limiter({"tenant": {"tokens-per-day": 100}}, clock, b"s" * 32, buckets=store)
        ended(limiter.begin(Desk().call(), Estimate(100), []))
        until = time.monotonic() + 10
        while True:
            try:
                limiter.begin(Desk().call(), Estimate(100), [])
                break
            except TooMany:  # not yet settled
                assert time.monotonic() < until
                time.sleep(0.01)
        server.kill()
        server.wait()
        with refused_as(Unavailable, "limits-away"):
            limiter.begin(Desk().call(), Estimate(1), [])
        limiter.close()


@pytest.mark.parametrize("url", ["valkey://store.example.org:6379", "http://127.0.0.1", "nonsense"])
def test_the_road_to_another_machine_is_encrypted(url: str) -> None:
    with refused_as(Invalid, "bad-setting"):
        ValkeyBuckets(url)
