"""What the certificate of an erasure may claim, from what its steps left in the ledger. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from troth.kernel.clock import iso
from troth.keys.tree import Destruction
from troth.vault.certificate import (
    APPROVER,
    REQUESTER,
    TECHNIQUE,
    Approval,
    Certificate,
    ForgottenBy,
    Keys,
    Listed,
    Logged,
    Root,
    VendorCopy,
    Verification,
    commitment,
    listed,
)
from troth.vault.ledger import APPROVED, SUBJECT, TENANT, Decision, Erasure
from troth.vault.tables import Row

_BACKUPS = (
    "All backups, replicas, snapshots and journals of the database and the object store, of any age: the keys in them "
    "are sealed under a root that no longer exists. "
)
_NONE_KNOWN = "No backups known to this installation."
_NO_KEY = "None by key: the erased objects share a key that still serves others; see the residual copies."
_OUTSIDE = (
    "Not covered: what left Troth before the erasure, such as answers delivered to people and content that vendors "
    "hold under their own terms."
)
_MODELS = (
    "Model weights are out of scope: a model that was trained on this before, with consent, is named by the lineage of "
    "its data set and is not changed by this erasure."
)
_VENDORS = "What the vendors listed above received is theirs to delete by their agreement, at the latest when it says."
_LOG = "The audit log and this ledger keep opaque ids, numbers and times; the person appears as a digest."
_RELEASED = (
    "Objects with other owners stay for them, without this person's access and without the name they gave. Copies of "
    "the database from before may hold that name until the object itself is erased."
)
_ASSURANCE = {  # what a class does not cover (docs/explanation/assurance.md); A2 has nothing to add
    "A0": "Assurance class A0: a root was a file, Troth's own or a software token's, and was deleted. A copy of that "
    "file made outside Troth, such as a file-system snapshot or an image of the disk, would undo this erasure for "
    "whoever also holds the ciphertext.",
    "A1": "Assurance class A1: a root was in a key service and was deleted there. A snapshot or backup of that "
    "service's storage from before would bring it back, and undo this erasure for whoever restores it and also holds "
    "the ciphertext.",
}
_LOST = (
    "Key domains given up as lost: {}. Their roots were not confirmed destroyed. Whoever finds such a domain and also "
    "holds old copies of the key pages and of the ciphertext could open what was kept before it was given up."
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
                destroyed_at=iso(one.destroyed_at),
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
    """The claims. `results` are what the steps left behind, by step, and the officers' decisions."""
    inventory, verified, logged = results["inventory"], results["verify"], results["record"]
    keys = Keys.model_validate(results["destroy"]["keys"]) if results["destroy"]["keys"] else None
    released = results.get("release", {}).get("released")
    elsewhere = results["elsewhere"]
    covered = listed(elsewhere["backups"] if keys else ())
    return Certificate(
        certificate=identifier,
        erasure=erasure.id,
        request=erasure.request,
        tenant=erasure.tenant,
        scope=erasure.scope,  # type: ignore[arg-type]  # checked by the model
        requested_at=iso(erasure.requested_at),
        issued_at=iso(now),
        subject_commitment=logged["commitment"],
        classes=inventory["classes"],
        objects=Listed.model_validate(inventory["objects"]),
        released=Listed.model_validate(released) if released else listed(()),
        withheld=results["tombstone"].get("withheld", 0),
        forgotten=[
            ForgottenBy(holder=step.removeprefix("forget:"), **result)
            for step, result in sorted(results.items())
            if step.startswith("forget:")
        ],
        technique=TECHNIQUE,
        algorithm="AES-256-GCM",
        strength=256,
        assurance={root.domain: root.assurance for root in (keys.roots if keys else ())},
        keys=keys,
        verification=Verification(**verified, ciphertext_deleted=results["discard"]["blobs"]),
        backups=_backups(keys, covered),
        backups_covered=covered,
        vendors=[_vendor(one) for one in elsewhere["vendors"]],
        residual=residual(erasure, keys, results),
        approvals=_approvals(erasure, results["decisions"]),
        tool=tool,
        log=Logged(log=erasure.tenant, entry=logged["entry"], proof=results["prove"]["proof"]),
    )


def _backups(keys: Keys | None, covered: Listed) -> str:
    if keys is None:
        return _NO_KEY
    return _BACKUPS + (f"The {covered.count} known backups are listed." if covered.count else _NONE_KNOWN)


def _vendor(copy: Mapping[str, Any]) -> VendorCopy:
    until = None if copy["until"] is None else iso(copy["until"])
    return VendorCopy(vendor=copy["vendor"], requests=copy["requests"], until=until)


def _approvals(erasure: Erasure, decisions: Sequence[Decision]) -> list[Approval]:
    asked = Approval(actor=erasure.actor, role=REQUESTER, at=iso(erasure.requested_at))
    agreed = [one for one in decisions if one.decision == APPROVED]
    return [asked, *(Approval(actor=one.actor, role=APPROVER, at=iso(one.at)) for one in agreed)]


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
    said, shared = [_OUTSIDE, _LOG, _MODELS], results["inventory"]["shared"]
    if results["elsewhere"]["vendors"]:
        said.append(_VENDORS)
    if results.get("release", {}).get("released", {}).get("count"):
        said.append(_RELEASED)
    if withheld := results["tombstone"].get("withheld", 0):
        said.append(f"{withheld} objects stay because a legal hold binds them; they are no part of this erasure.")
    if erasure.scope in (SUBJECT, TENANT):
        said.append(_INDEX)
    if results["journal"]["journal"] == SERVER:
        said.append(_SERVER_LOG)
    classes = {root.assurance for root in keys.roots} if keys else set()
    said += [text for name, text in _ASSURANCE.items() if name in classes]
    if lost := results.get("destroy", {}).get("lost", ()):
        said.append(_LOST.format(", ".join(lost)))
    if shared["objects"]:
        said.append(
            f"{shared['objects']} of the objects share a key with others: their ciphertext is deleted here, but copies "
            f"in backups stay readable until that key is destroyed, after the last of them expires ({shared['until']})."
        )
    return said
