"""Which binding belongs to which sentence."""

from __future__ import annotations

from troth.promises.paper.binding import Bound
from troth.promises.paper.matching import match
from troth.promises.paper.splitting import sentences


def rows(text: str) -> list[Bound]:
    return [Bound(at=one.at, sha256=one.sha256, carries=("CRY-01",)) for one in sentences(text)]


def told(text: str, bound: list[Bound]) -> tuple[list[str], list[str], list[str]]:
    found = match(sentences(text), bound)
    return [pair.how for pair in found.pairs], [one.at for one in found.gone], [one.at for one in found.twice]


def test_the_same_words_stay_bound_wherever_they_go() -> None:
    assert told("New.\nOne.\nTwo.", rows("One.\nTwo.")) == (["none", "moved", "moved"], [], [])
    assert told("Two.\nOne.", rows("One.\nTwo.")) == (["moved", "moved"], [], [])


def test_other_words_between_the_same_neighbours_are_a_change() -> None:
    bound = rows("One.\nTwo.\nThree.")
    assert told("One.\nTwice.\nThree.", bound) == (["same", "changed", "same"], [], [])
    assert told("Top.\nOne.\nTwice.\nThree.", bound) == (["none", "moved", "changed", "moved"], [], [])
    assert told("One.\nThree.", bound) == (["same", "moved"], ["2.0"], [])
    assert told("Once.\nTwo.", bound) == (["changed", "same"], ["3.0"], [])


def test_the_same_sentence_twice_needs_two_bindings() -> None:
    assert told("One.\nOne.", rows("One.\nOne.")) == (["same", "same"], [], [])
    assert told("One.\nOne.", rows("One.")) == (["same", "none"], [], [])
    assert told("One.", rows("One.\nOne.")) == (["same"], [], ["2.0"])


def test_a_digest_must_agree_in_all_its_digits() -> None:
    (one,) = sentences("One.")
    short = Bound(at="1.0", sha256=one.sha256[:16], carries=("CRY-01",))
    assert match([one], [short]).pairs[0].how == "same"
    other = Bound(at="1.0", sha256=one.sha256[:16] + "0" * 48, carries=("CRY-01",))
    assert match([one], [other]).pairs[0].how == "changed"
