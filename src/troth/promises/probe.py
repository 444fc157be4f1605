"""A synthetic person for the length of one look: checks act as this person, and everything of them is erased after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select

from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.clock import Clock
from troth.kernel.data_class import DataClass
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import TrothError
from troth.kernel.ids import new_id
from troth.promises.system import System
from troth.vault.erasure import Erasures
from troth.vault.ground import Ground
from troth.vault.ledger import Erasure
from troth.vault.objects import KeepRequest, ObjectInfo
from troth.vault.store import objects as object_table

SERVICE = "svc_promises"
_HERE = Connection(None, "in-process")
BOUND = Device("dpop", "probe")  # as whose key answers for synthetic people


@dataclass(frozen=True, slots=True)
class Probe:
    """One synthetic person of the probe tenant, who never signs in and has no name."""

    system: System
    tenant: str
    subject: str

    def caller(self, *roles: str) -> Caller:
        """This person, signed in with two factors on a device of theirs, inside this process."""
        return Caller(
            actor=self.subject,
            kind="user",
            tenant=self.tenant,
            subject=self.subject,
            roles=frozenset(roles or ("member",)),
            jurisdiction=self.system.base.settings.data.jurisdiction,
            authentication=Authentication("password+totp", 2, 0, "ses_probe"),
            device=BOUND,
            connection=_HERE,
        )

    def request(self, content: bytes, **members: Any) -> KeepRequest:
        """A wish to keep `content`; `members` replace the usual values."""
        values: dict[str, Any] = {
            "tenant": self.tenant,
            "subject": self.subject,
            "data_class": DataClass.USER_GENERATED,
            "kind": "upload",
            "media_type": "text/plain",
            "name": "probe.txt",
            "content": content,
        }
        return KeepRequest(**(values | members))

    def keep(self, content: bytes = b"probe", **members: Any) -> ObjectInfo:
        """Keep something of this person's in the vault."""
        return self.system.vault.objects.keep(self.request(content, **members))

    def open(self, object_id: str) -> bytes:
        """The content of an object of this person's. Raises as the vault does."""
        return self.system.vault.objects.open(self.tenant, self.subject, object_id)[1]

    def row(self, object_id: str) -> RowMapping:
        """The row that the database has of an object."""
        with self.system.base.database.read() as connection:
            query = select(object_table).where(object_table.c.id == object_id)
            return connection.execute(query).mappings().one()

    def sealed(self, object_id: str) -> bytes:
        """The bytes that the object store has of an object. Raises `NotFound` when they are deleted."""
        return self.system.base.objects.get(self.row(object_id)["blob"])

    def run(self, name: str, request: Any, dispatcher: Dispatcher | None = None) -> Any:
        """Run an operation as this person, on the road that every door takes."""
        return asyncio.run((dispatcher or self.system.dispatcher).run_async(name, self.caller(), request))

    def erase(self, erasures: Erasures | None = None, *, object_id: str | None = None) -> Erasure:
        """Ask for the erasure of this person, or of one object of theirs."""
        return (erasures or self.system.vault.erasures).request(
            self.tenant, self.subject, actor=SERVICE, request=new_id("run"), object_id=object_id
        )


@contextmanager
def probe(system: System, *, neighbour: bool = False) -> Iterator[Probe]:
    """A fresh person; `neighbour` puts them into a second probe tenant. Whatever they have is erased in the end."""
    person = Probe(system, *system.probe_person(neighbour=neighbour))
    try:
        yield person
    finally:
        person.erase()


def refused(act: Callable[[], object], *kinds: type[TrothError], code: str | None = None) -> bool:
    """True when `act` ends in a refusal of one of these kinds (or any), and of this code when one is given."""
    try:
        act()
    except TrothError as error:
        return (not kinds or isinstance(error, kinds)) and code in (None, error.code)
    return False


def ground(system: System) -> Ground:
    """What the vault stands on."""
    base = system.base
    return Ground(base.database, base.objects, base.tree, base.outbox, base.clock, base.meters)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The clock of the system, moved; only for parts that a check builds for itself."""

    clock: Clock
    by: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.by
