from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.studio.chat import answer


def _say(text: object, role: str = "user") -> str:
    return "".join(answer([{"role": "system", "content": "be brief"}, {"role": role, "content": text}]))


@pytest.mark.parametrize("text", ["hi", "Summarise: one. two.", "Draft a mail to Ada about tea", "why?", ""])
def test_every_answer_says_what_it_is(text: str) -> None:
    assert _say(text).startswith("This is Troth's local responder: rules, no language model.")


@pytest.mark.parametrize(
    "request_text",
    [
        "Write an email to <PERSON_abcdefghij> at <EMAIL_ADDRESS_klmnopqrst> about her late invoice",
        "Summarise: <PERSON_abcdefghij> wrote to <EMAIL_ADDRESS_klmnopqrst> in May. Rain.",
        "Who is <PERSON_abcdefghij>? Ask <EMAIL_ADDRESS_klmnopqrst>.",
    ],
)
def test_placeholders_come_back_verbatim(request_text: str) -> None:
    said = _say(request_text)
    assert "<PERSON_abcdefghij>" in said
    assert "<EMAIL_ADDRESS_klmnopqrst>" in said


def test_summary_prefers_facts() -> None:
    said = _say("Please summarise: Alice met Bob in Rome on 3 May. It rained. It was dull. Eve paid 300 euros.")
    assert said.endswith("In 3 of 4 sentences: Alice met Bob in Rome on 3 May. It rained. Eve paid 300 euros.")


def test_draft_names_recipient_and_topic() -> None:
    said = _say("Draft a short message to Ada Lovelace about the missing keys")
    assert "Dear Ada Lovelace," in said
    assert "the missing keys" in said


def test_pieces_are_short_enough_to_split_a_placeholder() -> None:
    pieces = list(answer([{"role": "user", "content": "Who is <PERSON_abcdefghij>?"}]))
    assert len(pieces) > 10
    assert max(map(len, pieces)) <= 9
    assert not any("<PERSON_abcdefghij>" in piece for piece in pieces)


def test_only_the_last_user_message_is_answered() -> None:
    said = "".join(
        answer(
            [
                {"role": "user", "content": "first"},
                {"role": "user", "content": "second"},
                {"role": "assistant", "content": "x"},
            ]
        )
    )
    assert "second" in said
    assert "first" not in said


def test_text_parts_are_read_and_others_are_not() -> None:
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:secret"}},
        {"type": "text"},
        3,
    ]
    said = _say(parts)
    assert "look" in said
    assert "secret" not in said


def test_long_text_is_cut_between_words() -> None:
    said = _say("what? " + "<PERSON_abcdefghij> " * 100)
    assert "<PERSON_abcdefg " not in said
    assert len(said) < 900


@given(st.none() | st.text() | st.lists(st.dictionaries(st.sampled_from(["type", "text"]), st.text() | st.integers())))
def test_any_message_is_answered(content: object) -> None:
    assert _say(content)
