"""Papers and their files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from paper_texts import bound_text
from troth.kernel.errors import Invalid, NotFound, TooLarge, TrothError
from troth.promises.paper.binding import MOST_BINDING, binding_path, paper_of, read_paper
from troth.promises.paper.shipped import SHIPPED, shipped, shipped_file

TEXT = b"One."
ROW = {"at": "1.0", "sha256": "0" * 16, "carries": ["CRY-01"]}
FALSE = {"finding": "contradicted", "because": "why not", "by": "dpo", "until": "2027-01-01"}
GOOD = {"paper": "small", "version": 1, "text": {"file": "a.txt", "sha256": "0" * 64}, "sentences": [ROW]}


def refused(binding: object, own: bytes | None = None) -> TrothError:
    spelt = binding if isinstance(binding, bytes) else yaml.safe_dump(binding).encode()
    with pytest.raises(TrothError) as caught:
        paper_of(TEXT, spelt, own)
    return caught.value


def test_what_is_written_is_read() -> None:
    paper = paper_of(TEXT, yaml.safe_dump(GOOD).encode())
    assert (paper.name, paper.binding.version, paper.sentences[0].text) == ("small", "1", "One.")
    assert paper_of(TEXT, yaml.safe_dump(GOOD | {"version": "1.10"}).encode()).binding.version == "1.10"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"paper": "Small Paper"}, "paper"), ({"version": True}, "version"),
        ({"version": 1.5}, "version"), ({"shoe": 1}, "shoe"),
        ({"text": {"file": "../a.txt", "sha256": "0" * 64}}, "text.file"), ({"effective": "soon"}, "effective"),
        ({"text": {"file": "a.txt", "sha256": "0" * 63}}, "text.sha256"), ({"promises": "x/y"}, "promises"),
        ({"text": {"file": "a.txt", "sha256": "0" * 64, "layout": "pdf"}}, "text.layout"),
        ({"sentences": [ROW | {"carries": ["CRY"]}]}, "sentences.0.carries.0"),
        ({"sentences": [ROW | {"because": "heading"}]}, "sentences.0"),
        ({"sentences": [ROW | {"sha256": "0" * 15}]}, "sentences.0.sha256"),
        ({"sentences": [ROW | {"accepts": [FALSE]}]}, "sentences.0.accepts.0.finding"),
        ({"domains": ["https://x"]}, "domains.0"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(change: dict[str, object], field: str) -> None:
    error = refused(GOOD | change)
    assert isinstance(error, Invalid)
    assert (error.code, error.field) == ("bad-paper", field)


def test_own_promises_stand_beside_it() -> None:
    named = GOOD | {"promises": "own.yaml"}
    own = {
        "id": "OWN-01",
        "statement": "We wave.",
        "kind": "enforced",
        "bound": "all",
        "acceptance": "They wave.",
        "checks": ["wave"],
    }
    assert refused(named).code == "no-promises"
    assert refused(named, b"promises: [{id: OWN-01}]").code == "bad-paper"
    assert refused(named, yaml.safe_dump({"promises": [own | {"checks": []}]}).encode()).field == "promises.0.checks"
    (made,) = paper_of(TEXT, yaml.safe_dump(named).encode(), yaml.safe_dump({"promises": [own]}).encode()).own
    assert made.promise("small").statement == "We wave."


def test_a_text_without_a_binding_file_says_how_to_make_one(tmp_path: Path) -> None:
    text = tmp_path / "a.md"
    text.write_bytes(TEXT)
    with pytest.raises(NotFound, match="troth paper bind") as caught:
        read_paper(text)
    assert caught.value.code == "unbound-paper"
    assert binding_path(text) == tmp_path / "a.paper.yaml" == binding_path(tmp_path / "a.paper.yaml")


def test_files_that_are_none_and_too_large_ones(tmp_path: Path) -> None:
    (tmp_path / "a.paper.yaml").write_text(yaml.safe_dump(GOOD))
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(NotFound):
        read_paper(tmp_path / "a.txt")
    (tmp_path / "a.txt").rmdir()
    with (tmp_path / "a.txt").open("wb") as large:
        large.truncate(MOST_BINDING + 1)
    with pytest.raises(TooLarge):
        read_paper(tmp_path / "a.txt")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_papers_are_read(name: str) -> None:
    assert shipped(name).name == name
    with pytest.raises(NotFound):
        shipped_file("../catalogue.yaml.no")


def test_an_unknown_shipped_paper_is_refused() -> None:
    with pytest.raises(NotFound, match="zian, dzine, harbour"):
        shipped("other")
    assert bound_text("", []).sentences == ()
