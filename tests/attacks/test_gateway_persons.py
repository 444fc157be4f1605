"""Persons whom only the model finds: none reaches a recording upstream, however a conversation is cut, and what fails
on the way lets nothing out (VEN-03)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway_world import Upstream, World, chunks_of, completion, event, serving
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.errors import Unavailable
from troth.redact.detect import Span
from troth.redact.loading import Loading
from troth.redact.tiers import detector


def request(fields: dict[str, Any], **more: Any) -> CompleteChat:
    return CompleteChat.model_validate({"model": "acme-chat"} | fields | more)


@pytest.fixture
def reader(tmp_path: Path) -> World:
    """A world whose prompts the fast tier reads."""
    return World(tmp_path, detector("fast"))


def spoken(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[number % 2], "content": text} for number, text in enumerate(texts)]}


def sent_and_back(world: World, fields: dict[str, Any]) -> tuple[list[str], list[str], bytes]:
    """(what the vendor was told, the same as it came back, every byte that left) of one conversation."""

    def told(body: dict[str, Any]) -> dict[str, Any]:
        return completion(json.dumps([message["content"] for message in body["messages"]], ensure_ascii=False))

    async def go() -> tuple[list[str], list[str], bytes]:
        async with serving(Upstream(chat=told)) as upstream:
            world.add_vendor(upstream.url)
            answer = await world.chat.complete(world.call(), request(fields))
            (body,) = upstream.requests
            texts = [message["content"] for message in body["messages"]]
            return texts, json.loads(answer.choices[0]["message"]["content"]), upstream.received

    return world.run(go())


# Nobody here is introduced by a title, a greeting or a form: only the model finds them.
TALKS = {
    "alone, later": ("please write to tunde oyelaran about it", "Gladly. What shall I say?", "That Oyelaran won."),
    "alone, before": ("Say that Oyelaran won.", "Won what?", "The regatta. Ask tunde oyelaran yourself."),
    "known there only": ("please write to Tunde Quill about it", "Done.", "Quill approved it"),
    "known later only": ("Quill approved it", "Who?", "please write to Tunde Quill about it"),
    "initials": ("Priya Raghunathan moved to the third floor.", "Noted.", "P. Raghunathan has the key."),
    "capitals": ("it was priya raghunathan who called", "And?", "PRIYA RAGHUNATHAN CALLED TWICE"),
    "cut in two": ("please forward it to tunde", "oyelaran, the same as last week", "done?"),
    "cut within": ("please forward it to tunde oye", "laran before noon", "done?"),
}


@pytest.mark.parametrize("talk", list(TALKS))
def test_a_person_of_one_message_is_known_in_all(reader: World, talk: str) -> None:
    texts, back, received = sent_and_back(reader, spoken(*TALKS[talk]))
    assert back == list(TALKS[talk])
    for word in (b"oyelaran", b"tunde", b"laran", b"raghunathan", b"priya", b"quill"):
        assert word not in received.lower(), texts
    assert b"aghunathan" not in reader.bytes_on_disk()


def test_one_person_is_one_placeholder_in_numbered_forms(reader: World) -> None:
    talk = ("Priya Raghunathan moved.", "Where to, for Priya?", "Raghunathan, Priya Raghunathan: the third floor.")
    texts, back, _ = sent_and_back(reader, spoken(*talk))
    assert back == list(talk)
    stems = set(re.findall(r"<(PERSON_[a-z2-7]{10})", " ".join(texts)))
    forms = set(re.findall(r"<PERSON_[a-z2-7]{10}(?:_\d+)?>", " ".join(texts)))
    assert (len(stems), len(forms)) == (1, 3)
    assert texts[0].split()[0] in texts[2]  # the same value, the same placeholder


def test_numbered_placeholders_come_back_at_every_cut(reader: World) -> None:
    talk = "Priya Raghunathan asks. Tell Priya that <PERSON_aaaaaaaaaa_2> is not Raghunathan."

    async def go(width: int) -> str:
        def chunks(body: dict[str, Any]) -> list[bytes]:
            whole = body["messages"][0]["content"]
            assert "Raghunathan" not in whole
            cuts = [whole[at : at + width] for at in range(0, len(whole), width)]
            return [*(event([{"index": 0, "delta": {"content": cut}}]) for cut in cuts), b"data: [DONE]\n\n"]

        async with serving(Upstream(chunks=chunks)) as upstream:
            reader.add_vendor(upstream.url, vendor=f"acme-{width}")
            answer = await reader.chat.complete(reader.call(), request(spoken(talk), stream=True))
            got = await chunks_of(answer)
        reader.vendors.suspend(f"acme-{width}", "usr_one")
        return "".join(c["delta"].get("content", "") for one in got for c in one["choices"])

    async def every_width() -> None:
        for width in (1, 4, 13, 20):
            assert await go(width) == talk

    reader.run(every_width())


def test_a_form_that_was_not_issued_is_nobodys(reader: World) -> None:
    """A vendor that counts on gets nothing; a user who writes a look-alike gets it back, and nobody's name."""

    def guess(body: dict[str, Any]) -> dict[str, Any]:
        first = body["messages"][0]["content"].split()[0]
        return completion(f"{first} {first[:-1]}_2> {first[:-1]}_99> <PERSON_aaaaaaaaaa>")

    async def go() -> str:
        async with serving(Upstream(chat=guess)) as upstream:
            reader.add_vendor(upstream.url)
            fields = spoken("Priya Raghunathan wrote <PERSON_bbbbbbbbbb_1>.")
            answer = await reader.chat.complete(reader.call(), request(fields))
            return str(answer.choices[0]["message"]["content"])

    first, *others = reader.run(go()).split(" <")
    assert first == "Priya Raghunathan"
    assert [one.startswith("PERSON_") for one in others] == [True] * 3


class FailsLater:
    """The fast tier, until it has read `left` texts."""

    def __init__(self, left: int) -> None:
        self._inner, self.left, self.version = detector("fast"), left, "fails-later-1"

    def detect(self, text: str) -> list[Span]:
        self.left -= 1
        if self.left < 0:
            raise MemoryError
        return self._inner.detect(text)


@pytest.mark.parametrize("left", [0, 2])
def test_a_model_that_fails_on_the_way_lets_nothing_out(tmp_path: Path, left: int) -> None:
    world = World(tmp_path, FailsLater(left))

    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            with pytest.raises(Unavailable) as refusal:
                await world.chat.complete(world.call(), request(spoken("one", "two", "three", "tunde oyelaran")))
            assert refusal.value.code == "detector-down"
            return upstream

    assert not world.run(go()).received


def test_a_model_that_cannot_be_loaded_lets_nothing_out(tmp_path: Path) -> None:
    def load(_tier: str) -> Any:
        raise ValueError("weights")

    world = World(tmp_path, Loading("fast", load))

    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            with pytest.raises(Unavailable):
                await world.chat.complete(world.call(), request(spoken("tunde oyelaran")))
            return upstream

    assert not world.run(go()).received
