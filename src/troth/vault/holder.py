"""The vault as a holder of personal data: objects and consents. What it finds for an export it also forgets."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from troth.kernel.personal import Forgotten, Holding
from troth.vault import endings, fences, ledger, rule_changes
from troth.vault.consent import Consents, consents
from troth.vault.deadlines import drop_rules
from troth.vault.ground import Ground
from troth.vault.objects import ObjectInfo, Objects
from troth.vault.restriction import Restrictions, restrictions
from troth.vault.sharing import Sharing
from troth.vault.tables import SHOWN

_PAGE = 500


class VaultHolder:
    """Implements kernel.personal.Holder."""

    name = "vault"

    def __init__(self, ground: Ground, objects: Objects, consents: Consents) -> None:
        self._ground = ground
        self._objects = objects
        self._consents = consents
        self._restrictions = Restrictions(ground)
        self._sharing = Sharing(ground)

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Every live object, without its bytes, what shows the person, every consent and restriction."""
        found = [
            Holding(
                self.name,
                "object",
                info.id,
                info.data_class.value,
                {
                    "kind": info.kind,
                    "media_type": info.media_type,
                    "name": info.name,
                    "size": info.size,
                    "created_at": info.created_at,
                    "expires_at": info.expires_at,
                    "derived_from": list(info.derived_from),
                },
            )
            for info in self.infos(tenant, subject)
        ]
        for one in self._consents.history(tenant, subject):
            content = {
                "purpose": one.purpose,
                "notice": one.notice,
                "method": one.method,
                "granted_at": one.granted_at,
                "expires_at": one.expires_at,
                "withdrawn_at": one.withdrawn_at,
            }
            found.append(Holding(self.name, "consent", one.id, "account", content))
        for shown in self._sharing.of(tenant, subject, (SHOWN,)):  # whose it is, is for its owners to say
            about = {"created_at": shown.created_at, "expires_at": shown.expires_at}
            found.append(Holding(self.name, "shows-me", shown.id, shown.data_class, about))
        for restriction in self._restrictions.history(tenant, subject):
            times = {"placed_at": restriction.placed_at, "lifted_at": restriction.lifted_at}
            content = {"reason": restriction.reason, "by_officer": restriction.by_officer is not None, **times}
            found.append(Holding(self.name, "restriction", restriction.id, "account", content))
        return found + self._rules_set(tenant, subject)

    def _rules_set(self, tenant: str, subject: str) -> list[Holding]:
        """What an officer ended by retention rules, as dual control counts it."""
        with self._ground.database.read() as connection:
            changes = rule_changes.by_officer(connection, tenant, subject)
        members = ("data_class", "purpose", "days", "people", "at")
        return [
            Holding(self.name, "retention-change", one.id, "account", {name: getattr(one, name) for name in members})
            for one in changes
        ]

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Take every object out of service and drop the consents. Keys and ciphertext follow by the erasure's steps."""
        objects = list(self._taken(tenant, subject))
        rest = self._consents.forget(tenant, subject) + self._restrictions.forget(tenant, subject)
        with self._ground.database.write() as connection:
            rest += rule_changes.forget(connection, tenant, subject)
        return Forgotten(self.name, (*objects, *rest))

    def _taken(self, tenant: str, subject: str) -> Iterator[str]:
        """Ids of the objects that were taken out, in transactions of some thousands."""
        with self._ground.database.read() as connection:
            erasure = fences.erasure_of(connection, tenant, subject)
            destroyed = erasure is not None and ledger.result(connection, erasure, ledger.DESTROY) is not None
        more = True
        while more:
            with self._ground.database.write() as connection:
                found, more = endings.take_page(connection, tenant, subject, destroyed=destroyed)
            yield from found
        with self._ground.database.write() as connection:
            endings.drop_concerns(connection, tenant, subject)

    def people(self, tenant: str) -> list[str]:
        """Everybody with an object, a part in one, a consent or a restriction."""
        with self._ground.database.read() as connection:
            found = {*endings.subjects_of(connection, tenant)}
            for table in (consents, restrictions):
                found.update(connection.execute(select(table.c.subject).where(table.c.tenant == tenant)).scalars())
        return sorted(found)

    def close(self, tenant: str) -> Forgotten:
        """Drop the tenant's retention rules."""
        with self._ground.database.write() as connection:
            drop_rules(connection, tenant)
        return Forgotten(self.name)

    def files(self, tenant: str, subject: str) -> Iterator[tuple[ObjectInfo, bytes]]:
        """Every live object with its bytes, one at a time."""
        for info in self.infos(tenant, subject):
            yield self._objects.open(tenant, subject, info.id, duty=True)

    def infos(self, tenant: str, subject: str) -> Iterator[ObjectInfo]:
        """Every live object, newest first."""
        after = None
        while page := self._objects.list(tenant, subject, limit=_PAGE, after=after, duty=True):
            yield from page
            after = page[-1].id
