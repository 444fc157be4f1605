"""Sealed objects: keep, open, list, delete. Nothing is ever written in clear, and there are no temporary files.

Keeping: key unit first, ciphertext second (write-once), row and audit event last, in one transaction behind the fence
that an erasure closes. A crash in between leaves ciphertext without a row, which `retention` sweeps.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Connection

from troth.kernel.data_class import DataClass, strictest
from troth.kernel.errors import Gone, IntegrityError, Invalid, NotFound, TooLarge
from troth.kernel.ids import id_bytes, id_from_bytes
from troth.kernel.record import Fact
from troth.keys.tree import Destruction, UnitKey
from troth.vault import framing, store
from troth.vault.deadlines import Deadlines, shortest
from troth.vault.disposal import Disposal, today
from troth.vault.facts import SealedFacts, open_facts, seal_facts
from troth.vault.ground import Ground
from troth.vault.holds import refuse_held
from troth.vault.store import Row

MAX_BYTES = 1 << 30  # larger content needs streaming, which the embedded default does not offer
BLOBS = "objects/"
MAX_NAME = 255
MAX_PARENTS = 64
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(; ?[\x20-\x7e]{1,100})?\Z")
_VERSION = 1  # objects are immutable


@dataclass(frozen=True, slots=True)
class KeepRequest:
    """What to keep. `expires_at` in epoch ms can only shorten the class's own deadline; `kind` is a token.

    `own_unit` gives the object a key of its own, so that its deletion is by key; without it, objects of one person,
    class and expiry date share a key and single deletion is by bytes until that date.
    """

    tenant: str
    subject: str
    data_class: DataClass
    kind: str
    media_type: str
    name: str
    content: bytes
    expires_at: int | None = None
    derived_from: tuple[str, ...] = ()
    own_unit: bool = True
    request: str | None = None  # the id under which the audit log knows the request


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What an object is, opened for its owner. `size` in bytes, times in epoch ms."""

    id: str
    kind: str
    data_class: DataClass
    media_type: str
    name: str
    size: int
    created_at: int
    expires_at: int | None
    derived_from: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deleted:
    """The object and all that was derived from it; `destruction` is None when every key is still shared."""

    identifiers: tuple[str, ...]
    destruction: Destruction | None


