"""Ways to write a value that a reader, a parser or a browser sees through: none of them carries it past the gateway,
and the caller gets back exactly what was written (VEN-03)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_world import PERSON, Upstream, World, completion, serving
from troth.gateway.amounts import MAX_TEXT
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.images import GenerateImages
from troth.kernel.errors import TooLarge
from troth.redact.detect import rules_detector

# What is written -> the pieces of the value that must not leave.
TRICKS: dict[str, tuple[str, ...]] = {
    # escapes of JSON and of programming languages, once and twice
    r'{"n": "J\u00fcrgen M\u00fcller"}': ("rgen", "ller"),
    r"m\u00fcller@b\u00fccher.example": ("ller", "cher"),
    r'{"e":"john.doe\u0040acme-corp.com"}': ("john", "acme"),
    r'{"e":"john.doe\u0040acme-corp.com", "e": 1, "e":"x"}': ("john", "acme"),
    r'{"e":"john.doe\u0040acme-corp.com", "more": [': ("john", "acme"),
    r'"{\"e\":\"john.doe\\u0040acme-corp.com\"}"': ("john", "acme"),
    r"john.doe\x40acme-corp.com": ("john", "acme"),
    r"john.doe\u{40}acme-corp.com": ("john", "acme"),
    r'{"e":"\ud835\udc23ohn.doe@acme-corp.com"}': ("ohn", "acme"),
    r'{"text": "Regards,\nMaria Gonzalez\n4111\u00a01111\u00a01111\u00a01111"}': ("Maria", "Gonzalez", "1111"),
    r"Name:\u0020Anna\u0020Meierhofer": ("Anna", "Meierhofer"),
    # spaces of Unicode
    "card 4111\xa01111\xa01111\xa01111": ("4111", "1111"),
    "card 4111\u20091111\u202f1111\u30001111": ("4111", "1111"),
    "IBAN DE89\xa03704\xa00044\xa00532\xa00130\xa000": ("3704", "0532", "0130"),
    "NHS number 943\xa0476\xa05919": ("943", "476", "5919"),
    "call +49\xa030\xa01234567": ("49", "30", "1234567"),
    "I live at 12\xa0Harbour\xa0Street,\xa0Springfield": ("12", "Harbour"),
    "Ask Maria\xa0Gonzalez": ("Maria", "Gonzalez"),
    # what nobody sees
    "john.doe\u200b@acme-corp.com": ("john", "acme"),
    "jo\u00adhn.d\u2060oe@ac\ufeffme-corp.com": ("jo", "acme", "corp"),
    "4111\u200b1111\u200b1111\u200b1111": ("4111", "1111"),
    "4\ufe0f1\ufe0f11 1111 1111 1111": ("1111",),
    "Maria \u200eGonz\u200dalez": ("Maria", "Gonz", "alez"),
    "john.doe\x00@acme-corp.com": ("john", "acme"),
    "jo\U000e0041hn.doe@acme-corp.com": ("jo", "acme"),
    "Dear Ms Mu\u0308llerin": ("ller",),
    # Markdown
    "_john.doe@acme-corp.com_": ("john", "acme"),
    "__john.doe@acme-corp.com__": ("john", "acme"),
    "*john.doe@acme-corp.com*": ("john", "acme"),
    "`john.doe@acme-corp.com`": ("john", "acme"),
    "john.doe**@**acme-corp.com": ("john", "acme"),
    "john.doe@acme-corp.com_": ("john", "acme"),
    "_123-45-6789_": ("123", "6789"),
    "**Name:** Xaviera Quillfeather": ("Xaviera", "Quillfeather"),
    "**Maria** Gonzalez": ("Maria", "Gonzalez"),
    # the web
    "email=john.doe%40acme-corp.com": ("john", "acme"),
    "m%C3%BCller%2540b%C3%BCcher.example": ("ller", "cher"),
    "q=4111%201111%201111%201111&a=1": ("1111",),
    "john.doe&#64;acme-corp.com": ("john", "acme"),
    "john.doe&#x40;acme-corp.com": ("john", "acme"),
    "john.doe&commat;acme-corp.com": ("john", "acme"),
    "john.doe&amp;#64;acme-corp.com": ("john", "acme"),
    "Maria&nbsp;Gonzalez": ("Maria", "Gonzalez"),
    # signs between the groups
    "4111.1111.1111.1111": ("1111",),
    "4111/1111/1111/1111": ("1111",),
    "4111\t1111\t1111\t1111": ("1111",),
    "4111  1111  1111  1111": ("1111",),
    "4111_1111_1111_1111": ("1111",),
    "3782.822463.10005": ("3782", "822463"),
    "DE89.3704.0044.0532.0130.00": ("3704", "0130"),
    # other digits and letters
    "\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11": ("\uff11",),
    "\uff4a\uff4f\uff48\uff4e\uff20\uff41\uff43\uff4d\uff45\uff0e\uff43\uff4f\uff4d": ("\uff4a", "\uff4d"),
    "\U0001d423\U0001d428\U0001d421\U0001d427@acme-corp.com": ("\U0001d423", "acme"),
    # other ways to say the same
    '"john doe"@acme-corp.com': ("john", "acme"),
    r'{"e": "\"john doe\"@acme-corp.com"}': ("john", "acme"),
    "john.doe@[192.0.2.44]": ("john", "192"),
    "52.5200\xb0 N, 13.4050\xb0 E": ("52", "13"),
    "{\"lat\": 52.520008, \"lng\": 13.404954}": ("52", "13"),
    "52\xb031'12.0\"N 13\xb024'18.0\"E": ("52", "13"),
    "52\xb031\u203212\u2033N, 13\xb024\u203218\u2033E": ("52", "13"),
}  # fmt: skip


PLACEHOLDER = re.compile("<[A-Z_]+_[a-z2-7]{10}(_[0-9]+)?>")  # random signs, which may spell a piece


def tool_call(arguments: str) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "tool_calls": [call]}


def as_user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def as_tool_result(text: str) -> list[dict[str, Any]]:
    return [{"role": "tool", "tool_call_id": "c1", "content": text}, tool_call("{}")]


def as_arguments(text: str) -> list[dict[str, Any]]:
    return [tool_call(text), {"role": "tool", "tool_call_id": "c1", "content": "ok"}]


def as_json_arguments(text: str) -> list[dict[str, Any]]:
    return as_arguments(json.dumps({"q": text}))


def as_broken_arguments(text: str) -> list[dict[str, Any]]:
    return as_arguments(json.dumps({"q": text})[:-2])


def as_repeated_arguments(text: str) -> list[dict[str, Any]]:
    return as_arguments(f'{{"q": {json.dumps(text)}, "q": 1}}')


Place = Callable[[str], list[dict[str, Any]]]
PLACES: list[Place] = [as_user, as_tool_result, as_arguments, as_json_arguments, as_broken_arguments,
                       as_repeated_arguments]  # fmt: skip


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return completion(
        body["messages"][0].get("content") or body["messages"][0]["tool_calls"][0]["function"]["arguments"]
    )


@pytest.mark.parametrize("place", PLACES)
def test_no_trick_carries_a_value_out(tmp_path: Path, place: Place) -> None:
    world = World(tmp_path)
    go_on = {"role": "user", "content": "go"}

    async def go() -> list[tuple[str, dict[str, Any], str]]:
        seen = []
        async with serving(Upstream(chat=echo)) as upstream:
            world.add_vendor(upstream.url)
            for trick in TRICKS:
                request = CompleteChat.model_validate({"model": "acme-chat", "messages": [*place(trick), go_on]})
                answer = await world.chat.complete(world.call(), request)
                seen.append((trick, upstream.requests[-1]["messages"][0], answer.choices[0]["message"]["content"]))
        return seen

    leaks = []
    for trick, sent, back in world.run(go()):
        kept = {name: one for name, one in sent.items() if name != "tool_call_id"}
        shown = PLACEHOLDER.sub("<>", json.dumps(kept, ensure_ascii=False))
        leaks += [(trick, piece, shown) for piece in TRICKS[trick] if piece in shown]
        if place in (as_user, as_tool_result):
            assert back == trick
    assert leaks == []


@pytest.mark.parametrize("trick", list(TRICKS))
def test_the_detector_covers_every_piece(trick: str) -> None:
    left, position = [], 0
    for span in rules_detector().detect(trick):
        left.append(trick[position : span.start])
        position = span.end
    left.append(trick[position:])
    assert not any(piece in part for piece in TRICKS[trick] for part in left)


@pytest.mark.parametrize("unit", ["7", "@", "[", "a@", "1 ", "4111 ", "\\u0040", "%40", "9\u200b", "_a", "password="])
def test_a_hostile_text_costs_little(unit: str) -> None:
    """Linear, and far below the tens of seconds per megabyte that digits cost before; the limit leaves room."""
    text = unit * (200_000 // len(unit))
    rules_detector().detect(text[:1000])
    begin = time.process_time()
    rules_detector().detect(text)
    assert time.process_time() - begin < 20.0  # a quadratic rule takes minutes; the speed itself is measured in bench


def test_more_text_than_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    part = "1" * (MAX_TEXT // 4)

    def request(parts: int) -> CompleteChat:
        content = [{"type": "text", "text": part}] * parts
        return CompleteChat.model_validate({"model": "acme-chat", "messages": [{"role": "user", "content": content}]})

    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            for refused in (request(4), request(9)):
                with pytest.raises(TooLarge) as refusal:
                    await world.chat.complete(world.call(), refused)
                assert refusal.value.code == "too-much-text"
            await world.chat.complete(world.call(), request(1))
            await world.images.generate(world.call(), GenerateImages(prompt="a poster", model="acme-image"))
        return upstream

    upstream = world.run(go())
    assert len(upstream.requests) == 2
    assert PERSON not in upstream.received.decode()
