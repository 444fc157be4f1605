"""The paper: PDF/A-2a, tagged, alike for like input, and deaf to whatever a text says."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from oscal_world import HOSTILE, assessed
from troth.kernel.errors import Unavailable
from troth.promises.oscal.assessed import Assessed
from troth.promises.pdf.printing import pages, pdf
from troth.promises.pdf.told import printed, told

SCRIPT = (
    '#panic("ran") #read("/etc/passwd") #import "x.typ" $ #sys $ // \\ "quoted" #eval("1") \x00 \u202e 名前 😀 \ufdd0'
)


@pytest.fixture(scope="module")
def what() -> Assessed:
    return assessed(12)


def test_equal_input_gives_equal_bytes(what: Assessed) -> None:
    assert pdf(told(what), what.end) == pdf(told(assessed(12)), what.end)


def test_it_is_tagged_and_of_the_standard(what: Assessed) -> None:
    made = pdf(told(what), what.end)
    assert made.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in made
    assert not [one for one in (b"/JavaScript", b"/URI", b"/Launch", b"/EmbeddedFile") if one in made]


def test_hostile_texts_are_harmless(what: Assessed) -> None:
    bent = replace(
        what,
        origin=SCRIPT,
        checks=tuple(replace(one, check=SCRIPT) for one in what.checks),
        found=tuple(
            replace(one, reason=SCRIPT, excuses=tuple(replace(each, reason=SCRIPT) for each in one.excuses))
            for one in what.found
        ),
    )
    assert pdf(told(bent), what.end).startswith(b"%PDF")
    assert pages(told(bent), what.end, ppi=20)[0].startswith(b"\x89PNG")


def test_what_cannot_be_printed_stands_as_its_number() -> None:
    assert printed("名 a\u202e\n\tb 😀") == "[U+540D] a[U+202E] b [U+1F600]"
    assert printed(HOSTILE).startswith("<script>")
    assert len(printed("x" * 5000)) == 1201


def test_without_typst_it_says_what_to_install(what: Assessed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(Unavailable, match=r"troth\[pdf\]") as refused:
        pdf(told(what), what.end)
    assert refused.value.code == "extra-missing"
