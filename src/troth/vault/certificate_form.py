"""What a certificate of an erasure says: its members, in both versions. Format: docs/reference/certificate.md."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

PREDICATES = {1: "urn:troth:erasure-certificate:v1", 2: "urn:troth:erasure-certificate:v2"}
BY_KEY: Final = "cryptographic erase per NIST SP 800-88 Rev. 2, key tree with destroyed epoch root"
BY_DELETION: Final = "deletion of the stored ciphertext; its key serves other objects and is destroyed later"
BOTH: Final = "cryptographic erase per NIST SP 800-88 Rev. 2 where by_key says so; deletion of the ciphertext elsewhere"
NOTHING: Final = "none needed: no key and no object was held"
REQUESTER, APPROVER = "requester", "approver"
LISTED = 1000  # ids written out; beyond it the digest over all of them speaks

_Id = Annotated[str, Field(max_length=80)]
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Text = Annotated[str, Field(max_length=1000)]
_Count = Annotated[int, Field(ge=0)]
_Time = Annotated[str, Field(max_length=40)]
SINCE_2 = frozenset(
    ("shut_at", "destroyed_at", "by_key", "by_deletion", "key_due", "backups_away", "bundles", "completes")
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Listed(_Part):
    """Ids: how many, SHA-256 over all of them (sorted, each followed by a line feed), and the first thousand."""

    count: _Count
    digest: _Hex
    identifiers: list[_Id] = Field(max_length=LISTED)


class ForgottenBy(_Part):
    """What one holder dropped. `repeated`: a crash interrupted it, so what the first attempt dropped is not listed."""

    holder: _Id
    dropped: Listed
    repeated: bool


class Root(_Part):
    """One destroyed epoch root of one key domain."""

    domain: _Id
    root: _Text
    assurance: _Id
    destroyed_at: _Time
    evidence: _Text


class Keys(_Part):
    """The destruction in the key tree: `units` keys, the epochs around it, SHA-256 of both manifests, every root."""

    units: _Count
    epoch_before: _Count
    epoch_after: _Count
    manifest_before: _Text
    manifest_after: _Text
    roots: list[Root] = Field(max_length=64)


class Verification(_Part):
    """Attempts to open what was erased, after the destruction and before the ciphertext was deleted."""

    keys_tried: _Count
    keys_refused: _Count
    objects_tried: _Count
    objects_refused: _Count
    ciphertext_deleted: _Count


class VendorCopy(_Part):
    """What one vendor may still hold of what it was sent, by its agreement: requests, and until when at the latest."""

    vendor: _Id
    requests: _Count
    until: _Time | None


class Bundle(_Part):
    """The tenant as it was packed for another installation, which may hold what was erased after it was packed."""

    move: _Id
    jurisdiction: _Id
    packed_at: _Time


class Approval(_Part):
    """Who asked (requester), approved (approver)."""

    actor: _Id
    role: _Id
    at: _Time


class Logged(_Part):
    """The audit entry (base64 of the leaf) and its C2SP tlog-proof."""

    log: _Id
    entry: Annotated[str, Field(max_length=20_000)]
    proof: Annotated[str, Field(max_length=200_000)]


class Certificate(_Part):
    """The predicate: everything the certificate claims."""

    certificate: _Id
    erasure: _Id
    request: _Id
    tenant: _Id
    scope: Literal["object", "subject", "period", "tenant", "retention", "remainder"]
    requested_at: _Time
    issued_at: _Time
    subject_commitment: _Hex
    classes: dict[str, int]
    objects: Listed
    released: Listed
    withheld: _Count
    forgotten: list[ForgottenBy] = Field(max_length=256)
    technique: _Text
    algorithm: Literal["AES-256-GCM"]
    strength: Literal[256]
    assurance: dict[_Id, _Id]
    keys: Keys | None
    verification: Verification
    backups: _Text
    backups_covered: Listed
    vendors: list[VendorCopy] = Field(max_length=256)
    residual: list[_Text] = Field(max_length=32)
    approvals: list[Approval] = Field(max_length=16)
    tool: _Text
    log: Logged
    # Since version 2; all None or empty in certificates of version 1.
    shut_at: _Time | None = None
    destroyed_at: _Time | None = None
    by_key: Listed | None = None
    by_deletion: Listed | None = None
    key_due: _Id | None = None
    backups_away: list[_Id] = Field(default_factory=list, max_length=64)
    bundles: list[Bundle] = Field(default_factory=list, max_length=64)
    completes: list[_Id] = Field(default_factory=list, max_length=LISTED)

    @property
    def version(self) -> int:
        """1 or 2."""
        return 1 if self.shut_at is None else 2


def technique(by_key: int, by_deletion: int, units: int) -> str:
    """How it went: by the numbers of objects that went by key and by their bytes alone, and of units destroyed."""
    if by_deletion:
        return BOTH if by_key else BY_DELETION
    return BY_KEY if by_key or units else NOTHING


def listed(identifiers: Sequence[str]) -> Listed:
    """The summary of a set of ids."""
    ordered = sorted(set(identifiers))
    digest = hashlib.sha256("".join(f"{one}\n" for one in ordered).encode()).hexdigest()
    return Listed(count=len(ordered), digest=digest, identifiers=ordered[:LISTED])
