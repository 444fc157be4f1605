"""The vault as a holder of personal data: objects and consents. What it finds for an export it also forgets."""

from __future__ import annotations

from collections.abc import Iterator

from troth.kernel.personal import Forgotten, Holding
from troth.vault import endings
from troth.vault.consent import Consents
from troth.vault.ground import Ground
from troth.vault.objects import ObjectInfo, Objects

_PAGE = 500


class VaultHolder:
    """Implements kernel.personal.Holder."""

    name = "vault"

    def __init__(self, ground: Ground, objects: Objects, consents: Consents) -> None:
        self._ground = ground
        self._objects = objects
        self._consents = consents

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Every live object, without its bytes, and every consent."""
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
        return found

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Take every object out of service and drop the consents. Keys and ciphertext follow by the erasure's steps."""
        with self._ground.database.write() as connection:
            objects = endings.take_subject(connection, tenant, subject)
        return Forgotten(self.name, (*objects, *self._consents.forget(tenant, subject)))

    def files(self, tenant: str, subject: str) -> Iterator[tuple[ObjectInfo, bytes]]:
        """Every live object with its bytes, one at a time."""
        for info in self.infos(tenant, subject):
            yield self._objects.open(tenant, subject, info.id)

    def infos(self, tenant: str, subject: str) -> Iterator[ObjectInfo]:
        """Every live object, newest first."""
        after = None
        while page := self._objects.list(tenant, subject, limit=_PAGE, after=after):
            yield from page
            after = page[-1].id
