"""Placeholders go out, values come back; in one piece or in any chunks."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy
from troth.redact.tokens import TokenMap

PROMPT = (
    "Hi, I am Maria Keller 😀, maria@example.org, again maria@example.org, «<EMAIL_aaaaaaaaaa>» call +44 20 7946 0958"
)
_BITS = st.sampled_from(
    (
        "maria@example.org|Dear Mrs Keller|<EMAIL_|<EMAIL_aaaaaaaaaa>|<|>|é|😀|\ud800| |\n|x|<TEXT_bbbbbbbbbb>|"
        "+44 20 7946 0958|<PERSON_|aaaaaaaaaa"
    ).split("|")
)


def tokens() -> TokenMap:
    return TokenMap(rules_detector(), vendor_policy())


def test_values_do_not_go_out() -> None:
    with tokens() as live:
        out = live.redact(PROMPT)
        assert not any(value in out for value in ("Maria", "Keller", "example.org", "7946", "<EMAIL_aaaaaaaaaa>"))
        assert live.restore(out) == PROMPT
        assert live.counts() == {"PERSON": 1, "EMAIL": 1, "TEXT": 1, "PHONE": 1}
        first, second = (p for p in out.replace(",", " ").split() if p.startswith("<EMAIL_"))
        assert first == second


def test_a_guess_restores_nothing() -> None:
    live = tokens()
    live.redact(PROMPT)
    assert live.restore("<EMAIL_aaaaaaaaaa> <PERSON_k3f9q2mz7a>") == "<EMAIL_aaaaaaaaaa> <PERSON_k3f9q2mz7a>"


def test_a_restored_value_is_not_read_again() -> None:
    live = tokens()
    inner = live.redact("maria@example.org")
    outer = live.redact(inner)
    assert live.restore(outer) == inner


def test_nothing_survives_the_request() -> None:
    with tokens() as live:
        out = live.redact(PROMPT)
    assert live.restore(out) == out
    assert live.counts() == {}


def test_two_requests_share_nothing() -> None:
    a, b = tokens(), tokens()
    assert a.redact("maria@example.org") != b.redact("maria@example.org")


def test_a_clash_of_suffixes_is_drawn_again() -> None:
    draws = itertools.chain([b"\0" * 8, b"\0" * 8], itertools.repeat(b"\1" * 8))
    live = TokenMap(rules_detector(), vendor_policy(), lambda _: next(draws))
    text = "a@example.org b@example.org"
    assert live.restore(live.redact(text)) == text


@given(st.lists(_BITS, max_size=12).map("".join))
@settings(deadline=None)
def test_round_trip(text: str) -> None:
    live = tokens()
    assert live.restore(live.redact(text)) == text


def test_texts_of_a_conversation_are_one_document() -> None:
    texts = ("Ask Stone.", "Dear Ms Maria Stone,", "STONE, said Maria", "plain")
    with tokens() as live:
        out = live.redact_all(texts)
        assert "stone" not in " ".join(out).casefold()
        assert "Maria" not in " ".join(out)
        assert [live.restore(one) for one in out] == list(texts)
        assert out[3] == "plain"
        assert len({one.split("_")[1].rstrip(">") for one in live.placeholders()}) == 1  # one person
        assert all(len(one.split("_")) == 3 for one in sorted(live.placeholders(), key=len)[1:])
    assert live.restore(out[0]) == out[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("write to maria.keller@exam", "ple.org now"),
        ("card 4111 1111", "1111 1111 till May"),
        ("card 4111111", "111111111"),
    ],
)
def test_a_value_in_two_texts(one: str, other: str) -> None:
    with tokens() as live:
        out = live.redact_all([one, other], [(0, 1)])
        assert [live.restore(text) for text in out] == [one, other]
        assert not any(part in out[0] + out[1] for part in ("maria", "exam", "ple.org", "4111", "1111"))
        assert live.redact_all([one, other])[1] == other  # nothing joins them here


def test_a_value_that_ends_takes_no_word_of_the_next_text() -> None:
    with tokens() as live:
        out = live.redact_all(["write to maria@example.org", "Thanks a lot"], [(0, 1)])
        assert out[1] == "Thanks a lot"


@given(st.lists(st.lists(_BITS, max_size=5).map("".join), max_size=5))
@settings(deadline=None)
def test_round_trip_of_conversations(texts: list[str]) -> None:
    live = tokens()
    out = live.redact_all(texts, itertools.pairwise(range(len(texts))))
    assert [live.restore(one) for one in out] == texts
    values = [live.restore(one) for one in live.placeholders()]
    assert len(values) == len(set(values))
