"""What a new version takes away is named, promise by promise (GOV-25)."""

from __future__ import annotations

import pytest

from paper_texts import bound_text, says
from troth.promises.paper.changes import changed, weakens
from troth.promises.paper.parameters import parameters
from troth.promises.paper.shipped import SHIPPED, shipped


def kinds(old: str, new: str, promise: str) -> list[str]:
    return [one.kind for one in changed(says(old, promise), says(new, promise), parameters())]


@pytest.mark.parametrize(
    ("old", "new", "promise", "expected"),
    [
        ("We use TLS 1.3.", "We use TLS 1.2.", "CRY-01", ["weakened"]),
        ("We sign our logs daily.", "We do not sign our logs daily.", "AUD-04", ["weakened"]),
        ("We sign our logs daily.", "We don\u2019t sign our logs daily.", "AUD-04", ["weakened"]),
        ("We sign our logs daily.", "We have stopped to sign our logs daily.", "AUD-04", ["weakened"]),
        ("Prompts are not read by staff.", "Prompts are read by staff.", "ACC-03", ["weakened"]),
        ("We sign our logs daily.", "Each day we sign our logs.", "AUD-04", ["reworded"]),
        ("We use TLS 1.2.", "We use TLS 1.3.", "CRY-01", ["strengthened"]),
        ("We use TLS 1.3.", "We use good locks.", "CRY-01", ["weakened"]),
        ("We use TLS 1.3.", "TLS 1.3 is what we use.", "CRY-01", ["reworded"]),
        ("We use TLS 1.3.", "We use TLS 1.3.", "CRY-01", []),
        ("The authority is told within 24 hours.", "The authority is told within 72 hours.", "INC-07", ["weakened"]),
        ("Data is stored only in Europe.", "Data is stored in Europe.", "LOC-01", ["weakened", "weakened"]),
        ("Data is stored in Europe.", "Data is stored in Europe and Australia.", "LOC-01", ["weakened"]),
        ("Data is stored in the USA and Europe.", "Data is stored in Europe.", "LOC-01", ["strengthened"]),
        ("We erase live copies and backups.", "We erase live copies.", "DEL-03", ["weakened"]),
        ("Keys are held in HSMs.", "Keys are held in software.", "CRY-03", ["weakened"]),
        ("All data is encrypted.", "We aim to encrypt most data.", "CRY-02", ["weakened", "weakened"]),
    ],
)
def test_one_sentence(old: str, new: str, promise: str, expected: list[str]) -> None:
    assert kinds(old, new, promise) == expected


def test_dropped_comes_first_and_added_is_no_weakening() -> None:
    old = bound_text("One. Two.", [{"carries": ["CRY-01"]}, {"carries": ["CRY-02"]}])
    new = bound_text("One. Three.", [{"carries": ["CRY-01"]}, {"carries": ["CRY-03"]}])
    found = changed(old, new, parameters())
    assert [(one.kind, one.promise) for one in found] == [("dropped", "CRY-02"), ("added", "CRY-03")]
    assert found[0].before == ("Two.",)
    assert weakens(found)
    assert not weakens(found[1:])


def test_a_sentence_moved_to_a_heading_is_dropped() -> None:
    old, new = says("We use TLS 1.3.", "CRY-01"), bound_text("We use TLS 1.3.", [{"because": "heading"}])
    assert [one.kind for one in changed(old, new, parameters())] == ["dropped"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_paper_does_not_differ_from_itself(name: str) -> None:
    assert changed(shipped(name), shipped(name), parameters()) == ()
