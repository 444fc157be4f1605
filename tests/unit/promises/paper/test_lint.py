"""Every way in which a paper says what is not bound, not kept, or not so: found, and the sentence named."""

from __future__ import annotations

import random
import re
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from paper_texts import TODAY, bound_text, codes, known, linted, says
from troth.promises.paper.binding import Paper, paper_of
from troth.promises.paper.lint import BINDING, lint
from troth.promises.paper.parameters import parameters
from troth.promises.paper.shipped import SHIPPED, SOURCES, shipped, shipped_file
from troth.promises.paper.splitting import Sentence

CHECKS = frozenset({"access-by-class", "access-default-deny"})  # that they exist: tests/promises/test_papers.py
SEED = 8
PLACES = random.Random(SEED).sample([(name, number) for name in SOURCES for number in range(58)], 40)


def files(name: str) -> tuple[bytes, dict[str, Any]]:
    paper = shipped(name)
    return shipped_file(paper.binding.text.file), yaml.safe_load(shipped_file(f"{name}.paper.yaml"))


def made(text: bytes, binding: dict[str, Any], name: str = "") -> Paper:
    own = shipped_file(f"{name}.promises.yaml") if binding.get("promises") else None
    return paper_of(text, yaml.safe_dump(binding).encode(), own)


def another_word(sentence: Sentence, line: str) -> str:
    """The line with one word of the sentence changed."""
    words = sentence.text.split()
    at = len(words) // 2
    changed = " ".join([*words[:at], "otherwise" if words[at].isalpha() else words[at] + "x", *words[at + 1 :]])
    return line.replace(sentence.text, changed, 1)


def test_the_third_paper_has_no_fault() -> None:
    found = lint(shipped("harbour"), known(checks=CHECKS))
    assert codes(found) == []
    assert {one.code for one in found} == {"weaker"}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_papers_are_bound_whole(name: str) -> None:
    assert not set(linted(shipped(name), checks=CHECKS)) & BINDING


