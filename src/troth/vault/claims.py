"""What the certificate of an erasure may claim, from what its steps left in the ledger. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from troth.kernel.clock import from_epoch_ms
from troth.keys.tree import Destruction
from troth.vault.certificate import (
    TECHNIQUE,
    Approval,
    Certificate,
    ForgottenBy,
    Keys,
    Listed,
    Logged,
    Root,
    Verification,
    commitment,
    listed,
)
from troth.vault.ledger import Erasure
from troth.vault.store import Row

_BACKUPS = (
    "All backups, replicas, snapshots and journals of the database and the object store, of any age: the keys in them "
    "are sealed under a root that no longer exists."
)
_NO_KEY = "None by key: the erased objects share a key that still serves others; see the residual copies."
_OUTSIDE = (
    "Not covered: what left Troth before the erasure, such as answers delivered to people and content that vendors "
    "hold under their own terms."
)
_LOG = "The audit log and this ledger keep opaque ids, numbers and times; the person appears as a digest."
_A0 = (
    "Assurance class A0: the root was a file, overwritten and unlinked. A copy of that file made outside Troth, such "
    "as a file-system snapshot or an image of the disk, would undo this erasure for whoever also holds the ciphertext."
)
_INDEX = (
    "Copies of the database made before the erasure keep a keyed hash of the e-mail address beside the opaque id. Who "
    "holds such a copy and also this deployment's secret can confirm a guessed address; nothing else can be read."
)
_SERVER_LOG = (
    "The database server's write-ahead log, its archive and its free pages may hold dropped rows, with that same hash, "
    "until the server recycles them."
)
EMPTIED, SERVER = "emptied", "server"  # what became of the database's journal


def keys_of(destruction: Destruction | None) -> Keys | None:
    """The key tree's proof in the certificate's shape."""
    if destruction is None:
        return None
    return Keys(
        units=destruction.units,
        epoch_before=destruction.epoch_before,
        epoch_after=destruction.epoch_after,
        manifest_before=destruction.manifest_before,
        manifest_after=destruction.manifest_after,
        roots=[
            Root(
                domain=one.domain,
                root=one.root,
                assurance=one.assurance,
                destroyed_at=moment(one.destroyed_at),
                evidence=one.evidence,
            )
            for one in destruction.roots
        ],
    )


def objects_of(rows: Sequence[Row]) -> Listed:
    """The erased objects."""
    return listed([row.id for row in rows])


def commitment_of(erasure: Erasure, subject: str) -> str:
    """The salted commitment to the person."""
    return commitment(erasure.salt or b"", erasure.tenant, subject)


def certificate_of(erasure: Erasure, identifier: str, now: int, results: Mapping[str, Any], tool: str) -> Certificate:
    """The claims. `results` are what the steps left behind, by step."""
    inventory, verified, logged = results["inventory"], results["verify"], results["record"]
    keys = Keys.model_validate(results["destroy"]["keys"]) if results["destroy"]["keys"] else None
    return Certificate(
        certificate=identifier,
        erasure=erasure.id,
        request=erasure.request,
        tenant=erasure.tenant,
        scope="object" if erasure.object else "subject",
        requested_at=moment(erasure.requested_at),
        issued_at=moment(now),
        subject_commitment=logged["commitment"],
        classes=inventory["classes"],
        objects=Listed.model_validate(inventory["objects"]),
        forgotten=[
            ForgottenBy(holder=step.removeprefix("forget:"), **result)
            for step, result in sorted(results.items())
            if step.startswith("forget:")
        ],
        technique=TECHNIQUE,
        algorithm="AES-256-GCM",
        keys=keys,
        verification=Verification(**verified, ciphertext_deleted=results["discard"]["blobs"]),
        backups=_BACKUPS if keys else _NO_KEY,
        residual=residual(erasure, keys, results),
        approvals=[Approval(actor=erasure.actor, role="requester", at=moment(erasure.requested_at))],
        tool=tool,
        log=Logged(log=erasure.tenant, entry=logged["entry"], proof=results["prove"]["proof"]),
    )


def inventory_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Ids, classes, and the keys that could not be destroyed because others still need them."""
    shared = [row for row in rows if not row.unit_destroyed]
    return {
        "objects": objects_of(rows).model_dump(mode="json"),
        "classes": dict(Counter(row.data_class for row in rows)),
        "shared": {"objects": len(shared), "until": max((row.period or "" for row in shared), default="")},
    }


def residual(erasure: Erasure, keys: Keys | None, results: Mapping[str, Any]) -> list[str]:
    """What remains somewhere, said plainly."""
    said, shared = [_OUTSIDE, _LOG], results["inventory"]["shared"]
    if not erasure.object:
        said.append(_INDEX)
    if results["journal"]["journal"] == SERVER:
        said.append(_SERVER_LOG)
    if keys and any(root.assurance == "A0" for root in keys.roots):
        said.append(_A0)
    if shared["objects"]:
        said.append(
            f"{shared['objects']} of the objects share a key with others: their ciphertext is deleted here, but copies "
            f"in backups stay readable until that key is destroyed, after the last of them expires ({shared['until']})."
        )
    return said


def moment(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return from_epoch_ms(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
