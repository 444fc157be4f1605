"""The steps of an erasure after its tombstone. Each can be done twice; each leaves its result in the ledger."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import rfc8785

from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.vault import endings, ledger
from troth.vault.certificate import Keys, Listed, entry_facts, sign_certificate
from troth.vault.claims import EMPTIED, SERVER, certificate_of, commitment_of, inventory_of, keys_of
from troth.vault.destruction import Destroying
from troth.vault.disposal import Disposal
from troth.vault.erasure_forgetting import Forgetting
from troth.vault.ground import Ground
from troth.vault.ledger import Erasure
from troth.vault.probe import Probe
from troth.vault.tables import Row
from troth.vault.witnesses import Evidence, Witnesses

__all__ = ["Evidence", "Steps", "Witnesses"]
SERVICE = "svc_erasure"  # acts in the entry that the certificate shows, so that no person's id is in it
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

    def run(self, erasure: Erasure) -> None:
        """Do what is not done. A step that returns None has written its own result."""
        self._do(erasure, [*self._before(erasure), *self._after()])

    def destroy_together(self, erasures: Sequence[Erasure]) -> None:
        """Bring several erasures to where keys are destroyed, and destroy the keys of all with one root.

        What refuses before that is left out; their own steps then only confirm, each with its own proof.
        """
        ready = []
        for erasure in erasures:
            try:
                self._do(erasure, self._before(erasure))
            except (Unavailable, Conflict):
                continue
            if self._result(erasure, "destroy") is None:
                ready.append((erasure, self._rows(erasure)))
        self._destroying.together(ready)

    def holds_anything(self, tenant: str, subject: str) -> bool:
        """True when any holder keeps something of this person."""
        return any(holder.holdings(tenant, subject) for holder in self._witnesses.holders)

    def _do(self, erasure: Erasure, plan: Sequence[tuple[str, Work]]) -> None:
        for step, work in plan:
            if self._result(erasure, step) is None:
                outcome = work(erasure)
                if outcome is not None:
                    with self._ground.database.write() as connection:
                        ledger.done(connection, erasure.id, step, self._ground.now(), outcome)

    def _before(self, erasure: Erasure) -> list[tuple[str, Work]]:
        return self._forgetting.plan(erasure)

    def _after(self) -> list[tuple[str, Work]]:
        return [
            ("destroy", self._destroy),
            ("journal", self._empty_journal),
            ("inventory", lambda erasure: inventory_of(self._rows(erasure))),
            ("verify", self._verify),
            ("discard", lambda erasure: {"blobs": self._disposal.discard(self._rows(erasure))}),
            ("elsewhere", self._elsewhere),
            ("record", self._record),
            ("prove", self._prove),
            ("certify", self._certify),
        ]

    def _destroy(self, erasure: Erasure) -> dict[str, Any]:
        done = self._destroying.alone(erasure, self._rows(erasure))
        keys = keys_of(done)
        return {"keys": keys.model_dump(mode="json") if keys else None, "lost": list(done.lost) if done else []}

    def _empty_journal(self, _erasure: Erasure) -> dict[str, Any]:
        """What was dropped still stands in the write-ahead log, as whole pages, until that is folded in and cut."""
        database = self._ground.database
        if not database.checkpoint():
            raise Unavailable("The database's journal is in use; the erasure goes on by itself.", code="journal-busy")
        return {"journal": EMPTIED if database.dialect == "sqlite" else SERVER}

    def _verify(self, erasure: Erasure) -> dict[str, Any]:
        return dict(self._probe.attempt([row for row in self._rows(erasure) if row.unit_destroyed]))

    def _elsewhere(self, erasure: Erasure) -> dict[str, Any]:
        """The backups that the destruction reaches, and what others hold; looked up once keys are gone."""
        objects = tuple(row.id for row in self._rows(erasure))
        copies = self._witnesses.outside.copies(erasure.tenant, objects)
        covered = self._witnesses.backups.covered(self._ground.now())
        return {"backups": covered, "vendors": [asdict(one) for one in copies]}

    def _record(self, erasure: Erasure) -> None:
        inventory, destroyed = self._result(erasure, "inventory"), self._result(erasure, "destroy")
        keys = Keys.model_validate(destroyed["keys"]) if destroyed["keys"] else None
        commitment = commitment_of(erasure, erasure.subject or "")
        facts = entry_facts(erasure.id, Listed.model_validate(inventory["objects"]), commitment, keys)
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

    def _certify(self, erasure: Erasure) -> None:
        now, identifier = self._ground.now(), new_id("crt")
        with self._ground.database.read() as connection:
            results = ledger.results(connection, erasure.id)
            decided = ledger.decided(connection, erasure.id)
        certificate = certificate_of(erasure, identifier, now, results | {"decisions": decided}, self._witnesses.tool)
        envelope = sign_certificate(certificate, self._witnesses.signer)
        facts: dict[str, Fact] = {"erasure": erasure.id, "certificate": identifier}
        entry = self._ground.entry("erasure.certified", erasure.tenant, erasure.request, erasure.actor, facts)
        with self._ground.database.write() as connection:
            if ledger.done(connection, erasure.id, "certify", now, {"certificate": identifier}):
                ledger.add_certificate(connection, identifier, erasure, envelope, now)
                self._ground.event(connection, entry)

    def _rows(self, erasure: Erasure) -> list[Row]:
        with self._ground.database.read() as connection:
            return endings.of_erasure(connection, erasure.id)

    def _result(self, erasure: Erasure, step: str) -> Any:
        with self._ground.database.read() as connection:
            return ledger.result(connection, erasure.id, step)
