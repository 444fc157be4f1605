"""Binding files that are written: every sentence stands in them, and no promise is guessed."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest
import yaml

from paper_texts import known
from troth.promises.paper.binding import paper_of
from troth.promises.paper.lint import lint
from troth.promises.paper.shipped import SHIPPED, shipped, shipped_file
from troth.promises.paper.skeleton import first, refreshed

TODAY = date(2026, 11, 23)


def test_a_first_one_binds_nothing() -> None:
    text = "# Ours\n\nWe use TLS 1.3. “Quotes: [and] {braces} # too” — no, on, 1:30.\n".encode()
    made = first(text, "ours.md", "ours", TODAY)
    assert (made.sentences, made.changed, made.unbound) == (3, 0, 3)
    paper = paper_of(text, made.text.encode())
    assert {one.carries for one in paper.binding.sentences} == {()}
    found = lint(paper, known())
    assert [one.code for one in found if one.severity == "error"] == ["unbound"] * 3


@pytest.mark.parametrize("name", SHIPPED)
def test_an_unchanged_text_keeps_all(name: str) -> None:
    paper = shipped(name)
    made = refreshed(paper, shipped_file(paper.binding.text.file))
    assert (made.changed, made.unbound) == (0, 0)
    assert made.text.encode() == shipped_file(f"{name}.paper.yaml")


def test_a_changed_sentence_must_be_bound_again() -> None:
    text = (
        shipped_file("harbour.md")
        .replace(b"within 48 hours", b"within 50 hours")
        .replace(b"# Suppliers", b"# Suppliers\n\nNew.")
    )
    made = refreshed(shipped("harbour"), text)
    assert (made.sentences, made.changed, made.unbound) == (44, 1, 2)
    assert "when it carried: INC-06" in made.text
    paper = paper_of(text, made.text.encode(), shipped_file("harbour.promises.yaml"))
    assert (paper.digest, paper.binding.text.sha256) == (sha256(text).hexdigest(),) * 2
    assert paper.binding.parameters == shipped("harbour").binding.parameters
    undecided = [one for one in paper.binding.sentences if not one.decided]
    assert len(undecided) == 2


def test_what_people_accepted_stays() -> None:
    accepted = {"finding": "unkept", "because": "the lease says so", "by": "dpo", "until": TODAY}
    binding = yaml.safe_load(shipped_file("dzine.paper.yaml"))
    row = next(one for one in binding["sentences"] if one["at"] == "21.0")
    row["accepts"] = [accepted]
    text = shipped_file("dzine.txt")
    made = refreshed(paper_of(text, yaml.safe_dump(binding).encode()), text)
    again = paper_of(text, made.text.encode())
    assert [one.accepts[0].model_dump() for one in again.binding.sentences if one.accepts] == [accepted]


def test_a_text_without_sentences_has_none() -> None:
    made = first(b"\n\n", "a.txt", "a", TODAY)
    assert paper_of(b"\n\n", made.text.encode()).binding.sentences == ()
