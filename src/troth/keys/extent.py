"""What scopes name, each thing once. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from troth.kernel.errors import Invalid
from troth.kernel.record import Fact
from troth.keys.scope_rows import WHOLE
from troth.keys.suspension_rows import Place
from troth.keys.unit_rows import UnitRow
from troth.keys.units import Owner, Scope


@dataclass(frozen=True, slots=True)
class Extent:
    """What scopes name, each once: owners (a tenant has the subject `WHOLE`) and unit ids."""

    owners: tuple[Owner, ...] = ()
    units: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, scopes: Iterable[Scope]) -> Extent:
        owners: dict[Owner, None] = {}
        units: dict[bytes, None] = {}
        for scope in scopes:
            if scope.tenant and scope.subject != WHOLE:
                owners[scope.tenant, WHOLE if scope.subject is None else scope.subject] = None
            elif scope.units:
                units |= dict.fromkeys(scope.units)
            else:
                raise Invalid("A scope names a tenant, a subject or units.", code="empty-scope")
        return cls(tuple(owners), tuple(units))

    def places(self, rows: Sequence[UnitRow]) -> list[Place]:
        """The same as places of suspensions; `rows` are those of the units."""
        units = [Place(row.tenant, row.subject, row.id.hex()) for row in rows]
        return [Place(tenant, subject) for tenant, subject in self.owners] + units

    def facts(self) -> dict[str, Fact]:
        """How many things of each kind, for the log."""
        tenants = sum(subject == WHOLE for _, subject in self.owners)
        return {"counts": {"tenant": tenants, "subject": len(self.owners) - tenants, "unit": len(self.units)}}
