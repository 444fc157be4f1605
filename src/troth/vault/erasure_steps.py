"""The steps of an erasure after its tombstone. Each can be done twice; each leaves its result in the ledger."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import rfc8785

from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.personal import Holder
from troth.kernel.signer import Signer
from troth.vault import endings, ledger
from troth.vault.certificate import Keys, Listed, entry_facts, listed, sign_certificate
from troth.vault.claims import EMPTIED, SERVER, certificate_of, commitment_of, inventory_of, keys_of
from troth.vault.disposal import Disposal
from troth.vault.ground import Ground
from troth.vault.ledger import PERSON, Erasure
from troth.vault.probe import Probe
from troth.vault.store import Row

SERVICE = "svc_erasure"  # acts in the entry that the certificate shows, so that no person's id is in it
Work = Callable[[Erasure], dict[str, Any] | None]


class Evidence(Protocol):
    """The audit log, as far as a certificate needs it."""

    def prove(self, log: str, request_id: str) -> str:
        """A C2SP `.tlog-proof` of the newest entry of that request, under a signed checkpoint.

        Raises `Unavailable` when the entry is not under a checkpoint and cannot be brought under one now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who forgets, who proves, who signs. `holders` are all that keep personal data, the vault's own among them."""

    holders: Sequence[Holder]
    evidence: Evidence
    signer: Signer
    tool: str  # name and version, for the certificate


class Steps:
    """Runs the steps that an erasure still lacks, in order."""

    def __init__(self, ground: Ground, witnesses: Witnesses) -> None:
        self._ground = ground
        self._witnesses = witnesses
        self._disposal = Disposal(ground)
        self._probe = Probe(ground)

    def run(self, erasure: Erasure) -> None:
        """Do what is not done. A step that returns None has written its own result."""
        for step, work in self._plan(erasure):
            if self._result(erasure, step) is None:
                outcome = work(erasure)
                if outcome is not None:
                    with self._ground.database.write() as connection:
                        ledger.done(connection, erasure.id, step, self._ground.now(), outcome)

    def holds_anything(self, tenant: str, subject: str) -> bool:
        """True when any holder keeps something of this person."""
        return any(holder.holdings(tenant, subject) for holder in self._witnesses.holders)

    def _plan(self, erasure: Erasure) -> list[tuple[str, Work]]:
        holders = [] if erasure.object else self._witnesses.holders
        return [
            *((f"forget:{holder.name}", self._forget(holder)) for holder in holders),
            ("destroy", self._destroy),
            ("journal", self._empty_journal),
            ("inventory", lambda erasure: inventory_of(self._rows(erasure))),
            ("verify", self._verify),
            ("discard", lambda erasure: {"blobs": self._disposal.discard(self._rows(erasure))}),
            ("record", self._record),
            ("prove", self._prove),
            ("certify", self._certify),
        ]

    def _forget(self, holder: Holder) -> Work:
        def work(erasure: Erasure) -> dict[str, Any]:
            with self._ground.database.write() as connection:
                first = ledger.done(connection, erasure.id, f"forgetting:{holder.name}", self._ground.now(), {})
            dropped = holder.forget(erasure.tenant, erasure.subject or "").identifiers
            names = [PERSON if one == erasure.subject else one for one in dropped]
            return {"dropped": listed(names).model_dump(mode="json"), "repeated": not first}

        return work

    def _destroy(self, erasure: Erasure) -> dict[str, Any]:
        rows = self._rows(erasure)
        if erasure.object:
            destruction = self._disposal.destroy({row.unit for row in rows})
        else:
            destruction = self._ground.tree.destroy_subject(erasure.tenant, erasure.subject or "")
            with self._ground.database.write() as connection:
                endings.mark_units(connection, {row.unit for row in rows})
        keys = keys_of(destruction)
        return {"keys": keys.model_dump(mode="json") if keys else None}

    def _empty_journal(self, _erasure: Erasure) -> dict[str, Any]:
        """What was dropped still stands in the write-ahead log, as whole pages, until that is folded in and cut."""
        database = self._ground.database
        if not database.checkpoint():
            raise Unavailable("The database's journal is in use; the erasure goes on by itself.", code="journal-busy")
        return {"journal": EMPTIED if database.dialect == "sqlite" else SERVER}

    def _verify(self, erasure: Erasure) -> dict[str, Any]:
        return dict(self._probe.attempt([row for row in self._rows(erasure) if row.unit_destroyed]))

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
        certificate = certificate_of(erasure, identifier, now, results, self._witnesses.tool)
        envelope = sign_certificate(certificate, self._witnesses.signer)
        entry = self._ground.entry(
            "erasure.certified",
            erasure.tenant,
            erasure.request,
            erasure.actor,
            {"erasure": erasure.id, "certificate": identifier},
        )
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