class Objects:
    """The vault's objects.

    `blind_index(label, value)` is a keyed hash (PersonalFields.blind_index), by which kinds are found without being
    stored; `jurisdiction_of(tenant)` is eu, us or au, fixed in the header of every object.
    """

    def __init__(
        self,
        ground: Ground,
        deadlines: Deadlines,
        *,
        blind_index: Callable[[str, str], bytes],
        jurisdiction_of: Callable[[str], str],
    ) -> None:
        self._ground = ground
        self._deadlines = deadlines
        self._blind_index = blind_index
        self._jurisdiction_of = jurisdiction_of
        self._disposal = Disposal(ground)

    def keep(self, request: KeepRequest, *, beside: Callable[[Connection, str], None] | None = None) -> ObjectInfo:
        """Seal and keep. Durable on return. `beside` writes more in the same transaction, given the object's id.

        Raises `Invalid` for a bad kind, name or type, `TooLarge`, `NotFound` for an unknown parent, `Gone` for an
        erased person, `Unavailable` when keys, blobs, database or record cannot be used, and what `beside` raises:
        nothing is then kept.
        """
        _check(request)
        now = self._ground.now()
        data_class, expires_at = self._inherited(request, now)
        period = None if request.own_unit else today(expires_at) if expires_at else "account"
        facts = framing.Facts(
            self._jurisdiction_of(request.tenant),
            data_class,
            id_bytes(request.tenant),
            secrets.token_bytes(16),
            _VERSION,
        )
        with ExitStack() as undo:
            unit = self._unit(request, data_class, period, undo)
            row = self._row(request, facts, unit, period, (now, expires_at))
            blob = row.blob or ""
            self._ground.blobs.create(blob, framing.seal(facts, unit, request.content))
            undo.callback(self._ground.blobs.delete, blob)
            self._ground.database.apply(lambda connection: self._insert(connection, request, row, beside))
            undo.pop_all()
        return _described(row, _secret(request), request.derived_from)

    def open(self, tenant: str, subject: str, object_id: str) -> tuple[ObjectInfo, bytes]:
        """The object. Raises `NotFound` for what is not this person's, `Gone` after erasure or expiry."""
        row, parents = self._live(tenant, subject, object_id)
        unit = self._key(row)
        try:
            sealed = self._ground.blobs.get(row.blob or "")
        except NotFound as error:
            self._live(tenant, subject, object_id)  # erased meanwhile: says so
            raise IntegrityError("The bytes of a kept object are missing.", code="blob-missing") from error
        return self._info(row, parents), framing.open(sealed, facts_of(row), unit)

    def info(self, tenant: str, subject: str, object_id: str) -> ObjectInfo:
        """What the object is, without its content. Raises as `open` does."""
        return self._info(*self._live(tenant, subject, object_id))

    def list(
        self, tenant: str, subject: str, *, kind: str | None = None, limit: int = 100, after: str | None = None
    ) -> list[ObjectInfo]:
        """A person's live objects, newest first, older than `after` (an object id). At most 1000 at a time.

        Raises `NotFound` when `after` is not this person's.
        """
        index = self._kind_index(tenant, kind) if kind else None
        found: list[ObjectInfo] = []
        with self._ground.database.read() as connection:
            if store.subject_erased(connection, tenant, subject):
                return []
            start = store.find(connection, tenant, subject, after) if after else None
            if after and start is None:
                raise NotFound("There is no such object to go on from; begin at the newest.", field="after")
            rows = store.page(
                connection, tenant, subject, self._ground.now(), before=start, kind=index, limit=min(limit, 1000)
            )
            parents = store.parents_of(connection, [row.id for row in rows])
        for row in rows:
            try:
                found.append(self._info(row, tuple(parents.get(row.id, ()))))
            except Gone:
                continue  # erased between the query and here
        return found

    def delete(self, tenant: str, subject: str, object_id: str, *, request: str | None = None) -> Deleted:
        """Delete an object and everything derived from it: keys destroyed, bytes deleted.

        Raises `NotFound`, `Gone` when it is gone already, `Conflict` (held) under a legal hold.
        """
        self._live(tenant, subject, object_id)
        facts: dict[str, Fact] = {"object": object_id}
        with self._ground.database.write() as connection:
            ids = store.mark_closure(connection, [object_id], "deleted", None)
            refuse_held(connection, self._ground.now(), tenant, subject, ids)
            facts["count"] = len(ids)
            entry = self._ground.entry("object.deleted", tenant, request or object_id, subject, facts)
            self._ground.event(connection, entry)
            rows = store.by_ids(connection, ids)
        return Deleted(tuple(ids), self._disposal.finish([row for row in rows if row.state == store.DROPPING]))

    def _inherited(self, request: KeepRequest, now: int) -> tuple[DataClass, int | None]:
        """Strictest class and earliest deadline of the object's own and its parents' (promise CLS-08)."""
        parents: list[Row] = []
        if request.derived_from:
            with self._ground.database.read() as connection:
                parents = store.by_ids(connection, request.derived_from)
        data_class = strictest([request.data_class, *(DataClass(parent.data_class) for parent in parents)])
        own = self._deadlines.deadline(request.tenant, data_class, now, request.expires_at)
        expires_at = shortest(own, *(parent.expires_at for parent in parents))
        if expires_at is not None and expires_at <= now:
            raise Invalid("The object's deadline has passed already; it would be gone at once.", code="past-deadline")
        return data_class, expires_at

    def _unit(self, request: KeepRequest, data_class: DataClass, period: str | None, undo: ExitStack) -> UnitKey:
        if period is not None:
            return self._ground.tree.unit(request.tenant, request.subject, data_class, period)
        unit = self._ground.tree.own_unit(request.tenant, request.subject, data_class)
        undo.callback(self._ground.tree.destroy_units, [unit.id])
        return unit

    def _row(
        self,
        request: KeepRequest,
        facts: framing.Facts,
        unit: UnitKey,
        period: str | None,
        times: tuple[int, int | None],
    ) -> Row:
        object_id = id_from_bytes("obj", facts.object)
        return Row(
            seq=0,
            id=object_id,
            tenant=request.tenant,
            subject=request.subject,
            data_class=facts.data_class.value,
            jurisdiction=facts.jurisdiction,
            kind_index=self._kind_index(request.tenant, request.kind),
            unit=unit.id.hex(),
            period=period,
            unit_destroyed=False,
            version=facts.version,
            blob=f"{BLOBS}{object_id[4:6]}/{object_id}",
            facts=seal_facts(_secret(request), facts, unit),
            created_at=times[0],
            expires_at=times[1],
            state=store.LIVE,
        )

    def _insert(
        self,
        connection: Connection,
        request: KeepRequest,
        row: Row,
        beside: Callable[[Connection, str], None] | None,
    ) -> None:
        facts: dict[str, Fact] = {"object": row.id, "data_class": row.data_class, "bytes": len(request.content)}
        entry = self._ground.entry("object.kept", row.tenant, request.request or row.id, row.subject, facts)
        store.fence(connection, row.tenant, row.subject)
        parents = sorted(set(request.derived_from))
        if len(store.lock_parents(connection, row.tenant, row.subject, parents)) != len(parents):
            raise NotFound("A source of the derived object is not there any more.", field="derived_from")
        store.insert_object(connection, row, parents)
        self._ground.event(connection, entry)
        if beside is not None:
            beside(connection, row.id)

    def _live(self, tenant: str, subject: str, object_id: str) -> tuple[Row, tuple[str, ...]]:
        with self._ground.database.read() as connection:
            row = store.find(connection, tenant, subject, object_id)
            if row is None:
                raise NotFound("There is no such object; list yours to see their ids.")
            erased = row.state != store.LIVE or store.subject_erased(connection, tenant, subject)
            parents = store.parents_of(connection, [object_id]).get(object_id, [])
        if erased or (row.expires_at is not None and row.expires_at <= self._ground.now()):
            raise Gone("This object was erased or has expired; it cannot be brought back.")
        return row, tuple(parents)

    def _key(self, row: Row) -> UnitKey:
        return self._ground.tree.key(bytes.fromhex(row.unit))

    def _info(self, row: Row, parents: tuple[str, ...]) -> ObjectInfo:
        return _described(row, open_facts(row.facts or b"", facts_of(row), self._key(row)), parents)

    def _kind_index(self, tenant: str, kind: str) -> bytes:
        return self._blind_index("object-kind", f"{tenant}/{kind}")


