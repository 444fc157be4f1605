"""What the certificate of an erasure may claim, from what its steps left in the ledger. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from troth.kernel.clock import iso
from troth.keys.tree import Destruction
from troth.vault.certificate import (
    APPROVER,
    LISTED,
    REQUESTER,
    Approval,
    Bundle,
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
    technique,
)
from troth.vault.ledger import APPROVED, DESTROY, REMAINDER, WHOLE, Decision, Erasure
from troth.vault.residual import residual

_BACKUPS = (
    "All backups, replicas, snapshots and journals of the database and the object store, of any age: the keys in them "
    "are sealed under a root that no longer exists. "
)
_NONE_KNOWN = "No backups known to this installation."
_NO_KEY = "None by key: the erased objects share a key that still serves others; see the residual copies."
_NOTHING = "None needed: no key and no object was held."
_BUT = " This does not hold for the {} objects that went by deletion; see the residual copies."


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


def keys_destroyed(destruction: Destruction | None) -> dict[str, Any]:
    """What a step leaves behind that destroyed keys, or found none to destroy."""
    keys = keys_of(destruction)
    lost = list(destruction.lost) if destruction else []
    return {"keys": keys.model_dump(mode="json") if keys else None, "lost": lost}


def keys_in(results: Mapping[str, Any]) -> Keys | None:
    """The keys that the steps of an erasure destroyed; the later of two speaks for both."""
    found = results.get("destroy-rest", {}).get("keys") or results[DESTROY]["keys"]
    return Keys.model_validate(found) if found else None


def commitment_of(erasure: Erasure, subject: str) -> str:
    """The salted commitment to the person."""
    return commitment(erasure.salt or b"", erasure.tenant, subject)


def certificate_of(erasure: Erasure, identifier: str, now: int, results: Mapping[str, Any], tool: str) -> Certificate:
    """The claims. `results` are what the steps left behind, by step, the officers' decisions, and when it was shut."""
    cleared, logged, elsewhere = results["clear"], results["record"], results["elsewhere"]
    keys = keys_in(results)
    gone, by_key, by_deletion = (Listed.model_validate(cleared[name]) for name in ("objects", "by_key", "by_deletion"))
    released = results.get("release", {}).get("released")
    covered = listed(elsewhere["backups"] if keys else ())
    bundles = _bundles(erasure, results)
    return Certificate(
        certificate=identifier,
        erasure=erasure.id,
        request=erasure.request,
        tenant=erasure.tenant,
        scope=erasure.scope,  # type: ignore[arg-type]  # checked by the model
        requested_at=iso(erasure.requested_at),
        shut_at=iso(results["shut"]),
        destroyed_at=max(root.destroyed_at for root in keys.roots) if keys else None,
        issued_at=iso(now),
        subject_commitment=logged["commitment"],
        classes=cleared["classes"],
        objects=gone,
        by_key=by_key,
        by_deletion=by_deletion,
        key_due=cleared["until"] or None,
        released=Listed.model_validate(released) if released else listed(()),
        withheld=results["tombstone"].get("withheld", 0),
        forgotten=_forgotten(results),
        completes=cleared["erasures"][:LISTED] if erasure.scope == REMAINDER else [],
        technique=technique(by_key.count, by_deletion.count, keys.units if keys else 0),
        algorithm="AES-256-GCM",
        strength=256,
        assurance={root.domain: root.assurance for root in (keys.roots if keys else ())},
        keys=keys,
        verification=Verification(**results["verify"], ciphertext_deleted=cleared["blobs"]),
        backups=_backups(keys, covered, by_deletion.count, elsewhere.get("made", ())),
        backups_covered=covered,
        backups_away=elsewhere["away"],
        vendors=[_vendor(one) for one in cleared["vendors"]],
        bundles=bundles,
        residual=residual(erasure, keys, bundles, results),
        approvals=_approvals(erasure, results["decisions"]),
        tool=tool,
        log=Logged(log=erasure.tenant, entry=logged["entry"], proof=results["prove"]["proof"]),
    )


def _forgotten(results: Mapping[str, Any]) -> list[ForgottenBy]:
    steps = sorted((step, result) for step, result in results.items() if step.startswith("forget:"))
    return [ForgottenBy(holder=step.removeprefix("forget:"), **result) for step, result in steps]


def _bundles(erasure: Erasure, results: Mapping[str, Any]) -> list[Bundle]:
    """Those that can hold what was erased: packed when the oldest of it was kept already, or people are meant."""
    oldest = 0 if erasure.scope in WHOLE else results["clear"]["oldest"]
    return [
        Bundle(move=one["move"], jurisdiction=one["jurisdiction"], packed_at=iso(one["packed_at"]))
        for one in results["bundles"]["bundles"]
        if oldest is not None and one["packed_at"] >= oldest
    ]


def _backups(keys: Keys | None, covered: Listed, by_deletion: int, made: Sequence[int]) -> str:
    if keys is None:
        return _NO_KEY if by_deletion else _NOTHING
    known = f"The {covered.count} known backups are listed." if covered.count else _NONE_KNOWN
    if covered.count and made:
        known += f" The oldest of them is of {iso(made[0])}, the newest of {iso(made[-1])}."
    return _BACKUPS + known + (_BUT.format(by_deletion) if by_deletion else "")


def _vendor(copy: Mapping[str, Any]) -> VendorCopy:
    until = None if copy["until"] is None else iso(copy["until"])
    return VendorCopy(vendor=copy["vendor"], requests=copy["requests"], until=until)


def _approvals(erasure: Erasure, decisions: Sequence[Decision]) -> list[Approval]:
    asked = Approval(actor=erasure.actor, role=REQUESTER, at=iso(erasure.requested_at))
    agreed = [one for one in decisions if one.decision == APPROVED]
    return [asked, *(Approval(actor=one.actor, role=APPROVER, at=iso(one.at)) for one in agreed)]
