"""What a new version takes away is named, promise by promise (GOV-25)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
import yaml

from paper_texts import bound_text, says
from troth.promises.paper.binding import Paper, paper_of
from troth.promises.paper.changes import changed, weakens
from troth.promises.paper.parameters import parameters
from troth.promises.paper.shipped import SHIPPED, shipped
from troth.promises.paper.splitting import sentences


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


OWN = {"id": "OWN-01", "statement": "Nobody opens a letter.", "kind": "enforced", "bound": "everybody",
       "acceptance": "Who administers is refused.", "checks": ["access-by-class", "access-default-deny"]}  # fmt: skip


def owning(own: dict[str, Any] | None, **header: Any) -> Paper:
    """A paper of one sentence that carries OWN-01, which its own file defines so, and INC-06."""
    text = b"Letters stay closed."
    rows = [{"at": one.at, "sha256": one.sha256, "carries": ["OWN-01", "INC-06"]} for one in sentences(text.decode())]
    named = {"file": "small.txt", "sha256": sha256(text).hexdigest()}
    binding = {"paper": "small", "version": "1", "text": named, "sentences": rows, **header}
    if own is None:
        return paper_of(text, yaml.safe_dump(binding).encode())
    return paper_of(
        text, yaml.safe_dump(binding | {"promises": "own.yaml"}).encode(), yaml.safe_dump({"promises": [own]}).encode()
    )


@pytest.mark.parametrize(
    ("new", "kind", "says"),
    [
        (OWN, None, ""),
        (OWN | {"checks": OWN["checks"][:1]}, "weakened", "Nothing looks at it by access-default-deny any more."),
        (OWN | {"checks": [*OWN["checks"], "keys"]}, "strengthened", "It is looked at by keys too."),
        (OWN | {"kind": "recorded"}, "weakened", "It was enforced, and is recorded now."),
        (OWN | {"statement": "Few open a letter."}, "weakened", "Its statement has other words"),
        (OWN | {"acceptance": "Who administers is asked."}, "weakened", "Its acceptance has other words"),
        (OWN | {"bound": "some"}, "weakened", "Its bound has other words"),
        (OWN | {"statement": "Nobody  opens a Letter."}, "reworded", "Its statement has the same words"),
        (None, "weakened", "It was the paper's own promise, and is the catalogue's now."),
    ],
)
def test_an_own_promise_is_compared_behind_its_sentence(new: dict[str, Any] | None, kind: str, says: str) -> None:
    found = changed(owning(OWN), owning(new), parameters())
    assert [(one.promise, one.kind) for one in found] == ([("OWN-01", kind)] if kind else [])
    assert all(one.says.startswith(says) for one in found)
    assert weakens(found) == (kind == "weakened")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ({"notice-hours": 24}, {"notice-hours": 24}, []),
        ({"notice-hours": 24}, {"notice-hours": 12}, []),
        ({"notice-hours": 24}, {"notice-hours": 48}, ["notice-hours: the paper's own 24 became 48 "]),
        (
            {"notice-hours": 24, "told": ["users"]},
            {"told": ["users"]},
            ["notice-hours: the paper's own 24 became what"],
        ),
        ({"regions": ["EU"]}, {}, []),
    ],
)
def test_a_parameter_of_its_own_that_is_looser_is_weaker(
    old: dict[str, Any], new: dict[str, Any], says: list[str]
) -> None:
    found = changed(owning(OWN, parameters=old), owning(OWN, parameters=new), parameters())
    assert [(one.promise, one.kind) for one in found] == [("INC-06", "weakened")] * len(says)
    assert all(one.says.startswith(told) for one, told in zip(found, says, strict=True))
