"""The redaction policy of a tenant: what vendors do not see of its prompts, instead of the installation's own policy.

Stored sealed, since an allow-list or a word list may name people. The stricter of both decisions wins each time it is
used, so a floor that is raised later counts at once, and a category that is new decides as the floor does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import yaml
from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    select,
)
from sqlalchemy import Connection as SqlConnection

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.kernel.personal import PersonalFields, TenantFence
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.keys.field_moving import SealedColumn
from troth.redact.decisions import Policy
from troth.redact.finding import forget_policies
from troth.redact.policy import parse_policy
from troth.redact.strictness import combined, weaker
from troth.settings import strict_yaml
from troth.storage.database import Big, Database, metadata
from troth.storage.prepared import PreparedSelect
from troth.storage.tenant_rows import TenantRows

SUBJECT = "svc_redaction"  # whose account unit seals the policies of a tenant: nobody's, so no erasure of a person
LABEL = "redaction-policy"
LARGEST = 256 << 10  # characters of a tenant's policy
_OPENED_FOR = timedelta(minutes=10)
_MOST_NODES = 30_000  # keys and values of it, a second's work
_LIMITS = strict_yaml.Limits(characters=LARGEST, nodes=_MOST_NODES)

policies = Table(
    "redaction_policy",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # the YAML, under the tenant's unit
    Column("digest", String(64), nullable=False),  # SHA-256 of the policy as it was set
    Column("set_at", Big, nullable=False),
)
_ROW = PreparedSelect(select(policies.c.sealed, policies.c.digest, policies.c.set_at).where(
    policies.c.tenant == bindparam("of")))  # fmt: skip


def _of_tenant(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(policies.c.tenant == tenant, literal(subject) == SUBJECT)


SEALED = (SealedColumn(policies, "sealed", LABEL, _of_tenant),)  # for whoever must move it to fresh keys


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a tenant: its own policy as it was written, if it has one, and what is in force."""

    own: str | None
    in_force: Policy
    set_at: int | None


@lru_cache(maxsize=256)
def _opened(policies: TenantPolicies, tenant: str, sealed: bytes) -> tuple[str, Policy]:
    return policies.opened(tenant, sealed)


def _forget_opened() -> None:
    """Nothing of a policy that was replaced or removed stays in the memory of this process."""
    _opened.cache_clear()
    forget_policies()


