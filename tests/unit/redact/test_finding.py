"""What a policy acts on: finds, its own detectors, word lists, and what it lets stay."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from troth.kernel.errors import Invalid, Unavailable
from troth.redact import quasi
from troth.redact.detect import Span, rules_detector
from troth.redact.detect.kinds import QUASI_KINDS
from troth.redact.finding import Finder
from troth.redact.policy import Policy, parse_policy, vendor_policy
from troth.redact.rows import RowRedactor
from troth.redact.text import redact
from troth.redact.tokens import TokenMap

TRAINING = resources.files("troth.redact").joinpath("policies", "training.yaml").read_text(encoding="utf-8")
KEY = b"k" * 32
TEXT = "Badge B-1234 of Mrs Maria Keller, maria@example.org, desk@example.org, a Portuguese nurse."


def policy(extra: str) -> Policy:
    return parse_policy(textwrap.dedent(extra) + TRAINING)


def taken(text: str, one: Policy) -> str:
    return redact(text, rules_detector(), one, KEY).text


def test_a_pattern_of_ones_own() -> None:
    own = policy("detectors: [{name: badge, pattern: 'B-[0-9]{4}', decision: label}]\n")
    assert taken(TEXT, own).startswith("Badge <BADGE> of")
    group = policy("detectors: [{name: badge, pattern: 'Badge (B-[0-9]{4})', kind: document_id}]\n")
    assert taken(TEXT, group).startswith("Badge <ID> of")
    assert taken("\ud800 B-1234 😀 B-1234", own) == "\ud800 <BADGE> 😀 <BADGE>"


def test_words_of_ones_own_in_every_face() -> None:
    own = policy("detectors: [{name: project, words: [Blue Heron], decision: pseudonym}]\n")
    text = "The BLUE  heron ships."
    assert "<PROJECT_" in taken(text, own)
    assert "<PROJECT_" in RowRedactor(rules_detector(), own, KEY).redact({"t": text})["t"]
    tokens = TokenMap(rules_detector(), own)
    assert "heron" not in tokens.redact(text)
    assert tokens.restore(tokens.redact(text)) == text
    assert tokens.counts() == {"PROJECT": 1}


def test_ones_own_come_first_and_nothing_is_uncovered() -> None:
    own = policy("detectors: [{name: firm, pattern: 'example', decision: label}]\n")
    assert taken("maria@example.org", own) == "<EMAIL><FIRM><EMAIL>"
    kept = policy("detectors: [{name: firm, pattern: 'example', decision: {keep: our own name stays}}]\n")
    assert taken("maria@example.org", kept) == "<EMAIL>"


def test_the_allow_list() -> None:
    one = policy("allow: [{value: DESK@example.org, reason: our public address}]\n")
    assert "desk@example.org" in taken(TEXT, one)
    assert "maria@example.org" not in taken(TEXT, one)
    some = policy("allow: [{pattern: '[a-z]+@example[.]org', kinds: [person], reason: our public address}]\n")
    assert "desk@example.org" not in taken(TEXT, some)
    every = policy("allow: [{pattern: '[a-z]+@example[.]org', kinds: [email], reason: our public address}]\n")
    assert "maria@example.org" in taken(TEXT, every)


def test_an_allowed_person_is_allowed_in_every_mention() -> None:
    class Mentions:
        version = "m"

        def detect(self, text: str) -> list[Span]:
            return [Span(0, 2, "person", 1.0, "m", "Ann Lee")]

    one = policy("allow: [{value: ann lee, reason: the author of the text}]\n")
    assert Finder(Mentions(), one).find("Al went") == []
    assert Finder(Mentions(), policy("")).find("Al went") != []


def test_quasi_identifiers_where_asked() -> None:
    assert "Portuguese nurse" in taken(TEXT, policy(""))
    asked = "kinds: {nationality: label}\n" + TRAINING.replace("  job_title:\n    keep:", "  job_title: remove\n  #")
    assert taken(TEXT, parse_policy(asked)).endswith("a <DEMOGRAPHIC> .")
    every = policy("kinds: {" + ", ".join(f"{kind}: mask" for kind in sorted(QUASI_KINDS - {"job_title"})) + "}\n")
    assert "Muslim" not in taken("a Muslim widow with epilepsy", every)


def test_every_list_finds_its_own_words() -> None:
    assert set(quasi.entries()) == QUASI_KINDS
    for kind, words in quasi.entries().items():
        for word in words:
            assert [word[s.start : s.end] for s in quasi.find(word, kind)] == [word]


def test_rules_alone_do_not_find_what_only_a_model_does() -> None:
    text = TRAINING.replace("  organisation:\n    keep:", "  organisation: label\n  # ")
    with pytest.raises(Invalid) as caught:
        taken("x", parse_policy(text))
    assert caught.value.code == "policy-needs-model"


def test_an_unknown_kind_stops_the_text() -> None:
    class Odd:
        version = "odd"

        def detect(self, text: str) -> list[Span]:
            return [Span(0, 1, "shoe_size", 1.0, "odd")]

    with pytest.raises(Invalid, match="taxonomy"):
        Finder(Odd(), vendor_policy()).find("x")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that declares detectors, as pip would install it."""
    info = tmp_path / "badges-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badges\nVersion: 1\n")
    names = "\n".join(f"{name} = badges_{tmp_path.name}:{name}" for name in ("find", "wild", "broken", "number"))
    (info / "entry_points.txt").write_text(f"[troth.detectors]\n{names}\nlost = no_such_module:find\n")
    (tmp_path / f"badges_{tmp_path.name}.py").write_text(
        textwrap.dedent("""
        def find(text):
            at = text.find("B-")
            return [(at, at + 6)] if at >= 0 else []
        def wild(text):
            return [(0, 10**9)] if "B-" in text else []
        def broken(text):
            raise KeyError(text)
        number = 3
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop(f"badges_{tmp_path.name}", None)


def test_a_declared_entry_point(installed: Path) -> None:
    own = policy("detectors: [{name: badge, entry_point: find, decision: label}]\n")
    assert taken(TEXT, own).startswith("Badge <BADGE> of")
    finder = Finder(rules_detector(), own)
    assert finder.versions[1].startswith("badge-")
    del installed


@pytest.mark.parametrize("name", ["lost", "broken", "number", "os.system", "not_declared"])
def test_what_cannot_be_loaded_stops_the_start(installed: Path, name: str) -> None:
    own = policy(f"detectors: [{{name: badge, entry_point: {name}, decision: label}}]\n")
    for start in (lambda: Finder(rules_detector(), own), lambda: TokenMap(rules_detector(), own)):
        with pytest.raises(Unavailable) as caught:
            start()
        assert caught.value.code == "detector-down"
    del installed


def test_a_detector_that_points_outside_stops_the_text(installed: Path) -> None:
    own = policy("detectors: [{name: badge, entry_point: wild, decision: label}]\n")
    assert taken("nothing here", own) == "nothing here"
    with pytest.raises(Unavailable):
        taken(TEXT, own)
    del installed
