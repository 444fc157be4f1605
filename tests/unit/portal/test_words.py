from __future__ import annotations

import pytest

from troth.audit.operations import AuditOperations
from troth.gateway.operations import GatewayOperations, VendorOperations
from troth.identity.operations import IdentityOperations
from troth.identity.people_operations import PeopleOperations
from troth.identity.rectification import RectificationOperations
from troth.identity.roles import TENANT_ROLES
from troth.kernel.operation import declarations
from troth.portal import words
from troth.promises.evidence import EvidenceOperations
from troth.promises.operations import PromiseOperations
from troth.vault.erasure_operations import ErasureOperations, OffboardingOperations
from troth.vault.holding_operations import (
    HoldOperations,
    ProcessingOperations,
    RestrictionOperations,
    RetentionOperations,
)
from troth.vault.operations import ConsentOperations, ObjectOperations
from troth.vault.rights.officer_operations import OfficerOperations
from troth.vault.rights.operations import RequestOperations, StandingOperations
from troth.vault.verification import CertificateOperations

OWNERS = (
    AuditOperations,
    CertificateOperations,
    ConsentOperations,
    ErasureOperations,
    EvidenceOperations,
    GatewayOperations,
    HoldOperations,
    IdentityOperations,
    ObjectOperations,
    OffboardingOperations,
    OfficerOperations,
    PeopleOperations,
    ProcessingOperations,
    PromiseOperations,
    RectificationOperations,
    RequestOperations,
    RestrictionOperations,
    RetentionOperations,
    StandingOperations,
    VendorOperations,
)


def test_every_operation_has_human_words() -> None:
    names = {declaration.name for owner in OWNERS for _, declaration in declarations(owner)}
    assert len(names) > 50
    assert sorted(names - words.OPERATIONS.keys()) == []


def test_a_refusal_says_why_in_words() -> None:
    assert words.code("no-proof") == "the proof was not ready yet"
    assert words.code("hold-not-found") == "hold not found"


def test_every_role_has_human_words() -> None:
    assert words.ROLES.keys() >= TENANT_ROLES


def test_an_unheard_of_operation_still_reads() -> None:
    assert words.operation("backup.restore-region") == "Backup restore region"
    assert words.kind("file-batch") == "Batch"


@pytest.mark.parametrize(
    ("kind", "name", "title", "request_id"),
    [
        ("output", "req_abc234-1.png", "Picture", "req_abc234"),
        ("answer", "req_abc234.json", "Answer", "req_abc234"),
        ("file-vision", "holiday.jpg", "holiday.jpg", None),
        ("file-vision", "", "Uploaded picture", None),
    ],
)
def test_objects_are_named_for_people(kind: str, name: str, title: str, request_id: str | None) -> None:
    assert words.title(kind, name) == title
    assert words.request_of(name) == request_id


def test_retention_in_words() -> None:
    assert words.retention("zero", 0) == "nothing is kept after the answer"
    assert words.retention("days", 1) == "kept for 1 day"
    assert words.retention("days", 30) == "kept for 30 days"
