"""The walk: nothing leaves unread, everything comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.places import CHAT
from troth.gateway.redaction import Cleared, Places, Redaction, Redactor
from troth.gateway.restoring import PLACEHOLDER
from troth.kernel.errors import Unavailable
from troth.redact.detect import Span, rules_detector
from troth.redact.policy import vendor_policy

NEEDLES = ("jane.doe@example.com", "4111 1111 1111 1111")
PLAIN = Places(frozenset({"model"}), frozenset({"name"}), frozenset({"arguments"}), frozenset({"picture"}))


class Words:
    """Finds each of some words; the kind is always a person."""

    version = "words-1"

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def detect(self, text: str) -> list[Span]:
        found: list[Span] = []
        position = 0
        while position < len(text):
            hit = next((w for w in self.words if text.startswith(w, position)), None)
            if hit:
                found.append(Span(position, position + len(hit), "person", 1.0, "words"))
            position += len(hit) if hit else 1
        return found


class Broken:
    version = "broken-1"

    def detect(self, text: str) -> list[Span]:
        raise RuntimeError("no memory")


def begin(detector: Any = None) -> Redaction:
    return Redactor(detector or rules_detector(), vendor_policy(), b"k" * 32).begin()


def test_every_leaf_and_key_is_read() -> None:
    mail = NEEDLES[0]
    payload = {
        "model": mail,
        "text": mail,
        "list": [{"deep": {mail: [mail, 4111111111111111]}}],
        "name": f"n-{mail}",
        "arguments": json.dumps({"to": mail, "unit": 1}).replace("@", "\\u0040"),
    }
    redaction = begin()
    sent = redaction.redact(payload, PLAIN)
    text = json.dumps({key: value for key, value in sent.items() if key != "model"})
    assert "jane" not in text
    assert "4111" not in text
    assert sent["model"] == mail  # the one place on the allow-list
    assert json.loads(sent["arguments"])["unit"] == 1
    assert redaction.restore(sent["text"]) == mail
    assert redaction.restore(sent["name"]) == f"n-{mail}"
    assert json.loads(redaction.restore_json(sent["arguments"])) == {"to": mail, "unit": 1}


def test_names_stay_names() -> None:
    redaction = begin(Words(["Jane"]))
    alias = redaction.name("call_Jane")
    assert alias.replace("_", "").isalnum()
    assert redaction.name("call_Jane") == alias
    assert redaction.name("call_it") == "call_it"
    assert redaction.restore({"name": alias}) == {"name": "call_Jane"}


def test_a_first_value_behind_the_same_key_is_read() -> None:
    text = '{"a": "jane.doe@example.com", "a": "x"}'
    assert "jane" not in begin().redact({"arguments": text}, PLAIN)["arguments"]


def test_pictures_pass_only_when_intake_made_them() -> None:
    data = "data:image/png;base64,jane.doe@example.com"
    assert "jane" not in begin().redact({"picture": data}, PLAIN)["picture"]
    assert begin().redact({"picture": Cleared(data)}, PLAIN)["picture"] == data
    assert "jane" not in begin().redact({"text": Cleared(data)}, PLAIN)["text"]


def test_a_planted_placeholder_comes_back_as_it_was() -> None:
    redaction = begin(Words(["Jane"]))
    first = redaction.redact({"text": "Jane"}, PLAIN)["text"]
    planted = f"{first} and <PERSON_aaaaaaaaaa>"
    sent = redaction.redact({"other": planted}, PLAIN)["other"]
    assert first not in sent
    assert redaction.restore(sent) == planted


def test_a_placeholder_that_was_not_issued_is_nobodys() -> None:
    redaction = begin(Words(["Jane"]))
    redaction.redact({"text": "Jane"}, PLAIN)
    assert redaction.restore("<PERSON_bbbbbbbbbb>") == "<PERSON_bbbbbbbbbb>"


def test_a_broken_detector_stops_everything() -> None:
    with pytest.raises(Unavailable) as refusal:
        begin(Broken()).redact({"text": "hello"}, PLAIN)
    assert refusal.value.code == "detector-down"


def test_after_close_nothing_is_restored() -> None:
    redaction = begin(Words(["Jane"]))
    sent = redaction.redact({"text": "Jane"}, PLAIN)["text"]
    redaction.close()
    assert redaction.restore(sent) == sent


def test_pseudonyms_are_stable_within_a_tenant_only() -> None:
    redactor = Redactor(rules_detector(), vendor_policy(), b"k" * 32)
    assert redactor.pseudonym("ten_a", "jane") == redactor.pseudonym("ten_a", "jane")
    assert redactor.pseudonym("ten_a", "jane") != redactor.pseudonym("ten_b", "jane")
    assert redactor.seed("ten_a", 4155550100) == redactor.seed("ten_a", 4155550100)
    assert 0 <= redactor.seed("ten_a", 4155550100) < 2**31


def test_arguments_with_quotes_and_newlines_stay_json_when_streamed() -> None:
    value = 'Jane "JD"\nDoe\\'
    redaction = begin(Words([value]))
    sent = redaction.redact({"text": value}, PLAIN)["text"]
    text = json.dumps({"to": sent})
    for cut in range(len(text) + 1):
        stream = redaction.stream(within_json=True)
        whole = stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.finish()
        assert json.loads(whole) == {"to": value}


def test_a_stream_cut_at_every_place_is_restored() -> None:
    redaction = begin()
    text = "Ask Jane Doe (jane.doe@example.com) < 3 times, <b>now</b>."
    sent = redaction.redact({"text": text}, PLAIN)["text"]
    assert "jane" not in sent
    for first in range(len(sent) + 1):
        for second in range(first, len(sent) + 1, 3):
            stream = redaction.stream()
            pieces = (sent[:first], sent[first:second], sent[second:])
            assert "".join(map(stream.feed, pieces)) + stream.finish() == text


_WORDS = ["Jane", "Bob", "Stone", "<PERSON_aaaaaaaaaa>", "<PERSON_", "<", ">", " ", "_aaaaaaaaaa>", "x"]


@given(st.lists(st.lists(st.sampled_from(_WORDS), max_size=12).map("".join), max_size=6), st.data())
def test_any_messages_come_back_exactly_and_one_value_has_one_placeholder(texts: list[str], data: Any) -> None:
    redaction = begin(Words(["Jane", "Bob", "Stone"]))
    payload = {"messages": [{"content": text} for text in texts]}
    sent = [one["content"] for one in redaction.redact(payload, CHAT)["messages"]]
    for word in ("Jane", "Bob", "Stone"):
        assert not any(word in text for text in sent)
    assert redaction.restore(sent) == texts
    issued = {placeholder for text in sent for placeholder in PLACEHOLDER.findall(text)}
    values = [redaction.restore(placeholder) for placeholder in issued]
    assert len(values) == len(set(values))
    for text, whole in zip(sent, texts, strict=True):
        cut = data.draw(st.integers(0, len(text)))
        stream = redaction.stream()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.finish() == whole
