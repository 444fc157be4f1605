"""The steps of an erasure after its tombstone. Each can be done twice; each leaves its result in the ledger.

Keys first: what lies under a person or a tenant is destroyed in every copy before anybody forgets, at a cost that does
not depend on how much there is. When a key domain is away the others forget all the same. Everything that takes a row
in hand comes after that, some thousands at a time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import rfc8785
from sqlalchemy import and_

from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.vault import endings, ledger
from troth.vault.bundles import packed
from troth.vault.certificate import Listed, entry_facts, sign_certificate
from troth.vault.claims import certificate_of, commitment_of, keys_destroyed, keys_in
from troth.vault.destruction import Destroying
from troth.vault.disposal import Disposal
from troth.vault.erasure_forgetting import Forgetting
from troth.vault.erasure_tally import Tally
from troth.vault.ground import Ground
from troth.vault.ledger import DESTROY, Erasure
from troth.vault.probe import Probe
from troth.vault.residual import EMPTIED, SERVER
from troth.vault.tables import ERASED, Row, objects
from troth.vault.witnesses import Evidence, Witnesses

__all__ = ["Evidence", "Steps", "Witnesses"]
SERVICE = "svc_erasure"  # acts in the entry that the certificate shows, so that no person's id is in it
MANY = 20_000  # rows that an erasure takes in hand while its requester waits
REST = "destroy-rest"
Work = Callable[[Erasure], dict[str, Any] | None]


class Steps:
    """Runs the steps that an erasure still lacks, in order."""

    def __init__(self, ground: Ground, witnesses: Witnesses) -> None:
        self._ground = ground
        self._witnesses = witnesses
        self._disposal = Disposal(ground)
        self._destroying = Destroying(ground, self._disposal)
        self._forgetting = Forgetting(ground, witnesses.holders)
        self._probe = Probe(ground)

    def run(self, erasure: Erasure, *, at_most: int | None = None) -> None:
        """Do what is not done. `at_most`: with more rows than that, the keys only; somebody waits for an answer.

        Raises `Unavailable` (`erasure-goes-on`) then, when keys are destroyed and the rest is left to `resume`.
        """
        refusal = self._keys_first(erasure)
        if at_most is not None and self._larger(erasure, at_most):
            raise refusal or Unavailable(
                "There is much to forget. Nothing opens any more and the keys are destroyed; the certificate follows.",
                code="erasure-goes-on",
            )
        self._do(erasure, self._forgetting.plan(erasure))
        if refusal:
            raise refusal
        self._do(erasure, self._after())

    def run_together(self, erasures: Sequence[Erasure]) -> None:
        """Bring several erasures to where every key is destroyed, with one root, and one more for what was shared.

        What refuses is left out; their own steps then only confirm, each with its own proof.
        """
        self._settle([one for one in erasures if one.scope == ledger.OBJECT])
        ready = [one for one in erasures if self._result(one, DESTROY) is None]
        with suppress(Unavailable, Conflict):
            self._destroying.together([one for one in ready if self._settled(one)])
        self._settle([one for one in erasures if one.scope in ledger.WHOLE])
        with suppress(Unavailable, Conflict):
            self._destroying.rest_together([one for one in erasures if self._result(one, REST) is None])

    def holds_anything(self, tenant: str, subject: str) -> bool:
        """True when any holder keeps something of this person."""
        return any(holder.holdings(tenant, subject) for holder in self._witnesses.holders)

    def _keys_first(self, erasure: Erasure) -> Unavailable | Conflict | None:
        """Destroy what needs no holder to speak first; what refused that for now."""
        if erasure.scope != ledger.OBJECT:  # whose an object is, must be settled first
            try:
                self._do(erasure, [(DESTROY, self._destroy)])
            except (Unavailable, Conflict) as error:
                return error
        return None

    def _settle(self, erasures: Sequence[Erasure]) -> None:
        for erasure in erasures:
            with suppress(Unavailable, Conflict):
                self._do(erasure, self._forgetting.plan(erasure))

    def _settled(self, erasure: Erasure) -> bool:
        """False for an object whose owners could not be asked now."""
        return erasure.scope != ledger.OBJECT or self._result(erasure, "release") is not None

    def _larger(self, erasure: Erasure, most: int) -> bool:
        which = self._destroying.taken(erasure)
        if erasure.scope in ledger.WHOLE:
            which = endings.owned_by(erasure.tenant, erasure.subject)
        with self._ground.database.read() as connection:
            return endings.more_than(connection, which, most)

    def _do(self, erasure: Erasure, plan: Sequence[tuple[str, Work]]) -> None:
        for step, work in plan:
            if self._result(erasure, step) is None:
                outcome = work(erasure)
                if outcome is not None:
                    with self._ground.database.write() as connection:
                        ledger.done(connection, erasure.id, step, self._ground.now(), outcome)

    def _after(self) -> list[tuple[str, Work]]:
        return [
            (DESTROY, self._destroy),
            (REST, self._destroy_rest),
            ("journal", self._empty_journal),
            ("verify", self._verify),
            ("clear", self._clear),
            ("elsewhere", self._elsewhere),
            ("record", self._record),
            ("prove", self._prove),
            ("bundles", self._bundles),
            ("certify", self._certify),
        ]

    def _destroy(self, erasure: Erasure) -> dict[str, Any]:
        return keys_destroyed(self._destroying.alone(erasure))

    def _destroy_rest(self, erasure: Erasure) -> dict[str, Any]:
        return keys_destroyed(self._destroying.rest(erasure))

    def _empty_journal(self, _erasure: Erasure) -> dict[str, Any]:
        """What was dropped still stands in the write-ahead log, as whole pages, until that is folded in and cut."""
        database = self._ground.database
        if not database.checkpoint():
            raise Unavailable("The database's journal is in use; the erasure goes on by itself.", code="journal-busy")
        return {"journal": EMPTIED if database.dialect == "sqlite" else SERVER}

    def _verify(self, erasure: Erasure) -> dict[str, Any]:
        return dict(self._probe.attempt(and_(self._destroying.taken(erasure), objects.c.unit_destroyed)))

    def _clear(self, erasure: Erasure) -> dict[str, Any]:
        """Delete the ciphertext and count what is gone: each row is read once."""
        tally = Tally()
        for rows in self._pages(erasure):
            sent = self._witnesses.outside.copies(erasure.tenant, tuple(row.id for row in rows))
            with self._ground.database.read() as connection:
                earlier = endings.earlier_copies(connection, rows)
                completes = endings.erasures_after_move(connection, rows)
            blobs = self._disposal.discard([row for row in rows if row.state != ERASED])
            tally.add(rows, blobs, sent, earlier=earlier, completes=completes)
        return tally.result()

    def _elsewhere(self, _erasure: Erasure) -> dict[str, Any]:
        """The backups that the destruction reaches; looked up once keys are gone."""
        register, now = self._witnesses.backups, self._ground.now()
        return {"backups": register.covered(now), "made": register.made(now), "away": register.away()}

    def _record(self, erasure: Erasure) -> None:
        with self._ground.database.read() as connection:
            results = ledger.results(connection, erasure.id)
        commitment = commitment_of(erasure, erasure.subject or "")
        gone = Listed.model_validate(results["clear"]["objects"])
        by_deletion = int(results["clear"].get("by_deletion", {}).get("count", 0))
        facts = entry_facts(erasure.id, gone, commitment, keys_in(results), by_deletion=by_deletion)
        entry = self._ground.entry("erasure.sealed", erasure.tenant, erasure.id, SERVICE, facts)
        leaf = base64.b64encode(rfc8785.dumps(entry.as_json())).decode()
        with self._ground.database.write() as connection:
            outcome = {"entry": leaf, "commitment": commitment}
            if ledger.done(connection, erasure.id, "record", self._ground.now(), outcome):
                self._ground.event(connection, entry)

    def _prove(self, erasure: Erasure) -> dict[str, Any]:
        """Raises `Unavailable` for whatever means "not now", such as a log that another process sequences."""
        try:
            return {"proof": self._witnesses.evidence.prove(erasure.tenant, erasure.id)}
        except (Conflict, NotFound) as error:
            raise Unavailable("The audit log is busy elsewhere; the certificate follows.", code="no-proof") from error

    def _bundles(self, erasure: Erasure) -> dict[str, Any]:
        """Where the tenant was packed for another installation; the log, which the proof brought up to date, knows."""
        return {"bundles": packed(self._ground.database, erasure.tenant)}

    def _certify(self, erasure: Erasure) -> None:
        now, identifier = self._ground.now(), new_id("crt")
        with self._ground.database.read() as connection:
            results = ledger.results(connection, erasure.id)
            results["decisions"] = ledger.decided(connection, erasure.id)
            results["shut"] = ledger.done_at(connection, erasure.id, ledger.TOMBSTONE)
        certificate = certificate_of(erasure, identifier, now, results, self._witnesses.tool)
        envelope = sign_certificate(certificate, self._witnesses.signer)
        facts: dict[str, Fact] = {"erasure": erasure.id, "certificate": identifier}
        entry = self._ground.entry("erasure.certified", erasure.tenant, erasure.request, erasure.actor, facts)
        with self._ground.database.write() as connection:
            if ledger.done(connection, erasure.id, "certify", now, {"certificate": identifier}):
                ledger.add_certificate(connection, identifier, erasure, envelope, now)
                self._ground.event(connection, entry)

    def _pages(self, erasure: Erasure) -> Iterator[list[Row]]:
        which, after = self._destroying.taken(erasure), 0
        while True:
            with self._ground.database.read() as connection:
                rows = endings.page_of(connection, which, after=after)
            if not rows:
                return
            yield rows
            after = rows[-1].seq

    def _result(self, erasure: Erasure, step: str) -> Any:
        with self._ground.database.read() as connection:
            return ledger.result(connection, erasure.id, step)
