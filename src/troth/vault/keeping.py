"""Keeping an object: key unit first, ciphertext second (write-once), row and audit event last.

Row and event are one transaction behind the fence that an erasure closes. A crash in between leaves ciphertext without
a row, which `retention` sweeps. Nothing is ever written in clear, and there are no temporary files.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from troth.kernel.data_class import DataClass, strictest
from troth.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from troth.kernel.ids import id_bytes, id_from_bytes
from troth.kernel.record import Fact
from troth.keys.tree import UnitKey
from troth.vault import framing, store
from troth.vault.consent import lock_standing
from troth.vault.deadlines import Deadlines, shortest
from troth.vault.disposal import today
from troth.vault.facts import SealedFacts, seal_facts
from troth.vault.fences import fence, suspension
from troth.vault.ground import Ground
from troth.vault.object_info import ObjectInfo, described
from troth.vault.store import OWNER, SHOWN, Row

MAX_BYTES = 1 << 30  # larger content needs streaming, which the embedded default does not offer
BLOBS = "objects/"
MAX_NAME = 255
MAX_PARENTS = 64  # and people
SHARED_PLACE = "svc_shared"  # in the key tree: what concerns several people lies under none of them
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}\Z")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(; ?[\x20-\x7e]{1,100})?\Z")
_VERSION = 1  # objects are immutable

Beside = Callable[[Connection, str], None]


@dataclass(frozen=True, slots=True)
class KeepRequest:
    """What to keep. `expires_at` in epoch ms can only shorten the class's own deadline; `kind` is a token.

    `own_unit` gives the object a key of its own, so that its deletion is by key; without it, objects of one person,
    class and expiry date share a key and single deletion is by bytes until that date.
    `owners` may open it as `subject` may; `shown` are people whom it shows and who may not: when one of those is erased
    the object goes, when an owner is erased it stays while another owner is left (decision 0070).
    `purpose`: it may be kept only while the person's consent to this purpose stands. `transient`: it lives no longer
    than the stated ceiling for what passes through.
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
    owners: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    purpose: str | None = None
    transient: bool = False
    identifier: bytes = b""

    @property
    def roles(self) -> dict[str, str]:
        """Whom a shared object concerns, by person; empty for an object that concerns its keeper alone."""
        if not self.owners and not self.shown:
            return {}
        return dict.fromkeys(self.shown, SHOWN) | dict.fromkeys((self.subject, *self.owners), OWNER)


