"""How long each class of data may live (CLS-03, DEL-01): class default, tenant rule, own wish; the shortest wins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Column, Connection, String, Table, bindparam, delete, func, insert, literal, or_, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.storage.database import Big, metadata
from troth.storage.prepared import PreparedSelect
from troth.vault import endings, rule_changes
from troth.vault.ground import Ground
from troth.vault.holds import unheld
from troth.vault.tables import objects

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
# What only passes through (CLS-05): an hour is long enough for a request and its retries, whatever its class says.
TRANSIENT_MINUTES = 60
MINUTE_MS = 60_000

rules = Table(
    "vault_retention_rule",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("data_class", String(16), primary_key=True),
    Column("purpose", String(64), primary_key=True),  # "": whatever the purpose
    Column("days", Big, nullable=False),
)

# Built once: each object that is kept asks.
_RULE = PreparedSelect(
    select(func.min(rules.c.days)).where(
        rules.c.tenant == bindparam("of"),
        rules.c.data_class == bindparam("kind"),
        rules.c.purpose.in_((literal(""), bindparam("purpose"))),
    )
)


class Deadlines:
    """The deadline of what is kept now, and the age beyond which a class of a tenant is overdue."""

    def __init__(
        self,
        ground: Ground,
        limits: Mapping[DataClass, int] = MappingProxyType({}),
        *,
        transient_minutes: int = TRANSIENT_MINUTES,
        approval_above: int = 10,
    ) -> None:
        """`limits`: what this installation permits, in days; it can only shorten the class defaults.

        `transient_minutes`: the stated ceiling of what only passes through. `approval_above`: people whose data one
        officer may end by a rule.
        """
        self._ground = ground
        self._limits = {one: shortest(days, limits.get(one)) for one, days in CLASS_DAYS.items()}
        self.transient_minutes = transient_minutes
        self._approval_above = approval_above

    def days(self, tenant: str, data_class: DataClass, purpose: str = "") -> int | None:
        """Days that this class may live for this tenant and purpose; None: as long as the account."""
        rows = self._ground.database.rows(_RULE, {"of": tenant, "kind": data_class.value, "purpose": purpose})
        return shortest(self._limits[data_class], rows[0][0])

    def limit(self, data_class: DataClass) -> int | None:
        """Days that this installation permits, before any rule of a tenant."""
        return self._limits[data_class]

    def ceiling(self, now: int) -> int:
        """When what only passes through is over, in epoch ms."""
        return now + self.transient_minutes * MINUTE_MS

    def deadline(
        self, tenant: str, data_class: DataClass, created_at: int, *wishes: int | None, purpose: str = ""
    ) -> int | None:
        """The earliest of class default, tenant rules and wishes, in epoch ms; None: no clock of its own."""
        days = self.days(tenant, data_class, purpose)
        return shortest(None if days is None else created_at + days * DAY_MS, *wishes)

    def set_rule(
        self, tenant: str, data_class: DataClass, days: int | None, *, actor: str, request: str, purpose: str = ""
    ) -> None:
        """Shorten a class, or what is kept of it for one purpose, for a tenant; None removes the rule.

        A rule longer than the class default has no effect: shortest wins. Raises `Invalid` outside 1 to 3650 days,
        `NotFound` when there is no such rule to remove, `Conflict` (second-officer) when a shorter rule would end now
        what more people have kept than one officer may have erased within a day, by erasures and rules together.
        """
        if days is not None and not 1 <= days <= 3650:
            raise Invalid("A retention rule is between 1 and 3650 days.", code="bad-days", field="days")
        facts: dict[str, Fact] = {"data_class": data_class.value, "count": days or 0}
        facts |= {"purpose": purpose} if purpose else {}
        key = {"tenant": tenant, "data_class": data_class.value, "purpose": purpose}
        kept = self.days(tenant, data_class, purpose)
        with self._ground.database.write() as connection:
            if days is not None and (kept is None or days < kept):
                self._require_few(connection, (tenant, data_class.value, purpose), (kept, days), actor)
            old = delete(rules).where(*(rules.c[name] == value for name, value in key.items()))
            if not connection.execute(old).rowcount and days is None:
                raise NotFound("There is no such rule; show the schedule to see those that there are.")
            if days is not None:
                connection.execute(insert(rules), key | {"days": days})
            self._ground.event(connection, self._ground.entry("retention.rule", tenant, request, actor, facts))

    def _require_few(
        self, connection: Connection, rule: tuple[str, str, str], days: tuple[int | None, int], actor: str
    ) -> None:
        """A rule is no way around the second officer, nor are several small ones: each is counted and kept on file.

        `days` before (None: no limit) and now. What a hold binds stays anyway, and what was over already was counted.
        """
        now, (tenant, data_class, purpose), (before, after) = self._ground.now(), rule, days
        which = endings.kept_before(tenant, data_class, now - after * DAY_MS + 1)
        which = which & or_(objects.c.expires_at.is_(None), objects.c.expires_at > now)
        which = which & (objects.c.purpose == purpose) if purpose else which
        which = which & (objects.c.created_at > now - before * DAY_MS) if before is not None else which
        left = self._approval_above - rule_changes.people_ended(connection, actor, now - DAY_MS)
        people = endings.people_of(connection, which)
        if people > left:
            people = len({row.subject for row in unheld(connection, endings.matching(connection, which), now)})
        if people > max(left, 0):
            raise Conflict(
                "With what you had ended within a day, this rule would end what many people have kept. Ask for an "
                "erasure of that period first, which a second officer approves; then set the rule.",
                code="second-officer",
            )
        change = {"tenant": tenant, "data_class": data_class, "purpose": purpose, "actor": actor, "days": after}
        made = rule_changes.RuleChange(id=new_id("rch"), people=people, at=now, **change)  # type: ignore[arg-type]
        rule_changes.add(connection, made)

    def all_rules(self, tenant: str | None = None) -> dict[tuple[str, str, str], int]:
        """Days by (tenant, class, purpose), of every tenant or of one."""
        query = select(rules).order_by(rules.c.tenant, rules.c.data_class, rules.c.purpose)
        with self._ground.database.read() as connection:
            found = connection.execute(query if tenant is None else query.where(rules.c.tenant == tenant)).all()
        return {(row.tenant, row.data_class, row.purpose): int(row.days) for row in found}


def shortest(*limits: int | None) -> int | None:
    """The smallest of those that are set; None when none is."""
    return min((limit for limit in limits if limit is not None), default=None)


def drop_rules(connection: Connection, tenant: str) -> None:
    """A tenant that is gone has no rules."""
    connection.execute(delete(rules).where(rules.c.tenant == tenant))
    rule_changes.forget(connection, tenant)
