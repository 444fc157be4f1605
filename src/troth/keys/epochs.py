"""Epochs of a key tree: the roots that seal it, moving to new ones, and destroying the old ones with proof.

A root is recorded before it is made and taken into use in the same transaction as its manifest. So every root in a
domain is known, a process that dies leaves nothing in use, and a root that nobody recorded means that the database is
older than the domain: that is refused aloud, and nothing is destroyed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.epoch_log import LoggedEpoch
from troth.kernel.errors import Gone, IntegrityError, TrothError, Unavailable
from troth.keys import manifest as manifests
from troth.keys.absence import Attendance, pending
from troth.keys.domains import Domain
from troth.keys.lifecycle import Reason, State
from troth.keys.manifest import CANARY_BYTES, DomainSeal, Manifest
from troth.keys.pages import Ref
from troth.keys.root_rows import Retired, RootRow, RootRows
from troth.keys.shares import FreshRoot, joined
from troth.keys.store import KeyStore
from troth.keys.transitions import Transitions
from troth.keys.units import RootDestroyed
from troth.keys.unsealing import purpose, unsealed

_CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Epoch:
    """The tree as it stands: its manifest and the root page."""

    manifest: Manifest
    root: Ref


class Epochs:
    """Knows the current epoch; prepares, confirms and ends epochs."""

    def __init__(
        self, store: KeyStore, domains: Sequence[Domain], clock: Clock, transitions: Transitions, *, split: bool = False
    ) -> None:
        self._store = store
        self.domains = domains
        self._clock = clock
        self._transitions = transitions
        self.attendance = Attendance(domains, store.jurisdiction)
        self.split = split
        self.rows = RootRows(store.jurisdiction)
        self._lock = threading.Lock()
        self._current: Epoch | None = None
        self._fault: IntegrityError | None = None

    def now(self) -> int:
        """The time in epoch milliseconds."""
        return epoch_ms(self._clock.now())

    def forget(self) -> None:
        """Drop the root page key; the next use reads the manifest again."""
        with self._lock:
            self._current = None

    def current(self) -> Epoch:
        """The epoch in force. Raises `Unavailable` (no domain answers, not started), `IntegrityError` (rolled back)."""
        with self._lock:
            if self._fault is not None:
                raise self._fault
            if self._current is None:
                self._current = self._opened()
            return self._current

    def close(self, fault: IntegrityError) -> None:
        """Open nothing more in this process: `fault` was found when a domain came back, and a start would refuse it."""
        with self._lock:
            self._current, self._fault = None, fault

    def fresh_root(self) -> FreshRoot:
        """The id, key and parts of a new root page."""
        return FreshRoot.draw([domain.name for domain in self.serving()], split=self.split)

    def serving(self) -> list[Domain]:
        """The domains of the settings that were not given up."""
        with self._store.read() as connection:
            given_up = self.rows.given_up(connection)
        return [one for one in self.domains if one.name not in given_up]

    def excuse(self) -> set[str]:
        """Domains with roots that are lost: whoever needs all does not wait for them."""
        with self._store.read() as connection:
            given_up = self.rows.given_up(connection)
        self.attendance.excused = {name for name, lost in given_up.items() if lost}
        return self.attendance.excused

    def prepare(self, previous: Manifest | None, root: FreshRoot, pages: str) -> Manifest:
        """Fresh roots in every domain, and the manifest that seals `root` under them; nothing is in force yet."""
        epoch = previous.epoch + 1 if previous else 1
        jurisdiction, at = self._store.jurisdiction, self.now()
        domains = [one for one in self.domains if one.name in root.parts]
        names = {domain.name: f"{jurisdiction}-{epoch:08d}-{os.urandom(8).hex()}" for domain in domains}
        rows = [RootRow(one.name, names[one.name], epoch, one.root.assurance, State.PRE_ACTIVATION) for one in domains]
        with self._store.write(previous.epoch if previous else None) as connection:
            self.rows.register(connection, rows, at)
            self._moved(connection, State.PRE_ACTIVATION, Reason.EPOCH, len(rows), epoch)
        digest = previous.digest if previous else ""
        draft = Manifest(jurisdiction, epoch, digest, root.ref.page.hex(), pages, at, (), root.split)
        return replace(
            draft,
            domains=tuple(self._sealed(draft, one, names[one.name], root.parts[one.name]) for one in domains),
        )

    def check(self, manifest: Manifest, root: FreshRoot) -> None:
        """Raises `Unavailable` unless every domain gives its part back from the manifest, and they make the key."""
        found = {
            domain.name: domain.root.open(seal.root, seal.key, manifest.aad(purpose(manifest), domain.name))
            for domain in self.domains
            for seal in manifest.domains
            if seal.domain == domain.name
        }
        whole = joined(found, root.ref.page) if root.split else root.ref.key
        if found != dict(root.parts) or whole != root.ref.key:
            raise Unavailable("A key domain does not keep its root; nothing was destroyed.", code="root-lost")

    def commit(self, connection: Connection, manifest: Manifest, retired: Retired) -> None:
        """Put a prepared epoch in force, in the caller's transaction, with its entry in the log.

        Raises `Conflict` when it was given up, `Unavailable` when it cannot be recorded.
        """
        at = self.now()
        out = self.rows.activate(connection, manifest, at, retired)
        self._store.add_manifest(connection, manifest.epoch, manifest.digest, manifest.encoded())
        self._store.bump(connection, manifest.epoch)
        self._moved(connection, State.ACTIVE, Reason.EPOCH, len(manifest.domains), manifest.epoch)
        if out:
            self._moved(connection, retired.state, retired.reason, out, manifest.epoch - 1)
        self._transitions.epoch(connection, manifest.epoch, manifest.digest, at)

    def require_logged(self, logged: LoggedEpoch | None) -> None:
        """Compare with the newest epoch in the audit log.

        Raises `IntegrityError` (code `key-epoch-log`) when the log is ahead, or has another manifest of that epoch.
        """
        if logged is None:
            return
        body, here = self._store.manifest(), self._store.manifest(logged.epoch)
        current = manifests.decode(body).epoch if body else 0
        # A restored database may lack manifests between its own and today's: then only the number is compared.
        if logged.epoch > current or (here is not None and manifests.decode(here).digest != logged.digest):
            raise IntegrityError(
                "The audit log knows a newer epoch of the key tree: key tables or roots were rolled back. Nothing was "
                "destroyed; restore the newest ones.",
                code="key-epoch-log",
            )

    def waits(self) -> bool:
        """True when a domain is away, or a root that went out of use is not confirmed to be destroyed."""
        with self._store.read() as connection:
            states = {row.state for row in self.rows.unfinished(connection) if not self._out_of_reach(row)}
        return self.attendance.missing or bool(states - {State.ACTIVE, State.PRE_ACTIVATION})

    def end_others(self) -> None:
        """Destroy every root but those in force, and confirm it. Idempotent; what is away is left for a later call.

        Raises `Unavailable` (code `seal-pending`) when a domain is away or could not confirm: call again. Raises
        `IntegrityError` when a domain holds a root that was never recorded (`unknown-root`) or was destroyed before
        (`root-returned`), or when the epoch in force does not open.
        """
        self.forget()
        manifest = self.current().manifest  # never destroy anything before today's root proves usable
        epoch, in_force = manifest.epoch, {one.root for one in manifest.domains}
        self.excuse()
        present = self.attendance.present()
        with self._store.read() as connection:
            self._require_known(connection, present)
            returned = self._returned(connection, present)
            waiting = [row for row in self.rows.unfinished(connection) if row.state is not State.ACTIVE]
        if returned:  # another process may have destroyed them since they were listed: what came back is still there
            present = self.attendance.present()
            returned = [(domain, root) for domain, root in returned if root in present.get(domain.name, ())]
        if any(
            row.state is State.PRE_ACTIVATION for row in waiting
        ):  # withdrawn under the lock: it may be in the making
            with self._store.write(epoch) as connection:
                waiting = self.rows.give_up(connection, self.now())
                self._moved(connection, State.SUSPENDED, Reason.ABANDONED, len(waiting), epoch)
        away = self.attendance.away
        due = [row for row in waiting if row.root not in in_force and row.domain not in away]
        failure = self._end([row for row in due if not self._out_of_reach(row)])
        for domain, root in returned:
            domain.root.destroy(root)
        if returned:
            raise IntegrityError(
                "A destroyed root had come back, as from a snapshot of the key domain. It was destroyed again: find "
                "the snapshot, and treat what was erased since as not erased until it is gone.",
                code="root-returned",
            )
        if failure is not None or self.attendance.missing:
            raise pending() from failure

    def _end(self, waiting: Sequence[RootRow]) -> TrothError | None:
        """Ends what can be ended; the last refusal."""
        ended: list[tuple[RootRow, str]] = []
        failure: TrothError | None = None
        for row in waiting:
            try:
                ended.append((row, self._ended(row)))
            except TrothError as error:
                failure = error
        if ended:
            with self._store.write() as connection:
                for row, evidence in ended:
                    self.rows.destroyed(connection, row, self.now(), evidence)
                self._moved(connection, State.DESTROYED, Reason.REPLACED, len(ended), max(r.epoch for r, _ in ended))
        return failure

    def require_known(self) -> None:
        """Raises `IntegrityError` (code `unknown-root`) when a domain holds a root that was never recorded."""
        present = self.attendance.present()
        for domain in self.domains:
            if domain.name not in present:  # a new tree needs all; the domain's own refusal says what to do
                domain.root.present()
        with self._store.read() as connection:
            self._require_known(connection, present)

    def destructions(self, first: int, last: int) -> tuple[RootDestroyed, ...]:
        """Confirmed destructions of the roots of epochs `first` to `last`. Raises `Unavailable` when one is missing.

        Roots of lost domains are not missing: the certificate names those domains.
        """
        lost = self.excuse()
        with self._store.read() as connection:
            if any(row.epoch <= last and row.domain not in lost for row in self.rows.unfinished(connection)):
                raise pending()
            return self.rows.destructions(connection, first, last)

    def _opened(self) -> Epoch:
        body = self._store.manifest()
        if body is None:
            raise Unavailable("The key tree was not started yet.", code="key-tree-absent")
        manifest = manifests.decode(body)
        if manifest.jurisdiction != self._store.jurisdiction:
            raise IntegrityError("The key tree's manifest belongs to another jurisdiction.", code="key-manifest")
        return Epoch(manifest, unsealed(manifest, [domain.root for domain in self.attendance.nearest()]))

    def _sealed(self, manifest: Manifest, domain: Domain, root: str, part: bytes) -> DomainSeal:
        domain.root.create(root)
        key = domain.root.seal(root, part, manifest.aad(purpose(manifest), domain.name))
        canary = domain.root.seal(root, os.urandom(CANARY_BYTES), manifest.aad(_CANARY, domain.name))
        return DomainSeal(domain.name, root, domain.root.assurance, key, canary)

    def _moved(self, connection: Connection, to: State, reason: str, roots: int, epoch: int) -> None:
        self._transitions.moved(connection, to, reason, self.now(), {"counts": {"root": roots}, "epoch": epoch})

    def _returned(self, connection: Connection, present: dict[str, set[str]]) -> list[tuple[Domain, str]]:
        found: list[tuple[Domain, str]] = []
        for domain in self.domains:
            known = self.rows.known(connection, domain.name)
            found += [(domain, root) for root in sorted(present.get(domain.name, ())) if known[root]]
        return found

    def _require_known(self, connection: Connection, present: dict[str, set[str]]) -> None:
        # `present` was listed first: a root is recorded before it is made, so a new one is never mistaken.
        if any(roots - self.rows.known(connection, name).keys() for name, roots in present.items()):
            raise IntegrityError(
                "A key domain holds a root that the database never saw: the database was rolled back or belongs to "
                "another installation. Restore the newest key tables.",
                code="unknown-root",
            )

    def _out_of_reach(self, row: RootRow) -> bool:
        """True for a lost root: nobody waits for it, but when its domain is there again it is destroyed."""
        excused, set_up = self.attendance.excused, {one.name for one in self.domains}
        return row.domain in excused and (row.domain in self.attendance.away or row.domain not in set_up)

    def _ended(self, row: RootRow) -> str:
        """Destroys a root and looks; the evidence. Raises when it is not certain."""
        domain = next((one for one in self.domains if one.name == row.domain), None)
        if domain is None:
            raise pending()
        done = domain.root.destroy(row.root)
        if row.root in domain.root.present():
            raise pending()
        return f"{done};lookup:absent;{self._refused(domain, row)}"

    def _refused(self, domain: Domain, row: RootRow) -> str:
        """What opening the canary of a destroyed root showed."""
        body = self._store.manifest(row.epoch)
        sealed = manifests.decode(body) if body else None
        seal = next((one for one in sealed.domains if one.root == row.root), None) if sealed else None
        if sealed is None or seal is None:
            return "canary:none"  # the root never came into force, so nothing was sealed under it that counts
        try:
            domain.root.open(seal.root, seal.canary, sealed.aad(_CANARY, domain.name))
        except Gone:
            return "canary:refused"
        raise pending()