def _secret(request: KeepRequest) -> SealedFacts:
    return SealedFacts(request.kind, request.media_type, request.name, len(request.content))


def _described(row: Row, secret: SealedFacts, parents: tuple[str, ...]) -> ObjectInfo:
    return ObjectInfo(
        row.id,
        secret.kind,
        DataClass(row.data_class),
        secret.media_type,
        secret.name,
        secret.size,
        row.created_at,
        row.expires_at,
        parents,
    )


def facts_of(row: Row) -> framing.Facts:
    """What the sealed bytes of a row must say of themselves."""
    return framing.Facts(
        row.jurisdiction, DataClass(row.data_class), id_bytes(row.tenant), id_bytes(row.id), row.version
    )


def _check(request: KeepRequest) -> None:
    if not isinstance(request.data_class, DataClass):
        raise Invalid("Every object has a data class: user-generated, account or system.", code="no-data-class")
    if not _KIND.match(request.kind):
        raise Invalid("A kind is a short lower-case token.", code="bad-kind", field="kind")
    if not _MEDIA_TYPE.match(request.media_type):
        raise Invalid("A media type has the shape type/subtype.", code="bad-media-type", field="media_type")
    if len(request.name) > MAX_NAME or not request.name.isprintable():
        raise Invalid("A name has at most 255 printable characters.", code="bad-name", field="name")
    if len(request.content) > MAX_BYTES or len(request.derived_from) > MAX_PARENTS:
        raise TooLarge("An object holds at most 1 GiB and derives from at most 64 others.")
