"""How long each class of data may live (CLS-03, DEL-01): class default, tenant rule, own wish; the shortest wins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Column, Connection, String, Table, bindparam, delete, insert, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Invalid
from troth.kernel.record import Fact
from troth.storage.database import Big, metadata
from troth.vault.ground import Ground

DAY_MS = 86_400_000

# USER_GENERATED: GDPR Art. 12(3) gives one month to answer an erasure request; what is handled transiently is gone by
#   then even when nobody asks. 30 is the shortest month but February, so no request outlives the data by its calendar.
# ACCOUNT: needed while the contract lives (GDPR Art. 6(1)(b)); no clock of its own, see ACCOUNT_AFTER_DAYS.
# SYSTEM: PCI DSS 4.0.1 req. 10.5.1 keeps twelve months of audit history; 400 days leave a yearly review its overlap.
CLASS_DAYS: Mapping[DataClass, int | None] = MappingProxyType(
    {DataClass.USER_GENERATED: 30, DataClass.ACCOUNT: None, DataClass.SYSTEM: 400}
)
# After an account is closed: GDPR Art. 5(1)(e), no longer than needed; one month for last questions and appeals.
ACCOUNT_AFTER_DAYS = 30

rules = Table(
    "vault_retention_rule",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("data_class", String(16), primary_key=True),
    Column("days", Big, nullable=False),
)

# Built once: each object that is kept asks.
_RULE = select(rules.c.days).where(rules.c.tenant == bindparam("of"), rules.c.data_class == bindparam("kind"))


class Deadlines:
    """The deadline of what is kept now, and the age beyond which a class of a tenant is overdue."""

    def __init__(self, ground: Ground, limits: Mapping[DataClass, int] = MappingProxyType({})) -> None:
        """`limits`: what this installation permits, in days; it can only shorten the class defaults."""
        self._ground = ground
        self._limits = {one: shortest(days, limits.get(one)) for one, days in CLASS_DAYS.items()}

    def days(self, tenant: str, data_class: DataClass) -> int | None:
        """Days that this class may live for this tenant; None: as long as the account."""
        with self._ground.database.read() as connection:
            return shortest(self._limits[data_class], _rule(connection, tenant, data_class))

    def deadline(self, tenant: str, data_class: DataClass, created_at: int, *wishes: int | None) -> int | None:
        """The earliest of class default, tenant rule and wishes, in epoch ms; None: no clock of its own."""
        days = self.days(tenant, data_class)
        return shortest(None if days is None else created_at + days * DAY_MS, *wishes)

    def set_rule(self, tenant: str, data_class: DataClass, days: int | None, *, actor: str, request: str) -> None:
        """Shorten a class for a tenant; None removes the rule. Raises `Invalid` outside 1 to 3650 days.

        A rule longer than the class default has no effect: shortest wins.
        """
        if days is not None and not 1 <= days <= 3650:
            raise Invalid("A retention rule is between 1 and 3650 days.", code="bad-days", field="days")
        facts: dict[str, Fact] = {"data_class": data_class.value, "count": days or 0}
        with self._ground.database.write() as connection:
            connection.execute(delete(rules).where(rules.c.tenant == tenant, rules.c.data_class == data_class.value))
            if days is not None:
                connection.execute(insert(rules), {"tenant": tenant, "data_class": data_class.value, "days": days})
            self._ground.event(connection, self._ground.entry("retention.rule", tenant, request, actor, facts))

    def all_rules(self) -> dict[tuple[str, DataClass], int]:
        """Every tenant rule."""
        with self._ground.database.read() as connection:
            found = connection.execute(select(rules)).all()
        return {(row.tenant, DataClass(row.data_class)): int(row.days) for row in found}


def shortest(*limits: int | None) -> int | None:
    """The smallest of those that are set; None when none is."""
    return min((limit for limit in limits if limit is not None), default=None)


def _rule(connection: Connection, tenant: str, data_class: DataClass) -> int | None:
    found = connection.execute(_RULE, {"of": tenant, "kind": data_class.value}).scalar()
    return None if found is None else int(found)
