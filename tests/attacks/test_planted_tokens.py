"""Placeholders under attack: planted by the user, by the vendor, taken from another request, cut anywhere, escaped.

Each request has a map of its own. What a client gets back is what it sent, whatever it sent; what a vendor says is put
back only where it says what this request issued.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from troth.gateway.places import CHAT, RESPONSES
from troth.gateway.redaction import Redaction, Redactor
from troth.gateway.restoring import PLACEHOLDER
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy

REDACTOR = Redactor(rules_detector(), vendor_policy(), b"k" * 32)
MAIL, OTHER, CARD = "jane.doe@example.com", "bob@example.com", "4111 1111 1111 1111"
VALUES = (MAIL, OTHER, CARD, "Jane Doe", "Bob Stone")
PLANTED = (
    "<PERSON_aaaaaaaaaa>", "<EMAIL_aaaaaaaaaa_2>", "<TEXT_bbbbbbbbbb>", "n_0123456789abcdef", "<PERSON_1>", "<EMAIL>",
    "<EMAIL_", "_aaaaaaaaaa>", "<", ">", "n_", "n_0123",
)  # fmt: skip
BETWEEN = (" ", ", ", "\n", ".", " and ", "é", "😀", "\\", '"', "\\u003c", "x")
PIECES = st.lists(st.sampled_from([*VALUES, *PLANTED, *BETWEEN]), min_size=1, max_size=14).map("".join)
MANY = settings(deadline=None, max_examples=60)


def address(text: str) -> bool:
    """Something that a browser may open, as `1111.xx\\` or `\\\\`: what stands behind it is not put back (`links`)."""
    for value in VALUES:
        text = text.replace(value, "1")
    return re.search(r"\.\w|\\{2}", text) is not None


def chat(redaction: Redaction, *texts: str) -> list[str]:
    payload = {"messages": [{"role": "user", "content": text} for text in texts]}
    return [one["content"] for one in redaction.redact(payload, CHAT)["messages"]]


def streamed(redaction: Redaction, text: str, cuts: list[int], *, within_json: bool = False) -> str:
    stream, position, parts = redaction.stream(within_json=within_json), 0, []
    for cut in [*sorted(min(cut, len(text)) for cut in cuts), len(text)]:
        parts.append(stream.feed(text[position:cut]))
        position = cut
    return "".join(parts) + stream.finish()


@given(st.lists(PIECES, min_size=1, max_size=4), st.lists(st.integers(0, 300), max_size=8))
@MANY
def test_everything_comes_back_whatever_was_planted(texts: list[str], cuts: list[int]) -> None:
    assume(not any(map(address, texts)))
    redaction = REDACTOR.begin()
    for before, sent in zip(texts, chat(redaction, *texts), strict=True):
        assert redaction.restore(sent) == before
        assert streamed(redaction, sent, cuts) == before


@given(st.lists(PIECES, min_size=1, max_size=4))
@MANY
def test_no_two_values_have_one_placeholder(texts: list[str]) -> None:
    redaction = REDACTOR.begin()
    sent = chat(redaction, *texts)
    issued = {match for text in sent for match in re.findall(PLACEHOLDER.pattern, text)}
    assert len({redaction.restore(one) for one in issued}) == len(issued)
    assert not issued & set(PLANTED)  # what the user wrote that looks like one went out as a value of its own
    assert REDACTOR.begin().restore(" ".join(sent)) == " ".join(sent)  # and is nothing to another request


def test_the_same_value_is_the_same_placeholder_everywhere() -> None:
    redaction = REDACTOR.begin()
    payload: dict[str, Any] = {
        "instructions": f"Write to {MAIL}.",
        "input": [
            {"type": "message", "role": "user", "content": MAIL},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"to": MAIL, MAIL: 1})},
        ],
        "tools": [{"type": "function", "name": "f", "description": MAIL, "parameters": {MAIL: MAIL}}],
    }
    sent = json.dumps(redaction.redact(payload, RESPONSES))
    found = re.findall(PLACEHOLDER.pattern, sent)
    assert len(found) == 7
    assert len(set(found)) == 1


def test_a_text_comes_back_cut_at_every_two_offsets() -> None:
    redaction = REDACTOR.begin()
    text = f"Hi, <EMAIL_aaaaaaaaaa> is {MAIL}, not {OTHER} 😀."
    (sent,) = chat(redaction, text)
    for first in range(len(sent) + 1):
        for second in range(first, len(sent) + 1):
            assert streamed(redaction, sent, [first, second]) == text


ESCAPES = {"plain": lambda text: text, "go": lambda text: text.replace("<", "\\u003c").replace(">", "\\u003E")}


@pytest.mark.parametrize("escaping", ESCAPES)
def test_json_comes_back_as_json_at_every_cut(escaping: str) -> None:
    redaction = REDACTOR.begin()
    value = {"to": [MAIL, 'say "hi"\\n'], "why": "a \\u003c b <c", MAIL: True}
    (sent,) = chat(redaction, MAIL)
    told = ESCAPES[escaping](json.dumps(value).replace(MAIL, sent))
    for cut in range(len(told) + 1):
        assert json.loads(streamed(redaction, told, [cut], within_json=True)) == value
    assert json.loads(streamed(redaction, told, list(range(len(told))), within_json=True)) == value


def test_a_name_that_was_withheld_comes_back_inside_a_text() -> None:
    redaction = REDACTOR.begin()
    name = "4111111111111111"
    tool = {"type": "function", "function": {"name": name}}
    alias = redaction.redact({"tools": [tool]}, CHAT)["tools"][0]["function"]["name"]
    assert re.fullmatch(r"n_[0-9a-f]{16}", alias)
    told = f"I call {alias}; n_{'0' * 16} is not mine, n_{alias[2:6]} neither."
    wanted = told.replace(alias, name)
    assert redaction.restore(told) == wanted
    for cut in range(len(told) + 1):
        assert streamed(redaction, told, [cut]) == wanted
        assert streamed(redaction, f'{{"call": "{alias}"}}', [cut], within_json=True) == f'{{"call": "{name}"}}'


@pytest.mark.parametrize("tail", ["<", "<EMAIL_", "a < b", "<EMAIL_zzzz", "n", "n_", "n_0"])
def test_only_an_open_placeholder_is_held_back(tail: str) -> None:
    redaction = REDACTOR.begin()
    (placeholder,) = chat(redaction, MAIL)
    stream = redaction.stream()
    given_out = stream.feed("text " + tail)
    assert given_out == ("text " if placeholder.startswith(tail) else "text " + tail)
    assert given_out + stream.finish() == "text " + tail


def test_nothing_can_be_put_back_when_the_request_is_over() -> None:
    redaction = REDACTOR.begin()
    stream = redaction.stream()
    (sent,) = chat(redaction, f"{MAIL} and Jane Doe")
    alias = redaction.name("4111111111111111")
    redaction.close()
    for text in (sent, alias):
        assert redaction.restore(text) == text
        assert redaction.restore_json(json.dumps(text)) == json.dumps(text)
        assert stream.feed(text) + stream.finish() == text
    assert redaction.counts() == {}
    assert MAIL not in repr([vars(redaction), vars(vars(redaction)["_tokens"])])


@given(st.lists(PIECES, min_size=1, max_size=3))
@MANY
def test_masks_say_what_stood_there_and_no_more(texts: list[str]) -> None:
    first, second = REDACTOR.begin(), REDACTOR.begin()
    assert first.masked(chat(first, f"{MAIL} and {MAIL}, {OTHER}")) == ["<EMAIL> and <EMAIL>, <EMAIL>"]
    masked = [one.masked(chat(one, *texts)) for one in (first, second)]
    assert masked[0] == masked[1]  # equal texts stay equal from one request to the next
    assert [first.restore(text) for text in masked[0]] == masked[0]