def test_what_the_source_papers_say_too_much_of_is_known() -> None:
    found = {name: [(one.sentence.line, one.code) for one in lint(shipped(name), known())
                    if one.severity == "error" and one.sentence] for name in SOURCES}  # fmt: skip
    assert found == {
        "zian": [
            (13, "wording/iso-mirrors"), (30, "wording/soc2-complies"), (30, "wording/iso-complies"),
            (58, "wording/soc2-certified"), (58, "wording/certificate"),
        ],
        "dzine": [
            (21, "unkept"), (21, "wording/soc2-certified"), (37, "wording/soc2-complies"), (57, "contact-domain"),
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("name", "number"), PLACES)
def test_one_word_changed_names_the_sentence(name: str, number: int) -> None:
    text, binding = files(name)
    sentence = shipped(name).sentences[number]
    lines = text.decode().split("\n")
    lines[sentence.line - 1] = another_word(sentence, lines[sentence.line - 1])
    found = lint(made("\n".join(lines).encode(), binding), known(checks=CHECKS))
    named = {one.where for one in found if one.code in ("changed", "unbound")}
    assert named == {sentence.place}
    assert "hash" in codes(found)


@pytest.mark.parametrize(("name", "number"), PLACES[:8])
def test_a_dropped_binding_names_the_sentence(name: str, number: int) -> None:
    text, binding = files(name)
    del binding["sentences"][number]
    found = [one for one in lint(made(text, binding), known()) if one.code in BINDING]
    assert [(one.code, one.where) for one in found] == [("unbound", shipped(name).sentences[number].place)]


def test_a_binding_of_nothing_and_one_that_stands_twice() -> None:
    text, binding = files("zian")
    binding["sentences"].append({"at": "99.0", "sha256": "f" * 64, "carries": ["CRY-01"]})
    binding["sentences"].append(deepcopy(binding["sentences"][3]))
    found = [one for one in lint(made(text, binding), known()) if one.code in BINDING]
    assert [one.code for one in found] == ["gone", "twice"]
    assert "99.0" in found[0].says
    assert "CRY-01" in found[0].says


def test_lines_that_moved_are_a_note_once() -> None:
    text, binding = files("dzine")
    content = b"\n\n" + text
    found = lint(made(content, binding), known())
    assert [one.code for one in found if one.code == "moved"] == ["moved"]
    assert not {"changed", "gone", "unbound"} & {one.code for one in found}


CONFLICTS = [  # row of the table, what nobody keeps, the promise it is bound to, the finding
    (1, "All connections use TLS 1.4.", "CRY-01", "contradicted"),
    (2, "We never train models on what you send.", "CLS-06", "contradicted"),
    (3, "Users are told of a breach within 12 hours.", "INC-06", "contradicted"),
    (3, "The supervisory authority is told within 24 hours.", "INC-07", "contradicted"),
    (3, "Clients and the press are told of every incident.", "INC-06", "contradicted"),
    (4, "Data is stored only in Germany.", "LOC-01", "contradicted"),
    (4, "Data is stored only in the European Union.", "LOC-01", "contradicted"),
    (4, "Our servers are run by AWS.", "LOC-03", "unkept"),
    (5, "Keys are held in modules validated to FIPS 140-3.", "CRY-03", "contradicted"),
    (6, "All staff complete security training every quarter.", "GOV-03", "contradicted"),
    (7, "Independent penetration tests take place monthly.", "GOV-19", "contradicted"),
    (8, "Each alarm is acknowledged within one minute.", "MON-10", "contradicted"),
    (9, "Our vendors never retain any data.", "VEN-03", "contradicted"),
    (10, "Deleted data is shredded from all disks.", "DEL-02", "contradicted"),
    (10, "A deletion is done within 24 hours.", "DEL-05", "contradicted"),
    (11, "Our service is SOC 2 certified.", "GOV-11", "wording/soc2-certified"),
    (11, "Our system mirrors ISO/IEC 27001.", "GOV-01", "wording/iso-mirrors"),
    (12, "Write to privacy@elsewhere.example.", "GOV-26", "contact-domain"),
]


def test_every_row_of_the_table_has_a_conflict() -> None:
    assert {row for row, *_ in CONFLICTS} == set(range(1, 13))


@pytest.mark.parametrize(("text", "promise", "code"), [conflict[1:] for conflict in CONFLICTS])
def test_a_claim_that_nothing_keeps(text: str, promise: str, code: str) -> None:
    paper = says(text, promise)
    assert linted(paper) == [code]
    finding = next(one for one in lint(paper, known()) if one.severity == "error")
    assert (finding.where, finding.as_json()["quote"]) == ("line 1 sentence 1", text)
    assert finding.do


def test_a_weaker_claim_is_a_note_and_the_stricter_rules() -> None:
    (finding,) = lint(says("All connections use TLS 1.2.", "CRY-01"), known())
    assert (finding.code, finding.severity) == ("weaker", "note")
    assert "stricter 1.3 rules" in finding.says


def test_a_paper_may_keep_more_than_the_house() -> None:
    text, rows = "The supervisory authority is told within 24 hours.", [{"carries": ["INC-07"]}]
    assert linted(bound_text(text, rows)) == ["contradicted"]
    assert linted(bound_text(text, rows, parameters={"authority-hours": 24})) == []
    assert linted(bound_text(text, rows, parameters={"authority-hours": 96})) == ["parameter", "contradicted"]


def test_a_claim_must_carry_the_promise_behind_it() -> None:
    assert linted(says("All connections use TLS 1.3.", "GOV-22")) == ["misbound"]
    assert linted(bound_text("All connections use TLS 1.3.", [{"because": "heading"}])) == ["misbound"]
    assert linted(bound_text("All their connections use TLS 1.3.", [{"because": "not-ours"}])) == []


def test_nothing_is_bound_that_nobody_bound() -> None:
    assert linted(bound_text("One. Two.", [{"carries": []}, {"carries": ["XYZ-99"]}])) == ["unbound", "unknown-promise"]


def test_what_is_not_kept_now_may_not_be_said() -> None:
    paper = says("All connections use TLS 1.3.", "CRY-01")
    assert linted(paper, states={"CRY-01": "not kept"}) == ["not-kept"]
    assert linted(paper, states={"CRY-01": "unknown", "CRY-02": "not kept"}) == []


@pytest.mark.parametrize(
    ("until", "errors"),
    [
        (TODAY, []),
        (TODAY + timedelta(days=366), []),
        (TODAY - timedelta(days=1), ["contact-domain"]),
        (TODAY + timedelta(days=367), ["contact-domain"]),
    ],
)
def test_people_accept_until_a_day(until: date, errors: list[str]) -> None:
    accepted = {"finding": "contact-domain", "because": "the mail provider's", "by": "dpo", "until": until}
    paper = bound_text("Mail a@b.example.", [{"carries": ["GOV-26"], "accepts": [accepted]}])
    found = lint(paper, known())
    assert codes(found) == errors
    assert len(found) == 1
    assert ("dpo" in found[0].says) == (not errors)


def test_an_acceptance_of_nothing_is_a_fault() -> None:
    accepted = {"finding": "wording/absolute", "because": "it was so", "by": "dpo", "until": TODAY}
    assert linted(bound_text("Hello.", [{"because": "rhetoric", "accepts": [accepted]}])) == ["idle-acceptance"]


def test_an_acceptance_is_of_the_words_that_were_accepted() -> None:
    accepted = {"finding": "contact-domain", "because": "the mail provider's", "by": "dpo", "until": TODAY}
    row = {"at": "1.0", "sha256": "0" * 64, "carries": ["GOV-26"], "accepts": [accepted]}
    assert linted(bound_text("Mail a@b.example.", [row])) == ["changed", "contact-domain"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"access-by-class", b"access-by-mood"), "unchecked"),
        ((b"id: HBR-01", b"id: HBR-02"), "uncovered-promise"),
        ((b"id: HBR-01", b"id: CRY-01"), "twice"),
    ],
)
def test_own_promises_are_carried_and_looked_at(change: tuple[bytes, bytes], code: str) -> None:
    own = shipped_file("harbour.promises.yaml").replace(*change)
    paper = paper_of(shipped_file("harbour.md"), shipped_file("harbour.paper.yaml"), own)
    assert code in linted(paper, checks=CHECKS)


def test_every_code_stands_in_the_reference() -> None:
    root = Path(__file__).resolve().parents[4]
    pages = (root / "docs" / "reference" / "papers.md").read_text(encoding="utf-8")
    sources = "".join((root / "src/troth/promises/paper" / name).read_text() for name in ("lint.py", "wording.py"))
    found = set(re.findall(r'(?:Finding|Wording|_Rule)\(\s*"([a-z0-9/-]+)"', sources))
    assert {"unbound", "contact-domain", "wording/absolute"} <= found
    assert {code for code in found if f"`{code}`" not in pages} == set()
    assert {name for name in parameters() if f"`{name}`" not in pages} == set()
