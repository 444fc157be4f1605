"""Revoking and sealing: from live effect to proof that no copy opens (docs/explanation/key-tree.md).

Order of a seal: new pages in the database and every domain, read back and decrypted; new roots in every domain and
the manifest that they seal; one transaction that puts the new epoch in force; then the old roots are destroyed and
that is confirmed. Every step can be repeated; what a crash leaves is finished by `end_others` at the next start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from troth.kernel.errors import Invalid, Unavailable
from troth.keys import pages
from troth.keys.btree import covers, erase, merged, prefix_range, rekey
from troth.keys.epochs import Epoch
from troth.keys.extent import Extent
from troth.keys.leaf import Leaf, Range, lost
from troth.keys.lifecycle import Reason, State
from troth.keys.manifest import Manifest, decode
from troth.keys.pages import Branch, Ref
from troth.keys.reading import Change
from troth.keys.root_rows import Retired
from troth.keys.scope_rows import WHOLE, not_revoked
from troth.keys.shares import FreshRoot
from troth.keys.state import TreeState
from troth.keys.store import PageWrite
from troth.keys.units import Destruction, Owner, Revocation, Scope, address, subject_place, tenant_place

_REMOVED_AT_ONCE = 64  # old copies; a large batch leaves them, which are noise by now, to the next sweep


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new epoch is for: what it seals, what becomes of the old roots, whether every page gets a fresh key."""

    extent: Extent = field(default_factory=Extent)
    retired: Retired = field(default_factory=Retired)
    every_page: bool = False


