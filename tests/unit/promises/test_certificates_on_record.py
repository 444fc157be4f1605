"""What the house may say of its certificates: only what two people checked, and only while it is valid (GOV-12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from paper_texts import bound_text
from register_forms import look
from register_forms import record as made
from troth.governance.forms.reading import shipped
from troth.governance.records import Record
from troth.kernel.errors import IntegrityError
from troth.promises.certificates_on_record import FORM, CertificatesOnRecord
from troth.promises.trust_view import PromiseBrief, sentences

FORMS = shipped()
ON_FILE = {
    "standard": "ISO/IEC 27001", "word": "certified", "issuer": "A body", "scope": "All", "document": "obj_1",
    "entered_by": "usr_1", "checked_by": "usr_2", "valid_from": "2026-01-01", "valid_until": "2026-12-31",
}  # fmt: skip
DAY = date(2026, 11, 23)


def on_record(at: str, *records: Record, house: str | None = "ten_1") -> CertificatesOnRecord:
    return read(at, lambda *_: list(records), house)


def read(at: str, records: Callable[..., Any], house: str | None = "ten_1") -> CertificatesOnRecord:
    registers: Any = SimpleNamespace(
        forms=SimpleNamespace(get=FORMS.__getitem__), look=lambda *_: look(at), records=records
    )
    return CertificatesOnRecord(lambda: registers, lambda: house)


def certificate(state: str = "shown", **changes: Any) -> Record:
    return made(FORMS[FORM], state, **ON_FILE | changes)


def test_what_two_people_checked_is_on_record_while_it_is_valid() -> None:
    attested = certificate(id="r2", standard="SOC 2 Type II", word="attested")
    found = on_record("2026-11-23T12:00", attested, certificate())
    assert [(one.standard, one.word, one.valid_until) for one in found()] == [
        ("ISO/IEC 27001", "certified", "2026-12-31"),
        ("SOC 2 Type II", "attested", "2026-12-31"),
    ]
    assert found.certified() == ("ISO/IEC 27001",), "a report is no certificate"


@pytest.mark.parametrize(
    ("at", "record", "house"),
    [
        ("2027-01-02T00:00", certificate(), "ten_1"),
        ("2026-11-23T12:00", certificate("entered"), "ten_1"),
        ("2026-11-23T12:00", certificate("ended"), "ten_1"),
        ("2026-11-23T12:00", certificate(checked_by="usr_1"), "ten_1"),
        ("2026-11-23T12:00", certificate(document=None), "ten_1"),
        ("2026-11-23T12:00", certificate(), None),
    ],
    ids=["over", "entered", "ended", "one person", "no document", "no house"],
)
def test_nothing_else_is(at: str, record: Record, house: str | None) -> None:
    assert on_record(at, record, house=house)() == ()


def test_a_register_that_cannot_be_read_shows_none() -> None:
    def broken(*_: Any) -> Any:
        raise IntegrityError("The register was edited.", code="test")

    assert read("2026-11-23T12:00", broken)() == ()


CLAIM = "Our service is certified to ISO 27001."
KEPT = {"GOV-12": PromiseBrief(id="GOV-12", statement="a", kind="recorded", state="kept", reason="b", checked_at=5,
                               excused_until=None, months=("kept", "kept"))}  # fmt: skip


@pytest.mark.parametrize(
    ("certified", "row", "state", "months"),
    [
        (["ISO/IEC 27001"], {}, "kept", ("kept", "kept")),
        ([], {}, "unknown", ("kept", "unknown")),
        (["ISO/IEC 27017"], {}, "unknown", ("kept", "unknown")),
        ([], {"until": DAY}, "kept", ("kept", "kept")),
        ([], {"until": date(2026, 11, 22)}, "unknown", ("kept", "unknown")),
    ],
)
def test_who_says_certified_is_believed_while_it_is_on_record(
    certified: list[str], row: dict[str, Any], state: str, months: tuple[str, ...]
) -> None:
    """Or while the paper states why it may say so, and that day has not passed."""
    accepts = [{"finding": "wording/certificate", "because": "number 4711", "by": "officer", **row}] if row else []
    paper = bound_text(CLAIM, [{"carries": ["GOV-12"], "accepts": accepts}])
    (one,) = sentences(paper, KEPT, certified, DAY)
    assert (one.state, one.months, one.lapsed) == (state, months, state == "unknown")


def test_a_sentence_without_promises_says_so_too() -> None:
    (one,) = sentences(bound_text(CLAIM, [{"because": "rhetoric"}]), {}, [], DAY)
    assert (one.state, one.lapsed) == ("unknown", True)
    (other,) = sentences(bound_text("We are aligned with ISO 27001.", [{"because": "rhetoric"}]), {}, [], DAY)
    assert (other.state, other.lapsed) == (None, False)
