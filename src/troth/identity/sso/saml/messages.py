"""Requests and answers of SAML connections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from troth.identity.messages import Identifier
from troth.identity.sso.messages import ConnectionWish, Cookie, SsoMessage
from troth.identity.sso.saml.settings import Reading

Metadata = Annotated[str, StringConstraints(min_length=1, max_length=1 << 18)]


class SamlConnect(ConnectionWish):
    """A SAML 2.0 provider for the caller's tenant, by its metadata. The other fields are as for `sso.connect`."""

    metadata: Metadata
    reading: Reading = Field(default_factory=Reading)


class SamlChange(SamlConnect):
    """The whole connection as it shall be, with the provider's metadata of today."""

    connection_id: Identifier


class SamlCertificate(SsoMessage):
    """One certificate: SHA-256 of its DER in hex, and its end in epoch milliseconds."""

    sha256: str
    expires_at: int


class SamlShown(SsoMessage):
    """One connection, with what the provider is to be told: our metadata, entity id and assertion consumer service.

    `certificates` are the provider's; `own` are ours, the one that signs first.
    """

    id: str
    name: str
    issuer: str
    sso_url: str
    entity_id: str
    acs: str
    valid_until: int | None
    certificates: tuple[SamlCertificate, ...]
    own: tuple[SamlCertificate, ...]


class SamlFinish(SsoMessage):
    """What the provider made the browser post (`SAMLResponse`, `RelayState`), with what the browser kept."""

    connection_id: Identifier
    response: Annotated[str, StringConstraints(min_length=1, max_length=1 << 19)] = Field(repr=False)
    state: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(repr=False)
    browser: Cookie | None = Field(None, repr=False)
    device: Annotated[str, StringConstraints(max_length=128)] | None = Field(None, repr=False)
