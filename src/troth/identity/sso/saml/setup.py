"""Setting up a SAML connection: the provider's metadata read, our key pair made and changed without a gap."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from troth.identity.sso.connections import Connections, SsoConnection, Wish, no_connection
from troth.identity.sso.fetching import Reach
from troth.identity.sso.saml import certificates, metadata
from troth.identity.sso.saml import messages as m
from troth.identity.sso.saml.door import SamlDoor
from troth.identity.sso.saml.settings import Settings
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError
from troth.kernel.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlSetup:
    """The parts that it asks."""

    connections: Connections
    door: SamlDoor
    clock: Clock
    reach: Reach

    def get(self, tenant: str, connection: str) -> SsoConnection:
        """A SAML connection of a tenant. Raises `NotFound`."""
        found = self.connections.get(tenant, connection)
        if found.kind != "saml":
            raise no_connection()
        return found

    def connect(self, tenant: str, wish: m.SamlConnect) -> SsoConnection:
        """A fresh connection with a key pair of its own. Raises as `metadata.read` and `Connections.create`."""
        key, certificate = certificates.make(new_id("saml"), self.clock.now())
        return self.connections.create(tenant, "saml", self._wish(wish, (certificate,), key))

    def change(self, tenant: str, wish: m.SamlChange) -> SsoConnection:
        """Made as wished; our keys stay. Raises as `metadata.read` and `Connections.change`."""
        found = self.get(tenant, wish.connection_id)
        made = self._wish(wish, _settings(found).own, self.connections.secret(found))
        return self.connections.change(tenant, found.id, "saml", made)

    def rotate(self, tenant: str, connection: str) -> SsoConnection:
        """First call: a next key pair beside the one in use, in our metadata. Second call: it takes the place.

        Between the two the provider reads our metadata; both keys decrypt. Raises `NotFound`.
        """
        found = self.get(tenant, connection)
        settings, secret = _settings(found), self.connections.secret(found) or ""
        keys = secret.split()
        if len(keys) != len(settings.own):
            raise IntegrityError("The keys of this connection do not fit its certificates; make it anew.")
        if len(keys) == 1:
            key, certificate = certificates.make(found.id, self.clock.now())
            keys, own = [*keys, key], (*settings.own, certificate)
        else:
            keys, own = keys[1:], settings.own[1:]
        kept = settings.model_copy(update={"own": own}).model_dump(mode="json")
        same: dict[str, Any] = {name: getattr(found, name) for name in _SAME}
        wish = Wish(**same, domains=tuple(one.name for one in found.domains), settings=kept)
        return self.connections.change(tenant, connection, "saml", replace(wish, secret=" ".join(keys)))

    def shown(self, connection: SsoConnection) -> m.SamlShown:
        """A connection as its owner sees it."""
        settings = _settings(connection)
        return m.SamlShown(
            id=connection.id,
            name=connection.name,
            issuer=connection.issuer,
            sso_url=settings.sso_url,
            entity_id=self.door.entity(connection.id),
            acs=self.door.acs(connection.id),
            valid_until=settings.valid_until,
            certificates=_certificates(settings.certificates),
            own=_certificates(settings.own),
        )

    def _wish(self, wish: m.SamlConnect, own: tuple[str, ...], key: str | None = None) -> Wish:
        said = metadata.read(wish.metadata.encode(), self.clock.now(), self.reach)
        kept = Settings(
            **wish.reading.model_dump(),
            sso_url=said.sso_url,
            certificates=said.certificates,
            valid_until=said.valid_until,
            own=own,
        )
        return Wish(
            name=wish.name,
            issuer=said.entity,
            secret=key,
            rules=wish.rules,
            settings=kept.model_dump(mode="json"),
            domains=wish.domains,
            just_in_time=wish.just_in_time,
            enforced=wish.enforced,
            enabled=wish.enabled,
        )


_SAME = ("name", "issuer", "client_id", "rules", "just_in_time", "enforced", "enabled")


def _settings(connection: SsoConnection) -> Settings:
    return Settings.model_validate(dict(connection.settings))


def _certificates(texts: tuple[str, ...]) -> tuple[m.SamlCertificate, ...]:
    return tuple(
        m.SamlCertificate(
            sha256=hashlib.sha256(one.public_bytes(Encoding.DER)).hexdigest(),
            expires_at=epoch_ms(one.not_valid_after_utc),
        )
        for one in certificates.read(texts)
    )
