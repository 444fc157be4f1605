"""PDF as evidence: what acts is found however its names are written (ISO 32000-2, 7.3.5)."""

from __future__ import annotations

import pytest

from troth.gateway.intake.evidence import PDF, admit_evidence
from troth.kernel.errors import UnsupportedMedia

ACTIVE = ("JavaScript", "JS", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "XFA", "Encrypt")


def pdf(name: str) -> bytes:
    return b"%PDF-1.7\n1 0 obj << /" + name.encode() + b" 2 0 R >> endobj\n%%EOF\n"


def spelt(name: str, code: str, which: slice) -> str:
    """The name with some of its letters, by their places, as `#xx`."""
    places = range(len(name))[which]
    return "".join(f"#{ord(one):{code}}" if number in places else one for number, one in enumerate(name))


@pytest.mark.parametrize("name", ACTIVE)
@pytest.mark.parametrize("code", ["02x", "02X"])
@pytest.mark.parametrize(
    "which", [slice(0), slice(0, 1), slice(1, None, 2), slice(None)], ids=["0", "1", "half", "all"]
)
def test_names_are_found_however_they_are_written(name: str, code: str, which: slice) -> None:
    with pytest.raises(UnsupportedMedia) as refused:
        admit_evidence("a.pdf", PDF, pdf(spelt(name, code, which)))
    assert refused.value.code == "active-pdf"


@pytest.mark.parametrize("behind", [b"(x)", b"<78>", b"[1]", b"/A", b"\n2 0 R", b"\0", b"%c\n"])
def test_a_short_name_ends_with_any_sign_that_ends_names(behind: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        admit_evidence("a.pdf", PDF, pdf("A").replace(b"/A", b"/JS" + behind))


@pytest.mark.parametrize(
    "name", ["JSx", "XFA0", "J#53-", "Java", "#4", "J#61va", "Font#20Name", "js", "#6a#73", "Encryp#54"]
)
def test_other_names_are_let_through(name: str) -> None:
    assert admit_evidence("a.pdf", PDF, pdf(name)).content == pdf(name)
