"""What a provider calls a person, and of what sort that name is: two sorts of the same name are two people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from troth.identity.sso.connections import SsoConnection
from troth.kernel.errors import Invalid

NameFormat = Literal["persistent", "email", "unspecified"]
FORMATS: dict[NameFormat, str] = {
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "email": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "unspecified": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}  # the ones that last: a transient name is another one each time, and of the others nobody says how long they hold


@dataclass(frozen=True, slots=True)
class Subject:
    """A name. `kind` is "" for OpenID Connect's `sub`; else made here."""

    name: str = field(repr=False)
    kind: str = ""


def of_name_id(name: str, form: str, qualifier: str = "", sp_qualifier: str = "") -> Subject:
    """By a SAML NameID; qualifiers are empty where they name the provider and ourselves (Core section 8.3.7)."""
    return Subject(name, "\0".join(("name-id", form, qualifier, sp_qualifier)))


def of_attribute(name: str, attribute: str) -> Subject:
    """By the value of a SAML attribute."""
    return Subject(name, f"attribute\0{attribute}")


def by_hand(connection: SsoConnection, name: str, form: NameFormat | None) -> Subject:
    """As somebody typed it for a connection. Raises `Invalid` (`name-format`) where SAML needs the format."""
    if connection.kind == "oidc":
        return Subject(name)
    attribute = connection.settings.get("subject_attribute")
    if attribute is not None:
        return of_attribute(name, str(attribute))
    if form is None:
        raise Invalid(
            "Say the format of the name: persistent, email or unspecified.", code="name-format", field="name_format"
        )
    return of_name_id(name, FORMATS[form])
