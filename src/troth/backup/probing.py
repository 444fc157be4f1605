"""Trying a restored installation before it goes live: what was erased must not open, what lives must."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from troth.backup import places
from troth.backup.knowledge import Knowledge
from troth.backup.manifest import OBJECTS, Part
from troth.backup.places import Held
from troth.backup.quarantine import Quarantine
from troth.backup.source import Progress, quiet
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound, TrothError
from troth.kernel.ids import id_bytes
from troth.kernel.scope import SYSTEM
from troth.keys.lifecycle import State
from troth.keys.units import UnitKey, subject_place, tenant_place
from troth.storage.database import metadata
from troth.vault import framing

MOST_UNITS = 50_000  # erased units that are asked for one by one; the tree itself is compared with all of them
MOST_OBJECTS = 1_000  # live objects that are decrypted; beyond it every so many (their bytes are all verified)
_WHOLE_WAY = 32  # of them
MOST_ERASED = 1_000  # ciphertexts of the backup whose objects were erased since


@dataclass(frozen=True, slots=True)
class Probed:
    """What was tried. `units` and `erased` were refused, `live` opened; `of_live` is how many there are."""

    units: int
    erased: int
    live: int
    of_live: int
    suspended: int


class Probing:
    """The attempt of everybody who must not succeed, and of everybody who must."""

    def __init__(self, quarantine: Quarantine, today: Knowledge, held: Held, parts: Mapping[str, Part]) -> None:
        self._quarantine = quarantine
        self._today = today
        self._held = held
        self._parts = parts

    def probe(self, progress: Progress = quiet) -> Probed:
        """Raises `IntegrityError`: `erased-opens` or `live-unreadable`."""
        self._require_absent()
        units = self._units()
        erased = self._ciphertexts()
        live, of_live, suspended = self._live(progress)
        return Probed(units, erased, live, of_live, suspended)

    def _require_absent(self) -> None:
        """No address of a destroyed unit, person or tenant may be in the key tree, whatever rows say."""
        addresses = self._today.tree.addresses
        people, tenants = {one[:32] for one in addresses}, {one[:16] for one in addresses}
        scope = metadata.tables["key_scope"]
        ended = select(scope.c.tenant, scope.c.subject).where(scope.c.state == State.DESTROYED)
        with self._quarantine.database.read(SYSTEM) as connection:
            for tenant, subject in connection.execute(ended):
                place = subject_place(tenant, subject) if subject else tenant_place(tenant)
                if place in (people if subject else tenants):
                    raise _opens()

    def _units(self) -> int:
        unit = metadata.tables["unit"]
        with self._quarantine.database.read(SYSTEM) as connection:
            gone = list(connection.scalars(select(unit.c.id).where(unit.c.state == State.DESTROYED).limit(MOST_UNITS)))
        for identifier in gone:
            self._require_refused(bytes.fromhex(identifier))
        return len(gone)

    def _ciphertexts(self) -> int:
        """Objects that the backup holds and that are erased today: their own headers name the key to try."""
        objects = metadata.tables["vault_object"]
        with self._quarantine.database.read(SYSTEM) as connection:
            gone = set(connection.scalars(select(objects.c.id).where(objects.c.state == "erased")))
        tried = 0
        for part in self._parts.values():
            if tried == MOST_ERASED:
                break
            if part.name.startswith(f"{OBJECTS}/") and part.name.rpartition("/")[2] in gone:
                sealed = places.content(self._held.location, part)
                self._require_refused(framing.read_header(sealed).unit, shared_too=False)
                tried += 1
        return tried

    def _require_refused(self, unit: bytes, *, shared_too: bool = True) -> None:
        try:
            self._quarantine.tree.key(unit)
        except (Gone, NotFound):
            return
        except Conflict:
            pass  # suspended, so it is in the tree
        if not shared_too and self._is_shared(unit):
            return  # deleted alone, from a unit of a whole period: not written, and gone with the period
        raise _opens()

    def _is_shared(self, unit: bytes) -> bool:
        table = metadata.tables["unit"]
        with self._quarantine.database.read(SYSTEM) as connection:
            return bool(connection.scalar(select(table.c.period).where(table.c.id == unit.hex())))

    def _live(self, progress: Progress) -> tuple[int, int, int]:
        """Key, header and every segment of live objects; a few of them on the way that every reader takes."""
        rows = list(self._live_rows())
        step = max(1, len(rows) // MOST_OBJECTS)
        tried, suspended = rows[::step], 0
        keys: dict[str, UnitKey] = {}
        for done, row in enumerate(tried, 1):
            try:
                if done <= _WHOLE_WAY:
                    self._quarantine.open_object(row.tenant, row.subject, row.id)
                else:
                    if row.unit not in keys:
                        keys[row.unit] = self._quarantine.tree.key(bytes.fromhex(row.unit))
                    framing.open(self._quarantine.objects.get(row.blob), _facts(row), keys[row.unit])
            except Conflict:
                suspended += 1  # restricted or held: the key is there, and refuses ordinary use
            except TrothError as error:
                raise IntegrityError(
                    "A restored object that nobody erased does not open; use another place or an older backup.",
                    code="live-unreadable",
                ) from error
            progress("probe", done, len(tried))
        return len(tried) - suspended, len(rows), suspended

    def _live_rows(self) -> Iterator[Any]:
        objects = metadata.tables["vault_object"]
        now = self._quarantine.now()
        with self._quarantine.database.read(SYSTEM) as connection:
            for row in connection.execute(select(objects).where(objects.c.state == "live").order_by(objects.c.id)):
                if row.expires_at is None or row.expires_at > now:
                    yield row


def _facts(row: Any) -> framing.Facts:
    """What the sealed bytes of a row must say of themselves."""
    data_class = DataClass(row.data_class)
    return framing.Facts(row.jurisdiction, data_class, id_bytes(row.tenant), id_bytes(row.id), row.version)


def _opens() -> IntegrityError:
    return IntegrityError(
        "Something that was erased would open in the restored installation; it does not go live. Look for an old copy "
        "of the key roots.",
        code="erased-opens",
    )
