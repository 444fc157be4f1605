"""Looking at erasures and certificates: who may see which."""

from __future__ import annotations

from dataclasses import dataclass

from troth.kernel.errors import NotFound
from troth.vault import issued, ledger
from troth.vault.deadlines import DAY_MS
from troth.vault.ground import Ground, subject_digest
from troth.vault.issued import Issued, Visible
from troth.vault.ledger import Decision, Erasure

SUBJECT_COPY_DAYS = 30  # how long the salt of the person's copy can be handed over; GDPR Art. 12(3), one month


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to see an erasure; `duty`: requests of the tenant's people, or their audit, are this person's duty."""

    tenant: str
    subject: str
    actor: str
    duty: bool

    def may_see(self, erasure: Erasure) -> bool:
        """True for who asked, for the person concerned (even after they are forgotten), and by duty."""
        return self.duty or self.may_have_salt(erasure)

    def may_have_salt(self, erasure: Erasure) -> bool:
        """True for who asked, to hand it over, and for the person concerned: to others it would say who it was."""
        concerned = erasure.subject_digest == subject_digest(self.tenant, self.subject)
        return concerned or erasure.actor == self.actor


class Readings:
    """The ledger as its readers see it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def show(self, tenant: str, erasure_id: str) -> Erasure:
        """An erasure of this tenant. Raises `NotFound`."""
        erasure = self.read(erasure_id)
        if erasure.tenant != tenant:
            raise ledger.unknown()
        return erasure

    def shown_to(self, reader: Reader, erasure_id: str) -> Erasure:
        """An erasure that this reader may see. Raises `NotFound`, also for one of somebody else."""
        erasure = self.show(reader.tenant, erasure_id)
        if not reader.may_see(erasure):
            raise ledger.unknown()
        return erasure

    def certificate_for(self, reader: Reader, certificate_id: str) -> bytes:
        """The signed document, for who may see its erasure. Raises `NotFound`, also for one of somebody else."""
        with self._ground.database.read() as connection:
            erasure = ledger.by_certificate(connection, reader.tenant, certificate_id)
        if erasure is not None and not reader.may_see(erasure):
            erasure = None
        return self.certificate(reader.tenant, certificate_id if erasure else "")

    def certificates_for(self, reader: Reader, *, limit: int, after: str | None = None) -> list[Issued]:
        """The certificates that this reader may see, newest first. Raises `NotFound` when `after` is not one."""
        visible = Visible(reader.tenant)
        if not reader.duty:
            visible = Visible(reader.tenant, reader.actor, subject_digest(reader.tenant, reader.subject))
        with self._ground.database.read() as connection:
            return issued.page(connection, visible, limit=limit, after=after)

    def all(self, tenant: str, *, limit: int | None = None) -> list[Erasure]:
        """The erasures of a tenant, newest first."""
        with self._ground.database.read() as connection:
            return ledger.of_tenant(connection, tenant, limit=limit)

    def offboardings(self) -> list[Erasure]:
        """The erasures of whole tenants, newest first."""
        with self._ground.database.read() as connection:
            return ledger.of_scope(connection, ledger.TENANT)

    def offboarding_of(self, tenant: str) -> Erasure:
        """The erasure of a whole tenant that was not called off. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            found = ledger.by_target(connection, ledger.tenant_target(tenant))
        if found is None:
            raise NotFound("Nobody asked to erase that tenant; list the off-boardings.")
        return found

    def decisions(self, erasure_id: str) -> list[Decision]:
        """Who approved it, or called it off."""
        with self._ground.database.read() as connection:
            return ledger.decided(connection, erasure_id)

    def certificate(self, tenant: str, certificate_id: str) -> bytes:
        """The signed document. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            envelope = ledger.envelope_of(connection, tenant, certificate_id)
        if envelope is None:
            raise NotFound("There is no such certificate; its id is in the answer to the erasure.")
        return envelope

    def of_person(self, tenant: str, subject: str) -> Erasure | None:
        """The erasure of this person that was asked for before and not called off."""
        with self._ground.database.read() as connection:
            return ledger.by_target(connection, ledger.person_target(subject_digest(tenant, subject)))

    def tidy(self) -> int:
        """Forget the salts whose time has passed; returns how many."""
        with self._ground.database.write() as connection:
            return ledger.wipe_salts(connection, self._ground.now() - SUBJECT_COPY_DAYS * DAY_MS)

    def read(self, erasure_id: str) -> Erasure:
        """An erasure as it stands. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            found = ledger.by_id(connection, erasure_id)
        if found is None:
            raise ledger.unknown()
        return found
