"""Placeholders go out, values come back; in one piece or in any chunks."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy
from troth.redact.tokens import StreamRestorer, TokenMap

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


def test_every_split() -> None:
    live = tokens()
    out = live.redact(PROMPT)
    for first, second in itertools.combinations_with_replacement(range(len(out) + 1), 2):
        stream = StreamRestorer(live)
        pieces = [stream.feed(part) for part in (out[:first], out[first:second], out[second:])]
        assert "".join(pieces) + stream.finish() == PROMPT


@given(st.lists(_BITS, max_size=12).map("".join), st.lists(st.integers(0, 200), max_size=8))
@settings(deadline=None)
def test_stream_equals_whole(text: str, cuts: list[int]) -> None:
    live = tokens()
    out = live.redact(text) + " and " + live.redact("b@example.org")[:9]
    stream, position, parts = StreamRestorer(live), 0, []
    for cut in [*sorted(min(c, len(out)) for c in cuts), len(out)]:
        parts.append(stream.feed(out[position:cut]))
        position = cut
    assert "".join(parts) + stream.finish() == live.restore(out)


@pytest.mark.parametrize("tail", ["<", "<EMAIL", "a < b", "<EMAIL_zzzz", "<PERSON_"])
def test_holds_back_only_an_open_placeholder(tail: str) -> None:
    live = tokens()
    placeholder = live.redact("maria@example.org")
    stream = StreamRestorer(live)
    given_out = stream.feed("text " + tail)
    expected = "text " if placeholder.startswith(tail) else "text " + tail
    assert given_out == expected
    assert given_out + stream.finish() == "text " + tail