class TenantPolicies:
    """Policies by tenant over the floor of the installation."""

    def __init__(
        self,
        database: Database,
        fields: PersonalFields,
        recorder: Recorder,
        clock: Clock,
        *,
        floor: Policy,
        fence: TenantFence,
        may_keep: bool = False,
        require_usable: Callable[[Policy], object] = lambda _: None,
    ) -> None:
        """`may_keep`: tenants may keep what the floor takes out. `require_usable` raises for a policy that the
        gateway's detector cannot carry out, or whose detectors cannot be loaded."""
        self._database, self._fields, self._recorder, self._clock = database, fields, recorder, clock
        self.floor, self.may_keep = floor, may_keep
        self._fence, self._require_usable = fence, require_usable
        self._dropped_at = clock.now()

    def of(self, tenant: str) -> Policy:
        """The policy in force. Raises IntegrityError for one that was changed in the database, Gone after an erasure:
        then nothing may be sent."""
        self._drop_old()
        rows = self._database.rows(_ROW, {"of": tenant}) if tenant else []
        return _opened(self, tenant, bytes(rows[0][0]))[1] if rows else self.floor

    def standing(self, tenant: str) -> Standing:
        """What holds for a tenant, and its own words. Raises as `of`."""
        self._drop_old()
        rows = self._database.rows(_ROW, {"of": tenant})
        if not rows:
            return Standing(None, self.floor, None)
        text, policy = _opened(self, tenant, bytes(rows[0][0]))
        return Standing(text, policy, int(rows[0][2]))

    def set(self, tenant: str, text: str, *, actor: str, request: str) -> Standing:
        """Put a policy in force for a tenant.

        Raises Invalid (`policy-incomplete`, `policy-invalid`, `policy-needs-model`), Denied (`policy-too-weak`) naming
        the first kind that the installation takes out and it does not, Conflict (`detector-name-taken`), Unavailable
        (`detector-down`), Gone and Conflict (`closing`) for a tenant that is erased.
        """
        policy = parse_policy(text, most_nodes=_MOST_NODES)
        self._require_strict(policy)
        try:
            self._require_usable(combined(policy, self.floor, may_keep=self.may_keep))
        except ValueError as error:
            raise Conflict("A detector has the name of one of the installation; choose another.",
                           code="detector-name-taken") from error  # fmt: skip
        row = {
            "tenant": tenant,
            "sealed": self._fields.seal(tenant, SUBJECT, LABEL, text.encode()),
            "digest": policy.digest(),
            "set_at": epoch_ms(self._clock.now()),
        }
        with self._database.write() as connection:
            self._fence(connection, tenant)  # or a request in flight puts back what the tenant's erasure dropped
            connection.execute(delete(policies).where(policies.c.tenant == tenant))
            connection.execute(insert(policies), row)
            facts: dict[str, Fact] = {"policy": policy.name, "version": policy.version, "digest": policy.digest()}
            self._record(connection, tenant, actor, request, facts)
        _forget_opened()
        return self.standing(tenant)

    def clear(self, tenant: str, *, actor: str, request: str) -> Standing:
        """Let the installation's policy hold again. Raises NotFound when the tenant has none of its own."""
        with self._database.write() as connection:
            if not connection.execute(delete(policies).where(policies.c.tenant == tenant)).rowcount:
                raise NotFound("Your tenant has no policy of its own; the policy of this service holds.",
                               code="no-own-policy")  # fmt: skip
            self._record(connection, tenant, actor, request, {"policy": self.floor.name, "version": self.floor.version})
        _forget_opened()
        return self.standing(tenant)

    def _drop_old(self) -> None:
        """Another process may have erased a tenant: what was opened of it goes from this one's memory too."""
        now = self._clock.now()
        if abs(now - self._dropped_at) >= _OPENED_FOR:
            self._dropped_at = now
            _forget_opened()

    def _require_strict(self, policy: Policy) -> None:
        if self.may_keep:
            return
        for kind in weaker(policy, self.floor):
            raise Denied(
                f"This service takes out values of the kind {kind}, and the policy keeps them; take them out, or "
                "ask the operator.",
                code="policy-too-weak",
                field=kind,
            )
        if policy.allow:
            raise Denied("This service does not let tenants keep an allow-list; remove it, or ask the operator.",
                         code="policy-too-weak", field="allow")  # fmt: skip

    def opened(self, tenant: str, sealed: bytes) -> tuple[str, Policy]:
        """(own words, policy in force) of what is stored. Raises as `of`."""
        text = self._fields.open(tenant, SUBJECT, LABEL, sealed).decode()
        return text, combined(_with_new(text, self.floor), self.floor, may_keep=self.may_keep)

    def _record(self, connection: SqlConnection, tenant: str, actor: str, request: str, facts: dict[str, Fact]) -> None:
        entry = Entry(
            log=tenant, operation="redaction.policy", phase="event", outcome=Outcome.DONE, request=request, actor=actor,
            tenant=tenant, time=epoch_ms(self._clock.now()), facts=facts,
        )  # fmt: skip
        self._recorder.record_within(connection, entry)


def _with_new(text: str, floor: Policy) -> Policy:
    """A stored policy, complete again when a newer release has categories that it could not know."""
    try:
        return parse_policy(text)
    except Invalid:
        raw = strict_yaml.load(text, _LIMITS, what="policy")
        for name, decision in floor.decisions.items():
            keep = {"keep": decision.reason} if decision.reason else decision.action.value
            raw["decisions"].setdefault(name, keep)
        return parse_policy(yaml.safe_dump(raw, allow_unicode=True))


def policy_holder(database: Database) -> TenantRows:
    """What drops a tenant's policy with the tenant, here and in the memory of this process."""
    return TenantRows("redaction", database, policies, kind=LABEL, dropped=_forget_opened)
