"""The origin's side of a move: pack what the tenant has for the destination, and let go when it has arrived.

Packing can be repeated at any time: pieces that lie in the bundle already are used again, and the newest manifest says
what counts. Letting go compares what arrived with what stands here now, then erases the tenant with a certificate. An
operator must have asked for that off-boarding; the arrival agrees to it, and the certificate names both.
"""

from __future__ import annotations

from troth.kernel.errors import Conflict, IntegrityError, NotFound
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.signer import Signer
from troth.storage.blobs import BlobStore
from troth.vault.bundles import ORIGIN, PACKED
from troth.vault.dsse import sign_envelope, verify_envelope
from troth.vault.erasure import Erasures
from troth.vault.ground import Ground
from troth.vault.ledger import WAITING, Erasure
from troth.vault.moving.pins import Pins, Trusted, fingerprint
from troth.vault.moving.snapshot import Counted, Snapshot, Total
from troth.vault.moving.transport import (
    ARRIVAL,
    INVITATION,
    MANIFEST,
    Arrival,
    Invitation,
    Manifest,
    canonical,
    digest,
    document,
    framed,
    seal,
)

PIECES, ROWS = "pieces/", "rows"
_CONFIRMED = "opr_move-arrival-"  # and the first 128 bits of SHA-256 of the key that signed the arrival, hex


class Departure:
    """Moves tenants away from `here`."""

    def __init__(
        self, ground: Ground, fields: PersonalFields, erasures: Erasures, signer: Signer, *, here: str, pins: Pins
    ) -> None:
        self._ground = ground
        self._fields = fields
        self._erasures = erasures
        self._signer = signer
        self._here = here
        self._pins = pins

    def pack(self, tenant: str, invitation: bytes, bundle: BlobStore) -> bytes:
        """Fill the bundle; the signed manifest. Raises `IntegrityError` for an invitation of somebody else, `Conflict`
        for a destination that no two operators agreed to (move-not-pinned, move-not-agreed) or in the same
        jurisdiction, and while the tenant has open duties."""
        to = _invitation(invitation, self._pins.trusted(tenant))
        if to.jurisdiction == self._here:
            raise Conflict(f"The destination stands in '{self._here}' too; stay here.", code="move-not-needed")
        snapshot = Snapshot(self._ground, self._fields, tenant)
        snapshot.require_movable()
        total, present = Total(), set(bundle.names(f"{PIECES}{to.key[:16]}/"))
        for row in snapshot.objects():
            head, content = snapshot.opened(row)
            total.add(head, content)
            name = piece_name(to.key, row.id)
            if name not in present:
                bundle.create(name, seal(framed(head, content), to.key, tenant, row.id))
        rows = snapshot.rows()
        body = canonical(rows)
        name = rows_name(to.key, digest(body))
        if next(bundle.names(name), None) is None:
            bundle.create(name, seal(body, to.key, tenant, ROWS))
        counts = {table: len(found) for table, found in rows.items()}
        counted = Counted(total.objects, total.bytes, total.digest(), counts, digest(body))
        return self._packed(tenant, to, counted)

    def finish(self, manifest: bytes, arrival: bytes) -> Erasure:
        """Erase the tenant here, once all of it stands there. Repeat it when the erasure could not be completed.

        Two operators agreed to the key that must have signed the arrival, and one of them or another asked for the
        off-boarding. Raises `IntegrityError` for an arrival that is not the destination's or not of this manifest,
        `Conflict` as `pack`, when nobody asked (move-not-asked) or the tenant changed since (move-changed).
        """
        sent = Manifest(**verify_envelope(manifest, MANIFEST, {self._signer.name: self._signer.public_key}))
        trusted = self._pins.trusted(sent.tenant)
        came = Arrival(**verify_envelope(arrival, ARRIVAL, trusted.keys()))
        same = (came.objects, came.objects_digest, came.rows, came.rows_digest)
        if came.manifest != digest(manifest) or came.tenant != sent.tenant or came.jurisdiction != sent.destination:
            raise IntegrityError("The arrival is of another move.", code="move-other")
        if same != (sent.objects, sent.objects_digest, sent.rows, sent.rows_digest):
            raise IntegrityError("What arrived is not what was sent.", code="move-incomplete")
        begun = self._asked(sent.tenant)
        if begun.state == WAITING:
            self._require_unchanged(sent)
            actor = f"{_CONFIRMED}{fingerprint(trusted.key)}"
            begun = self._erasures.approve(sent.tenant, begun.id, actor=actor, whole_tenant=True)
        return self._erasures.advance(begun.id)

    def _packed(self, tenant: str, to: Invitation, counted: Counted) -> bytes:
        manifest = Manifest(
            tenant,
            self._here,
            to.jurisdiction,
            to.key,
            counted.objects,
            counted.bytes,
            counted.objects_digest,
            counted.rows,
            counted.rows_digest,
        )
        entry = self._ground.entry(
            PACKED,
            tenant,
            new_id("mov"),
            ORIGIN,
            {"tenant": tenant, "count": counted.objects, "jurisdiction": to.jurisdiction},
        )
        self._ground.recorder.record(entry)
        return sign_envelope(document(manifest), MANIFEST, self._signer)

    def _require_unchanged(self, sent: Manifest) -> None:
        now = Snapshot(self._ground, self._fields, sent.tenant).counted()
        if (now.objects_digest, now.rows_digest) != (sent.objects_digest, sent.rows_digest):
            raise Conflict(
                "The tenant changed since it was packed; pack it again and let that arrive.", code="move-changed"
            )

    def _asked(self, tenant: str) -> Erasure:
        try:
            return self._erasures.offboarding_of(tenant)
        except NotFound as error:
            raise Conflict(
                "Nobody asked to erase this tenant here. An operator asks with 'troth offboarding request'; finish "
                "after that.",
                code="move-not-asked",
            ) from error


def piece_name(key: str, object_id: str) -> str:
    """Where an object lies in a bundle; `key` is the invitation's."""
    return f"{PIECES}{key[:16]}/{object_id}"


def rows_name(key: str, rows_digest: str) -> str:
    """Where the rows of one packing lie."""
    return f"{ROWS}/{key[:16]}-{rows_digest[:32]}"


def _invitation(envelope: bytes, trusted: Trusted) -> Invitation:
    try:
        return Invitation(**verify_envelope(envelope, INVITATION, trusted.keys()))
    except TypeError as error:
        raise IntegrityError("The document is no invitation.", code="move-shape") from error


def missing(object_id: str) -> NotFound:
    """The answer for a piece that is not in the bundle."""
    return NotFound(f"The bundle lacks the object {object_id}; copy it again.", code="move-piece-missing")