class Sealing:
    """Destroys scopes of a tree, and moves the tree from epoch to epoch."""

    def __init__(self, state: TreeState) -> None:
        self._state = state

    def begin(self) -> None:
        """Open the tree, or make an empty one when there is none. Raises `IntegrityError` when roots are strangers."""
        state = self._state
        with state.lock:
            state.epochs.require_logged(state.logged())
            if state.store.manifest() is not None:
                state.reader.load(state.epochs.current().root)
                return
            state.epochs.require_known()
            change = Change(state.reader, state.store.jurisdiction)
            fresh = state.epochs.fresh_root()
            change.draft.add(Leaf(), fresh.ref)
            self._publish(None, change, fresh, Plan())

    def revoke(self, scopes: Sequence[Scope]) -> list[Revocation]:
        """Live effect: nothing in the scopes opens in this process any more, nor elsewhere after a short lease.

        Raises `NotFound` for a unit that never was, `Invalid` for an empty scope, `Conflict` (code `key-on-hold`).
        """
        state = self._state
        at, extent = state.epochs.now(), Extent.of(scopes)
        with state.lock:
            with state.store.write() as connection:
                rows = state.rows.by_ids(connection, extent.units)
                state.suspensions.overtake(connection, extent.places(rows))
                if counts := state.rows.revoke(connection, rows, at):
                    state.scopes.count(connection, {owner: -count for owner, count in counts.items()}, at)
                if extent.owners:
                    state.scopes.revoke(connection, extent.owners, at)
                state.store.bump(connection)
                state.transitions.moved(connection, State.SUSPENDED, Reason.ERASURE, at, extent.facts())
            state.forget()
        return [Revocation(scope, at) for scope in scopes]

    def seal(self, revocations: Sequence[Revocation]) -> Destruction:
        """Make revocations final in every copy. Idempotent: what was sealed before is only confirmed.

        Raises `Conflict` when a scope was not revoked, `Unavailable` when a domain does not do its part: the live
        effect stays, nothing counts as destroyed, and the same call finishes it later.
        """
        if not revocations:
            raise Invalid("Name at least one revocation to seal.", code="nothing-to-seal")
        extent = Extent.of([one.scope for one in revocations])
        with self._state.lock, self._state.epochs.attendance.required():
            self._state.settled(lambda: self._advance(extent))
            self._state.settled(self._state.epochs.end_others)
            return self._destruction(extent)

    def rotate(self, plan: Plan | None = None) -> Destruction:
        """A new root page key and new epoch roots; below the root page nothing is rewritten unless `plan` says so."""
        state, plan = self._state, plan or Plan()
        with state.lock, state.epochs.attendance.required():
            before = state.settled(lambda: state.epochs.current().manifest)
            state.settled(lambda: self._rotate(before.epoch, plan))
            state.settled(state.epochs.end_others)
            return self._between(before.epoch, before.epoch + 1, 0)

    def _rotate(self, epoch: int, plan: Plan) -> None:
        if self._state.epochs.current().manifest.epoch == epoch:
            self._replace(plan, ())

    def _advance(self, extent: Extent) -> None:
        state = self._state
        with state.store.read() as connection:
            pending = [owner for owner, epoch in self._owners_sealed(connection, extent).items() if epoch is None]
            prefixes = [subject_place(*owner) if owner[1] else tenant_place(owner[0]) for owner in pending]
            if None in state.rows.sealed_epochs(connection, extent.units):
                rows = state.rows.by_ids(connection, extent.units)
                prefixes += [address(row.tenant, row.subject, row.id) for row in rows]
        if prefixes:
            self._replace(Plan(extent), merged(prefix_range(prefix) for prefix in prefixes))

    def _owners_sealed(self, connection: Connection, extent: Extent) -> dict[Owner, int | None]:
        rows = self._state.scopes.of(connection, extent.owners)
        if any(owner not in rows for owner in extent.owners):
            raise not_revoked()
        return {owner: rows[owner].sealed() for owner in extent.owners}

    def _replace(self, plan: Plan, ranges: Sequence[Range]) -> None:
        now = self._state.epochs.current()
        change = Change(self._state.reader, self._state.store.jurisdiction)
        fresh = self._state.epochs.fresh_root()
        if plan.every_page:
            rekey(change.draft, now.root, fresh.ref)
        else:
            erase(change.draft, now.root, ranges, fresh.ref)
        _require_survivors(change, ranges)
        self._publish(now, change, fresh, plan)

    def _publish(self, now: Epoch | None, change: Change, root: FreshRoot, plan: Plan) -> None:
        """Put a change in force as a new epoch."""
        state, extent = self._state, plan.extent
        previous = now.manifest if now else None
        writes = state.stored(change, previous.epoch + 1 if previous else 1)
        with state.store.write() as connection:
            state.store.write_pages(connection, writes.values())
        self._confirm(change, writes)
        manifest = state.epochs.prepare(previous, root, _digest(writes))
        state.epochs.check(manifest, root)
        state.copies.put_manifest(manifest.epoch, manifest.encoded())
        with state.store.write(previous.epoch if previous else None) as connection:
            if previous is None:
                state.store.begin(connection)
            state.store.drop_pages(connection, change.dropped())
            state.epochs.commit(connection, manifest, plan.retired)
            if extent.owners:
                state.scopes.seal(connection, extent.owners, manifest.epoch, manifest.created)
            state.rows.seal(connection, extent.units, manifest.epoch, manifest.created)
            if extent != Extent():
                facts = extent.facts() | {"epoch": manifest.epoch}
                state.transitions.moved(connection, State.DESTROYED, Reason.ERASURE, manifest.created, facts)
        state.forget()
        if len(replaced := change.replaced()) <= _REMOVED_AT_ONCE:
            state.copies.remove(replaced)

    def _confirm(self, change: Change, writes: Mapping[Ref, PageWrite]) -> None:
        """Raises `Unavailable` unless each page opens to what it should be, and database and domains give it back."""
        state = self._state
        state.copies.confirm(write.stored for write in writes.values())
        rows = {stored.page: content for stored, content in state.store.pages_of([ref.page for ref in writes])}
        for ref, write in writes.items():
            right = pages.open_sealed(ref, state.store.jurisdiction, write.content)[1] == change.page(ref)
            if rows.get(write.stored.page) != write.content or not right:
                raise Unavailable("A new page was not kept; nothing was destroyed.", code="key-copy-lost")

    def _destruction(self, extent: Extent) -> Destruction:
        scopes = self._state.scopes
        with self._state.store.read() as connection:
            sealed = [*self._owners_sealed(connection, extent).values()]
            sealed += self._state.rows.sealed_epochs(connection, extent.units)
            people = scopes.of(connection, extent.owners)
            units = len(extent.units) + sum(row.units for row in people.values())
            units += sum(scopes.units(connection, tenant) for tenant, subject in extent.owners if subject == WHOLE)
        epochs = [epoch for epoch in sealed if epoch is not None]
        if not epochs:
            raise not_revoked()
        return self._between(min(epochs) - 1, max(epochs), units)

    def _between(self, before: int, after: int, units: int) -> Destruction:
        roots = self._state.epochs.destructions(before, after - 1)
        lost = tuple(sorted(self._state.epochs.excuse()))
        digests = self._manifest(before).digest, self._manifest(after).digest
        return Destruction(units, before, after, *digests, roots, lost)

    def _manifest(self, epoch: int) -> Manifest:
        return decode(self._state.store.manifest(epoch) or b"")


def _require_survivors(change: Change, ranges: Sequence[Range]) -> None:
    """A second look at a change, apart from the code that made it: it may drop nothing outside `ranges`.

    Raises `Unavailable`: nothing was written yet.
    """
    draft = change.draft
    runs: dict[bytes, list[bytes]] = {}
    children: set[Ref] = set()
    for page in draft.fresh.values():
        if isinstance(page, Leaf):
            for subject, units in page.runs.items():
                runs.setdefault(subject, []).append(units)
        else:
            children.update(page.children)
    for ref in draft.retired & change.seen.keys():
        page = change.seen[ref].page
        if isinstance(page, Leaf):
            astray = not all(covers(ranges, at) for at in lost(page, runs))
        else:
            astray = any(not _accounted(change, page, at, ranges, children) for at in range(len(page.children)))
        if astray:
            raise Unavailable("The new tree would lose keys; nothing was done.", code="key-survivors")


def _accounted(change: Change, page: Branch, at: int, ranges: Sequence[Range], children: set[Ref]) -> bool:
    child = page.children[at]
    if child not in change.draft.retired:
        return child in children
    return child in change.seen or covers(ranges, page.bounds[at])


def _digest(writes: Mapping[Ref, PageWrite]) -> str:
    """SHA-256 over the ids and digests of the pages that an epoch re-keyed, hex."""
    lines = sorted(f"{one.stored.page} {one.stored.digest}\n" for one in writes.values())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
