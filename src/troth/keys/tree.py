"""The forgetting key tree: a key per unit of personal data, each of which can be destroyed in every copy at once.

Units belong to a tenant and a subject, and to a class and period or to a single object. Their secrets lie in a tree of
encrypted pages; each page's key lies in its parent; the root page's key is sealed by an epoch root in each key domain.
Destroying re-keys the path and destroys the epoch root: every older page, in any backup, becomes noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from troth.kernel.clock import Clock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, IntegrityError, Invalid, Unavailable
from troth.kernel.watch import Kind, watched
from troth.keys.adding import Adding
from troth.keys.domains import Domain
from troth.keys.inventory import Inventory, inventory
from troth.keys.lifecycle import Reason, State, Use
from troth.keys.retiring import Retiring
from troth.keys.root_rows import Retired
from troth.keys.sealing import Plan, Sealing
from troth.keys.standing import Standing, require_reason
from troth.keys.state import Options, TreeState
from troth.keys.unit_rows import UnitRow, unknown
from troth.keys.units import Destruction, Revocation, RootDestroyed, Scope, UnitKey, UnitRequest
from troth.keys.upkeep import Upkeep
from troth.storage.database import Database

_SHARES = 2
__all__ = [
    "Destruction",
    "Domain",
    "KeyTree",
    "Options",
    "Reason",
    "Revocation",
    "RootDestroyed",
    "Scope",
    "UnitKey",
    "UnitRequest",
    "Use",
]


class KeyTree:
    """One jurisdiction's keys. Call `resume` once at start-up, before anything else. Safe for threads and processes."""

    def __init__(
        self,
        database: Database,
        domains: Sequence[Domain],
        clock: Clock,
        *,
        jurisdiction: str = "eu",
        options: Options | None = None,
    ) -> None:
        if not domains or len({one.name for one in domains}) != len(domains):
            raise Invalid("A key tree needs key domains with different names.", code="key-domains")
        if options and options.split and len(domains) < _SHARES:
            raise Invalid("A root can be split over two key domains or more; set another one.", code="key-domains")
        self._state = TreeState(database, domains, clock, jurisdiction, options or Options())
        self._adding = Adding(self._state)
        self._sealing = Sealing(self._state)
        self._upkeep = Upkeep(self._state)
        self._standing = Standing(self._state)
        self._retiring = Retiring(self._state, self._sealing)

    def resume(self) -> bool:
        """Open the tree (or make it), finish what a crash left, sweep. True when nothing waits for a key domain.

        One domain that opens the tree is enough, unless its root is split; `finish` does the rest when the others are
        back. Raises `IntegrityError` when database, key domains and audit log do not fit together (rolled back,
        tampered, mixed up), with an alarm entry in the log; `Unavailable` when no domain answers, or one answers as
        another. Nothing is destroyed then.
        """
        return self._watched(self._resumed)

    def finish(self) -> bool:
        """Confirm what waits for key domains that were away, as `resume` would; True when nothing waits. For a job.

        Raises as `resume`; after `unknown-root` this process opens nothing more, as a start would be refused.
        """
        with self._state.lock:
            return not self._state.epochs.waits() or self._watched(self._settled)

    @property
    def absent(self) -> dict[str, str]:
        """Key domains that did not answer when they were last asked, with the code of their refusal."""
        return dict(self._state.epochs.attendance.away)

    def _watched(self, act: Callable[[], bool]) -> bool:
        try:
            return act()
        except IntegrityError as alarm:
            self._state.transitions.alarm(alarm.code, self._state.epochs.now())
            if alarm.code == "unknown-root":
                self._state.epochs.close(alarm)
                self._state.forget()
            raise

    def _resumed(self) -> bool:
        self._state.settled(self._sealing.begin)
        if self._state.epochs.current().manifest.split != self._state.epochs.split:
            self.rotate()  # the setting was changed: it holds from now on
        return self._settled()

    def _settled(self) -> bool:
        try:
            self._state.settled(self._state.epochs.end_others)
        except Unavailable as error:
            if error.code != "seal-pending":
                raise
            return False
        self._state.settled(self._upkeep.sweep)
        return True

    def unit(self, tenant: str, subject: str, data_class: DataClass, period: str) -> UnitKey:
        """The unit of a class and period, made when it is not there; durable on return.

        Raises `Gone` for an erased subject or tenant, `Unavailable` when it cannot be made durable.
        """
        self._state.refresh()
        request = UnitRequest(tenant, subject, data_class, period)
        stamp = self._state.by_name.stamp
        found = self._state.by_name.get(request.name or "")
        if found is None:
            (found,) = self.units([request])
            self._state.by_name.put(request.name or "", found, stamp)
        return found

    def remembers(self, tenant: str, subject: str, data_class: DataClass, period: str) -> bool:
        """True when `unit` would answer from memory now."""
        name = UnitRequest(tenant, subject, data_class, period).name
        return self._state.fresh and self._state.by_name.get(name or "") is not None

    def own_unit(self, tenant: str, subject: str, data_class: DataClass) -> UnitKey:
        """A fresh unit for a single object; durable on return. Raises as `unit`."""
        return self.units([UnitRequest(tenant, subject, data_class, None)])[0]

    def units(self, requests: Sequence[UnitRequest]) -> list[UnitKey]:
        """Many at once, in one write: a key per request, all or none. Raises as `unit`."""
        with watched(self._state.watch, Kind.KEY, "make"):
            return self._adding.units(requests)

    def key(self, unit_id: bytes, use: Use = Use.PRODUCT) -> UnitKey:
        """The key of a unit, for `use` (`Use.PRIVACY` opens what is suspended: for rights and evidence only).

        Raises `Gone` (destroyed), `NotFound` (never was), `Conflict` (`key-suspended`, `key-compromised`),
        `Unavailable` (no root can be used), `IntegrityError` (pages or tables were changed or rolled back).
        """
        state = self._state
        state.refresh()
        stamp = state.by_id.stamp
        found = state.by_id.get(unit_id) if use is Use.PRODUCT else None
        if found is None:
            with watched(state.watch, Kind.KEY, "open"), state.store.read() as connection:
                row = state.rows.by_id(connection, unit_id)
            if row is None:
                raise unknown()
            row.require(use)
            found = state.unit_key(row)
            if use is Use.PRODUCT:
                state.by_id.put(unit_id, found, stamp)
        return found

    def suspend(self, scope: Scope, reason: str = Reason.RESTRICTION) -> None:
        """Nothing in the scope opens for the product, or is protected, until it is resumed. Idempotent.

        `reason` is a token: `restriction` (GDPR article 18), `legal-hold` (nothing under it can be erased), or another.
        Several may stand at once. The account unit of a person stays usable, so that they can exercise their rights.
        Raises `Gone` for an erased scope, `NotFound`, `Invalid`.
        """
        self._standing.suspend(scope, reason)

    def resume_use(self, scope: Scope, reason: str = Reason.RESTRICTION) -> None:
        """End the suspension of this very scope for that reason; others go on. Idempotent. Raises `NotFound`."""
        self._standing.resume(scope, reason)

    def rotate_units(self, scope: Scope) -> None:
        """From now on each shared unit in the scope protects nothing new: the next `unit` call makes a next generation.

        What is sealed already goes on opening, and nothing is rewritten. Raises `Gone`, `NotFound`, `Invalid`.
        """
        self._standing.rotate(scope)

    def revoke(self, scope: Scope) -> Revocation:
        """Live effect at once: nothing in the scope opens any more. Idempotent.

        Raises `NotFound`, `Invalid`, `Conflict` (code `key-on-hold`) for what a legal hold covers.
        """
        return self._sealing.revoke([scope])[0]

    def revoke_all(self, scopes: Sequence[Scope]) -> list[Revocation]:
        """Many scopes in one transaction."""
        return self._sealing.revoke(scopes)

    def seal(self, revocations: Sequence[Revocation]) -> Destruction:
        """Make revocations final in every copy and prove it. Idempotent.

        Raises `Unavailable` while a domain does not confirm (the live effect stays; call again), `Conflict` when a
        scope was not revoked.
        """
        return self._sealing.seal(revocations)

    def destroy_units(self, units: Sequence[bytes]) -> Destruction:
        """Revoke and seal single units. Raises `NotFound` when one never was."""
        return self.seal([self.revoke(Scope.of_units(units))])

    def destroy_subject(self, tenant: str, subject: str) -> Destruction:
        """Revoke and seal everything of a person; the cost does not depend on how much there is."""
        return self.seal([self.revoke(Scope.of_subject(tenant, subject))])

    def destroy_tenant(self, tenant: str) -> Destruction:
        """Revoke and seal everything of a tenant."""
        return self.seal([self.revoke(Scope.of_tenant(tenant))])

    def rotate(self) -> Destruction:
        """New epoch roots and a new root page key; nothing else is rewritten and every key stays."""
        return self._sealing.rotate()

    def rotate_due(self) -> bool:
        """Rotate the roots when their cryptoperiod is over; True when it did. For a job that runs every day."""
        manifest = self._state.epochs.current().manifest
        due = self._state.epochs.now() - manifest.created >= self._state.periods.root_ms
        if due:
            self.rotate()
        return due

    @property
    def epoch(self) -> int:
        """The number of the epoch in force. Raises `Unavailable`, `IntegrityError`."""
        return self._state.epochs.current().manifest.epoch

    @property
    def rotation_due(self) -> int:
        """When the period of the roots in force is over (epoch ms). Raises `Unavailable`, `IntegrityError`."""
        return self._state.epochs.current().manifest.created + self._state.periods.root_ms

    def inventory(self) -> Inventory:
        """What keys there are: states, times and numbers. Raises `Unavailable`, `IntegrityError`."""
        return inventory(self._state)

    def units_in(self, scope: Scope) -> list[UnitRow]:
        """The units of a scope that are not erased. Raises `NotFound`, `Invalid`."""
        return self._standing.within(scope)

    def mark_compromised(self, units: Sequence[bytes], reason: str) -> None:
        """From now on these units open for `Use.REENCRYPTION` only; destroying them ends as destroyed-compromised.

        `reason` is a token. Idempotent. Raises `NotFound`, `Gone`, `Invalid`.
        """
        self._standing.compromise(units, reason)

    def successor(self, unit: bytes) -> UnitKey:
        """A fresh unit in the place of a compromised one: same owner, class and period; durable on return.

        It is made also while its owner is suspended, and is then as suspended as they are. One that is found by its
        period is the same at every call. Raises `NotFound`, `Gone`, `Conflict` (`key-state`) for one that is sound.
        """
        with self._state.store.read() as connection:
            (row,) = self._state.rows.by_ids(connection, [unit])
        row.require(Use.REENCRYPTION)
        if row.state is not State.COMPROMISED:
            raise Conflict("Only a compromised key has a successor; rotate the others.", code="key-state")
        request = UnitRequest(row.tenant, row.subject, DataClass(row.data_class), row.period or None, succeeds=True)
        return self.units([request])[0]

    def lock_protecting(self, connection: Connection, unit: bytes) -> None:
        """Call it in the transaction that keeps what was sealed under this unit: no compromise is marked until then.

        Raises `Conflict` (`key-compromised`) when one was marked since: what was sealed must not be kept.
        """
        self._state.rows.lock_protecting(connection, unit)

    def replace_compromised_roots(self, reason: str) -> Destruction:
        """Fresh roots and a fresh key for every page; the old roots end as destroyed-compromised.

        The cost grows with the tree (10^6 units: some 6,000 pages). Raises `Invalid`, `Unavailable`.
        """
        require_reason(reason)
        return self._sealing.rotate(Plan(retired=Retired(State.COMPROMISED, reason), every_page=True))

    def replicate(self) -> Destruction:
        """Bring a domain that is new, or lost its store, up to date: all pages copied, then a rotation."""
        self._state.settled(self._upkeep.replicate)
        return self.rotate()

    def retire(self, domain: str, *, lost: bool = False) -> Destruction:
        """Give a key domain up: from now on the tree stands without it, and its roots are destroyed and confirmed.

        `lost` states that it cannot be asked any more: nothing waits for it then, and every certificate names it until
        it was found and its roots were destroyed. Raises `NotFound`, `Conflict`, `Unavailable`.
        """
        return self._retiring.retire(domain, lost=lost)

    def sweep(self) -> int:
        """Delete pages and copies that nothing leads to; how many."""
        return self._state.settled(self._upkeep.sweep)

    def verify(self) -> int:
        """Open every page in the database and every domain; how many unit keys. Raises at the first that fails."""
        return self._state.settled(self._upkeep.verify)
