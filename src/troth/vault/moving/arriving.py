"""The destination's side of a move: invite, take in object by object under this jurisdiction's keys, prove, forget.

Taking in can be stopped and repeated: what is here already is not taken again. Nothing is in clear at rest at any time.
A tenant that is here and did not begin to arrive by this same origin is refused: a bundle cannot add to a stranger.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, String, Table, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, IntegrityError, NotFound
from troth.kernel.ids import id_bytes, new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.record import Fact
from troth.kernel.scope import Scope, within
from troth.kernel.signer import Signer
from troth.keys.tree import UnitKey
from troth.storage.blobs import BlobStore
from troth.storage.database import Big, metadata
from troth.vault import framing, store
from troth.vault.dsse import sign_envelope, verify_envelope
from troth.vault.facts import SealedFacts, seal_facts
from troth.vault.fences import fence
from troth.vault.ground import Ground
from troth.vault.keeping import SHARED_PLACE, blob_name
from troth.vault.moving import carried
from troth.vault.moving.departure import ROWS, missing, piece_name, rows_name
from troth.vault.moving.pins import Trusted
from troth.vault.moving.snapshot import HEAD, Snapshot
from troth.vault.moving.transport import (
    ARRIVAL,
    INVITATION,
    MANIFEST,
    Arrival,
    Invitation,
    InvitationKeys,
    Manifest,
    digest,
    document,
    unframed,
    unseal,
)
from troth.vault.tables import Row

ACTOR = "svc_tenant-move"

arrivals = Table(
    "tenant_arrival",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("origin", String(64), nullable=False),  # SHA-256 of the origin's signing key
    Column("begun_at", Big, nullable=False),
    Column("done_at", Big),
)
Found = Callable[[Connection, str, dict[str, Any]], None]


class Arriving:
    """Takes tenants in. `found(connection, tenant, row)` writes its own row (name, created_at), of `here`."""

    def __init__(
        self, ground: Ground, fields: PersonalFields, signer: Signer, keys: InvitationKeys, *, here: str, found: Found
    ) -> None:
        self._ground = ground
        self._fields = fields
        self._signer = signer
        self._keys = keys
        self._here = here
        self._found = found

    def invite(self) -> bytes:
        """A signed invitation with a fresh key, for one tenant."""
        invitation = Invitation(self._here, self._keys.make())
        return sign_envelope(document(invitation), INVITATION, self._signer)

    def unpack(self, manifest: bytes, trusted: Trusted, bundle: BlobStore) -> bytes:
        """Take everything in, verify it, destroy the invitation's key; the signed arrival.

        Raises `IntegrityError` for anything that is not the origin's, `Conflict` (move-taken) for a tenant, person or
        address that is here already, `NotFound` for a bundle that is not complete or not for this installation.
        """
        sent = Manifest(**verify_envelope(manifest, MANIFEST, trusted.keys()))
        if sent.destination != self._here:
            raise Conflict(f"The bundle is for '{sent.destination}'; this is '{self._here}'.", code="wrong-placement")
        private = self._keys.get(sent.key)
        body = unseal(_piece(bundle, rows_name(sent.key, sent.rows_digest), ROWS), private, sent.tenant, ROWS)
        rows: carried.Rows = json.loads(body)
        with within(Scope(sent.tenant)):  # on PostgreSQL the database refuses a row for anybody else
            self._begin(sent, trusted, rows)
            for object_id in _listed(bundle, sent):
                sealed = _piece(bundle, piece_name(sent.key, object_id), object_id)
                self._take(sent.tenant, object_id, *unframed(unseal(sealed, private, sent.tenant, object_id)))
            self._settle(sent, rows)
            return self._arrived(sent, manifest)

    def _begin(self, sent: Manifest, trusted: Trusted, rows: carried.Rows) -> None:
        """The tenant, its people and rules, in one transaction; once."""
        origin = digest(trusted.key)
        with self._ground.database.read() as connection:
            known = connection.execute(select(arrivals).where(arrivals.c.tenant == sent.tenant)).first()
        if known is not None:
            if known.origin != origin or known.done_at is not None:
                raise Conflict("This tenant is here already.", code="move-taken")
            return
        fresh = carried.sealed(self._fields, sent.tenant, rows, (*carried.PEOPLE, *carried.BESIDE))
        own = _only(rows.get("tenants", []))
        with self._ground.database.write() as connection:
            try:
                self._found(connection, sent.tenant, own)
            except Duplicate as error:
                raise Conflict("This tenant is here already.", code="move-taken") from error
            row = {"tenant": sent.tenant, "origin": origin, "begun_at": self._ground.now()}
            connection.execute(insert(arrivals), row)
            carried.write(connection, fresh)

    def _take(self, tenant: str, object_id: str, head: dict[str, Any], content: bytes) -> None:
        """One object under this tree's keys, unless it is here."""
        if set(head) != {*HEAD, "kind", "media_type", "name"} or head["id"] != object_id:
            raise IntegrityError("A piece of the bundle is not the object of its name.", code="move-shape")
        with self._ground.database.read() as connection:
            if store.by_ids(connection, [object_id]):
                return
        unit = self._unit(tenant, head)
        facts = framing.Facts(
            self._here, DataClass(head["data_class"]), id_bytes(tenant), id_bytes(object_id), head["version"]
        )
        secret = SealedFacts(head["kind"], head["media_type"], head["name"], len(content))
        blob = blob_name(object_id)
        self._ground.blobs.delete(blob)  # left by a run that died before its row was written
        self._ground.blobs.create(blob, framing.seal(facts, unit, content))
        row = Row(
            seq=0,
            tenant=tenant,
            jurisdiction=self._here,
            kind_index=self._fields.blind_index("object-kind", f"{tenant}/{head['kind']}"),
            unit=unit.id.hex(),
            unit_destroyed=False,
            blob=blob,
            facts=seal_facts(secret, facts, unit),
            state=store.LIVE,
            **{member: head[member] for member in HEAD},
        )
        with self._ground.database.write() as connection:
            fence(connection, tenant, row.subject)
            store.insert_object(connection, row, ())

    def _unit(self, tenant: str, head: dict[str, Any]) -> UnitKey:
        data_class = DataClass(head["data_class"])
        if head["period"] is not None:
            return self._ground.tree.unit(tenant, head["subject"], data_class, head["period"])
        return self._ground.tree.own_unit(tenant, SHARED_PLACE if head["shared"] else head["subject"], data_class)

    def _settle(self, sent: Manifest, rows: carried.Rows) -> None:
        """What hangs on the objects; once."""
        here = Snapshot(self._ground, self._fields, sent.tenant).rows()
        rest = {name: [row for row in rows.get(name, []) if row not in here[name]] for name in carried.AFTER}
        fresh = carried.sealed(self._fields, sent.tenant, {**rows, **rest}, carried.AFTER)
        with self._ground.database.write() as connection:
            carried.write(connection, fresh)

    def _arrived(self, sent: Manifest, manifest: bytes) -> bytes:
        now = Snapshot(self._ground, self._fields, sent.tenant).counted()
        if (now.objects_digest, now.rows_digest) != (sent.objects_digest, sent.rows_digest):
            raise IntegrityError(
                "What stands here is not what was sent; pack again at the origin, and take that in.",
                code="move-incomplete",
            )
        with self._ground.database.write() as connection:
            connection.execute(
                update(arrivals).where(arrivals.c.tenant == sent.tenant).values(done_at=self._ground.now())
            )
            facts: dict[str, Fact] = {"tenant": sent.tenant, "count": now.objects, "jurisdiction": self._here}
            entry = self._ground.entry("tenant.arrived", sent.tenant, new_id("mov"), ACTOR, facts)
            self._ground.event(connection, entry)
        self._keys.destroy(sent.key)
        arrival = Arrival(
            digest(manifest), sent.tenant, self._here, now.objects, now.objects_digest, now.rows, now.rows_digest
        )
        return sign_envelope(document(arrival), ARRIVAL, self._signer)


def _only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if len(rows) != 1 or set(rows[0]) != {"name", "created_at"}:
        raise IntegrityError("The bundle does not name its tenant.", code="move-shape")
    return rows[0]


def _listed(bundle: BlobStore, sent: Manifest) -> list[str]:
    """The objects of the bundle; pieces that an earlier packing left are found out by the digest."""
    prefix = piece_name(sent.key, "")
    names = sorted(name.removeprefix(prefix) for name in bundle.names(prefix))
    if len(names) < sent.objects:
        raise NotFound(f"The bundle holds {len(names)} of {sent.objects} objects; copy it again.", code="move-short")
    return names


def _piece(bundle: BlobStore, name: str, object_id: str) -> bytes:
    try:
        return bundle.get(name)
    except NotFound as error:
        raise missing(object_id) from error