class Keeping:
    """Seals and keeps. `kind_index(tenant, kind)` is a keyed hash; `jurisdiction_of(tenant)` is eu, us or au."""

    def __init__(
        self,
        ground: Ground,
        deadlines: Deadlines,
        *,
        kind_index: Callable[[str, str], bytes],
        jurisdiction_of: Callable[[str], str],
    ) -> None:
        self._ground = ground
        self._deadlines = deadlines
        self._kind_index = kind_index
        self._jurisdiction_of = jurisdiction_of

    def keep(self, request: KeepRequest, beside: Beside | None) -> ObjectInfo:
        """Seal and keep; see `Objects.keep`."""
        _check(request)
        now = self._ground.now()
        data_class, expires_at, consent = self._inherited(request, now)
        request = self._showing(request)
        own = request.own_unit or bool(request.roles)
        period = None if own else today(expires_at) if expires_at else "account"
        facts = framing.Facts(
            self._jurisdiction_of(request.tenant),
            data_class,
            id_bytes(request.tenant),
            request.identifier or secrets.token_bytes(16),
            _VERSION,
        )
        with ExitStack() as undo:
            with suspension():
                unit = self._unit(request, data_class, period, undo)
            row = self._row(request, facts, unit, (now, expires_at, period), consent)
            blob = row.blob or ""
            self._ground.blobs.create(blob, framing.seal(facts, unit, request.content))
            undo.callback(self._ground.blobs.delete, blob)
            self._ground.database.apply(lambda connection: self._insert(connection, request, row, beside))
            undo.pop_all()
        return described(row, _secret(request), request.derived_from)

    def _inherited(self, request: KeepRequest, now: int) -> tuple[DataClass, int | None, str | None]:
        """Strictest class and earliest deadline of the object's own and its parents' (CLS-08), and its consent."""
        parents: list[Row] = []
        consent = ends = None
        if request.derived_from or request.purpose:
            with self._ground.database.read() as connection:
                parents = store.by_ids(connection, request.derived_from)
                if request.purpose:
                    consent, ends = lock_standing(connection, request.tenant, request.subject, request.purpose, now)
        data_class = strictest([request.data_class, *(DataClass(parent.data_class) for parent in parents)])
        wishes = [request.expires_at, ends, self._deadlines.ceiling(now) if request.transient else None]
        own = self._deadlines.deadline(request.tenant, data_class, now, *wishes, purpose=request.purpose or "")
        expires_at = shortest(own, *(parent.expires_at for parent in parents))
        if expires_at is not None and expires_at <= now:
            raise Invalid("The object's deadline has passed already; it would be gone at once.", code="past-deadline")
        return data_class, expires_at, consent

    def _showing(self, request: KeepRequest) -> KeepRequest:
        """The request, with everybody whom its sources show: a copy shows them too, and follows what they decide."""
        if not request.derived_from:
            return request
        with self._ground.database.read() as connection:
            shown = store.shown_in(connection, request.derived_from)
        shown -= request.roles.keys() | {request.subject}
        showing = replace(request, shown=(*request.shown, *sorted(shown))) if shown else request
        _check_few(showing)
        return showing

    def _unit(self, request: KeepRequest, data_class: DataClass, period: str | None, undo: ExitStack) -> UnitKey:
        if period is not None:
            return self._ground.tree.unit(request.tenant, request.subject, data_class, period)
        place = SHARED_PLACE if request.roles else request.subject
        unit = self._ground.tree.own_unit(request.tenant, place, data_class)
        undo.callback(self._ground.tree.destroy_units, [unit.id])
        return unit

    def _row(
        self,
        request: KeepRequest,
        facts: framing.Facts,
        unit: UnitKey,
        times: tuple[int, int | None, str | None],
        consent: str | None,
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
            period=times[2],
            unit_destroyed=False,
            version=facts.version,
            blob=blob_name(object_id),
            facts=seal_facts(_secret(request), facts, unit),
            created_at=times[0],
            expires_at=times[1],
            state=store.LIVE,
            shared=bool(request.roles),
            purpose=request.purpose,
            consent=consent,
        )

    def _insert(self, connection: Connection, request: KeepRequest, row: Row, beside: Beside | None) -> None:
        facts: dict[str, Fact] = {"object": row.id, "data_class": row.data_class, "bytes": len(request.content)}
        entry = self._ground.entry("object.kept", row.tenant, request.request or row.id, row.subject, facts)
        for person in sorted({row.subject, *request.roles}):
            fence(connection, row.tenant, person)
        if request.purpose:
            still = lock_standing(connection, row.tenant, row.subject, request.purpose, row.created_at)
            if still[0] != row.consent:
                raise Conflict("The consent changed while this was kept; ask again.", code="consent-changed")
        parents = sorted(set(request.derived_from))
        if len(store.lock_parents(connection, row.tenant, row.subject, parents)) != len(parents):
            raise NotFound("A source of the derived object is not there any more.", field="derived_from")
        if not store.shown_in(connection, parents) <= request.roles.keys() | {row.subject}:
            raise Conflict("Whom the source shows changed while this was kept; ask again.", code="sharing-changed")
        self._ground.tree.lock_protecting(connection, bytes.fromhex(row.unit))
        store.insert_object(connection, row, parents)
        store.add_concerns(connection, row, request.roles)
        self._ground.event(connection, entry)
        if beside is not None:
            beside(connection, row.id)


def blob_name(object_id: str) -> str:
    """Where an object's ciphertext lies: 32 folders, since each new folder costs as much as the object in it."""
    return f"{BLOBS}{object_id[4:5]}/{object_id}"


def _secret(request: KeepRequest) -> SealedFacts:
    return SealedFacts(request.kind, request.media_type, request.name, len(request.content))


def _check(request: KeepRequest) -> None:
    if not isinstance(request.data_class, DataClass):
        raise Invalid("Every object has a data class: user-generated, account or system.", code="no-data-class")
    if not _KIND.match(request.kind):
        raise Invalid("A kind is a short lower-case token.", code="bad-kind", field="kind")
    if not _MEDIA_TYPE.match(request.media_type):
        raise Invalid("A media type has the shape type/subtype.", code="bad-media-type", field="media_type")
    if len(request.name) > MAX_NAME or not request.name.isprintable():
        raise Invalid("A name has at most 255 printable characters.", code="bad-name", field="name")
    if request.purpose is not None and not _PURPOSE.match(request.purpose):
        raise Invalid("A purpose is a short lower-case token.", code="bad-purpose", field="purpose")
    _check_few(request)


def _check_few(request: KeepRequest) -> None:
    if len(request.content) > MAX_BYTES or max(len(request.derived_from), len(request.roles)) > MAX_PARENTS:
        raise TooLarge("An object holds at most 1 GiB, derives from at most 64 others and concerns at most 64 people.")
