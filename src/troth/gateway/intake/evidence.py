"""Admits a file that proves something, for a register: what `/v1/files` takes, and PDF that does nothing by itself."""

from __future__ import annotations

import re
from typing import Final

from troth.gateway.intake.admitted import Admitted, Limits
from troth.gateway.intake.files import admit_file, safe_name
from troth.gateway.intake.image import check_size
from troth.gateway.intake.kinds import normal
from troth.gateway.intake.malware import examine
from troth.kernel.errors import Invalid, Malformed, UnsupportedMedia

PDF: Final = "application/pdf"
_LOOKED: Final = 2048  # bytes at the end in which the mark of the end stands
# What acts, hides files, or cannot be looked at (ISO 32000-2), each letter as itself or as `#xx` (7.3.5). A compressed
# stream can still hold some of it, which is why the file is given out as a download and never shown by a page.
_NAMES: Final = ("JavaScript", "JS", "Launch", "EmbeddedFile", "RichMedia", "XFA", "Encrypt")
# A short name counts where it ends (7.2.3): any three bytes stand somewhere in what is compressed.
_ENDS: Final = r"(?=[\0\t\n\f\r ()<>\[\]{}/%])"
_SPELT: Final = (
    "".join(f"(?:{one}|#(?i:{ord(one):02x}))" for one in name) + (_ENDS if len(name) < 4 else "") for name in _NAMES
)
_ACTIVE: Final = re.compile(f"/(?=[#EJLRX])(?:{'|'.join(_SPELT)})".encode())


def admit_evidence(filename: str, declared_media_type: str, content: bytes, limits: Limits | None = None) -> Admitted:
    """The file, with a PDF unchanged. Raises as `admit_file`; of a PDF `broken-pdf`, `active-pdf` too."""
    if not content.startswith(b"%PDF-"):
        return admit_file(filename, declared_media_type, content, limits)
    check_size(content, limits or Limits())
    name = safe_name(filename)
    if not name.lower().endswith(".pdf") or normal(declared_media_type) not in (None, PDF):
        raise Malformed(
            "The content, the file name and the declared type disagree: send the type that the file really has.",
            code="content-type-mismatch",
        )
    if b"%%EOF" not in content[-_LOOKED:]:
        raise Invalid("The PDF is cut short: save it again.", code="broken-pdf")
    if _ACTIVE.search(content):
        raise UnsupportedMedia(
            "The PDF is encrypted, or holds scripts, forms or files: print it to a plain PDF first.", code="active-pdf"
        )
    examine(content, picture=False)
    return Admitted(content, PDF, name=name)
