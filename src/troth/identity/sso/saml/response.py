"""A SAML 2.0 Response judged: who signed in, or one refusal (Core; Profiles section 4.1.4; Bindings section 3.5).

Rules of trust, no I/O. That an answer comes once only is asked of the database afterwards (`Attempts.once`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import Certificate

from troth.identity.sso.saml import grammar
from troth.identity.sso.saml.decryption import decrypted
from troth.identity.sso.saml.names import BEARER, DS, ENTITY, SAML, SAMLP, SUCCESS, UNSPECIFIED
from troth.identity.sso.saml.parsing import parse
from troth.identity.sso.saml.refusal import Reason, SamlRefused
from troth.identity.sso.saml.signature import verified

LEEWAY = timedelta(seconds=60)  # between the provider's clock and ours
FRESH = timedelta(minutes=5)  # a Response is written when it is posted
LONGEST = timedelta(hours=24)  # no assertion is valid for longer, so no id has to be remembered for longer
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z", re.ASCII)  # Core 1.3.3: UTC, said as Z
_MAX_NAME = 256
_MAX_VALUE = 1024
_MAX_QUALIFIER = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the answer must fit: the connection, our own names, the request it answers, and the time."""

    provider: str  # entity id
    certificates: tuple[Certificate, ...]  # of the provider, pinned
    audience: str  # our entity id
    destination: str  # our assertion consumer service
    request: str  # id of the AuthnRequest
    now: datetime
    keys: tuple[RSAPrivateKey, ...] = field(default=(), repr=False)  # ours, newest first
    oldest: timedelta = timedelta(hours=12)  # how long ago the person may have authenticated
    since: datetime | None = None  # when a fresh look at the person was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who signed in, by the provider's word. Times are aware datetimes in UTC."""

    name_id: str = field(repr=False)
    name_format: str
    name_qualifiers: tuple[str, str]  # NameQualifier and SPNameQualifier; empty where they name the provider and us
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)
    session_index: str | None
    session_not_on_or_after: datetime | None
    not_on_or_after: datetime
    authenticated_at: datetime
    authn_context: str
    in_response_to: str
    assertion: str


def judge(document: bytes, expected: Expected) -> Login:
    """The login that `document`, the XML of a Response, proves. Raises `SamlRefused`, `Unavailable` (no libraries)."""
    root = parse(document)
    grammar.check(root, f"{SAMLP}Response")
    response_signed = root.find(f"{DS}Signature") is not None
    if response_signed:
        root = verified(document, root, expected.certificates, expected.now)
    _check_response(root, expected)
    assertion = _assertion(document, root, expected, response_signed=response_signed)
    _check_assertion(assertion, expected)
    return _login(assertion, expected)


def _assertion(document: bytes, root: Any, expected: Expected, *, response_signed: bool) -> Any:
    plain, encrypted = root.find(f"{SAML}Assertion"), root.find(f"{SAML}EncryptedAssertion")
    if (plain is None) == (encrypted is None):
        raise SamlRefused(Reason.MISSING if plain is None else Reason.REPEATED)
    place = f"{SAML}Assertion/"
    if encrypted is not None:
        document = decrypted(encrypted, expected.keys, ciphertext_signed=response_signed)
        plain, place = parse(document), ""
        grammar.check(plain, f"{SAML}Assertion")
    if plain.find(f"{DS}Signature") is None and response_signed:
        return plain
    return verified(document, plain, expected.certificates, expected.now, place)


def _check_response(root: Any, expected: Expected) -> None:
    _check_head(root)
    status = root.find(f"{SAMLP}Status/{SAMLP}StatusCode")
    if status is None or status.get("Value") != SUCCESS or len(status):
        raise SamlRefused(Reason.STATUS)
    issuer = root.find(f"{SAML}Issuer")
    if issuer is not None:
        _check_issuer(issuer, expected)
    if root.get("Destination") != expected.destination:
        raise SamlRefused(Reason.DESTINATION)
    if root.get("InResponseTo") != expected.request:
        raise SamlRefused(Reason.UNSOLICITED)
    _check_fresh(root, expected)


def _check_head(element: Any) -> None:
    if not element.get("ID"):
        raise SamlRefused(Reason.ID)
    if element.get("Version") != "2.0":
        raise SamlRefused(Reason.VERSION)


def _check_issuer(issuer: Any, expected: Expected) -> None:
    if issuer is None or issuer.get("Format") not in (None, ENTITY) or (issuer.text or "") != expected.provider:
        raise SamlRefused(Reason.ISSUER)


def _check_fresh(element: Any, expected: Expected) -> None:
    issued = utc_time(element, "IssueInstant")
    if issued > expected.now + LEEWAY:
        raise SamlRefused(Reason.NOT_YET)
    if issued < expected.now - FRESH - LEEWAY:
        raise SamlRefused(Reason.STALE)


def _check_assertion(assertion: Any, expected: Expected) -> None:
    _check_head(assertion)
    _check_issuer(assertion.find(f"{SAML}Issuer"), expected)
    _check_fresh(assertion, expected)
    _check_conditions(_only(assertion, "Conditions"), expected)
    _check_confirmation(_only(_only(assertion, "Subject"), "SubjectConfirmation"), expected)
    statement = _only(assertion, "AuthnStatement")
    authenticated = utc_time(statement, "AuthnInstant")
    if authenticated > expected.now + LEEWAY:
        raise SamlRefused(Reason.NOT_YET)
    earliest = expected.now - expected.oldest
    if authenticated < (earliest if expected.since is None else max(earliest, expected.since)) - LEEWAY:
        raise SamlRefused(Reason.AUTHENTICATION_OLD)
    if statement.get("SessionNotOnOrAfter") and utc_time(statement, "SessionNotOnOrAfter") <= expected.now:
        raise SamlRefused(Reason.SESSION_OVER)


def _check_conditions(conditions: Any, expected: Expected) -> None:
    """OneTimeUse needs no rule of its own: every assertion is taken once."""
    if conditions.get("NotBefore") and utc_time(conditions, "NotBefore") > expected.now + LEEWAY:
        raise SamlRefused(Reason.NOT_YET)
    _check_end(conditions, expected, Reason.OVER)
    restrictions = conditions.findall(f"{SAML}AudienceRestriction")
    for restriction in restrictions:  # Core 2.5.1.4: each must hold, and one of its audiences is enough
        if expected.audience not in [one.text for one in restriction]:
            raise SamlRefused(Reason.AUDIENCE)
    if not restrictions:
        raise SamlRefused(Reason.AUDIENCE)


def _check_confirmation(confirmation: Any, expected: Expected) -> None:
    if confirmation.get("Method") != BEARER:
        raise SamlRefused(Reason.CONFIRMATION)
    data = _only(confirmation, "SubjectConfirmationData")
    if data.get("Recipient") != expected.destination:
        raise SamlRefused(Reason.RECIPIENT)
    if data.get("InResponseTo") != expected.request:
        raise SamlRefused(Reason.UNSOLICITED)
    _check_end(data, expected, Reason.CONFIRMATION_OVER)


def _check_end(element: Any, expected: Expected, reason: Reason) -> None:
    end = utc_time(element, "NotOnOrAfter")
    if end <= expected.now - LEEWAY:
        raise SamlRefused(reason)
    if end > expected.now + LONGEST:
        raise SamlRefused(Reason.TIME)


def _login(assertion: Any, expected: Expected) -> Login:
    name, statement = _only(_only(assertion, "Subject"), "NameID"), _only(assertion, "AuthnStatement")
    data = assertion.find(f"{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData")
    ends = utc_time(data, "NotOnOrAfter"), utc_time(_only(assertion, "Conditions"), "NotOnOrAfter")
    return Login(
        name_id=_word(name.text, _MAX_NAME, Reason.NAME_ID),
        name_format=_word(name.get("Format", UNSPECIFIED), _MAX_NAME, Reason.NAME_ID),
        name_qualifiers=(
            _qualifier(name.get("NameQualifier"), expected.provider),
            _qualifier(name.get("SPNameQualifier"), expected.audience),
        ),
        attributes=_attributes(assertion),
        session_index=statement.get("SessionIndex"),
        session_not_on_or_after=_optional_time(statement, "SessionNotOnOrAfter"),
        not_on_or_after=max(ends),
        authenticated_at=utc_time(statement, "AuthnInstant"),
        authn_context=_word(
            _only(_only(statement, "AuthnContext"), "AuthnContextClassRef").text, _MAX_NAME, Reason.MISSING
        ),
        in_response_to=expected.request,
        assertion=assertion.get("ID"),
    )


def _qualifier(said: str | None, usual: str) -> str:
    """Core section 8.3.7: one that is left out means the provider, and us."""
    return "" if said in (None, usual) else _word(said, _MAX_QUALIFIER, Reason.NAME_ID)


def _attributes(assertion: Any) -> dict[str, tuple[str, ...]]:
    """Values by attribute name. Providers that say one name several times (Keycloak's roles) mean one list."""
    found: dict[str, tuple[str, ...]] = {}
    for one in assertion.iterfind(f"{SAML}AttributeStatement/{SAML}Attribute"):
        name = _word(one.get("Name"), _MAX_NAME, Reason.MISSING)
        values = tuple(value.text or "" for value in one)
        if any(len(value) > _MAX_VALUE for value in values):
            raise SamlRefused(Reason.TOO_LARGE)
        found[name] = found.get(name, ()) + values
    return found


def _word(text: str | None, most: int, reason: Reason) -> str:
    """Text without blanks around it and without control characters, which some would show and some would drop."""
    if not text or len(text) > most or text != text.strip() or not text.isprintable():
        raise SamlRefused(reason)
    return text


def _only(parent: Any, name: str) -> Any:
    found = parent.find(f"{SAML}{name}")
    if found is None:
        raise SamlRefused(Reason.MISSING)
    return found


def utc_time(element: Any, name: str) -> datetime:
    """The time in an attribute. Raises `SamlRefused` (`bad-time`)."""
    text = element.get(name) or ""
    if not _TIME.match(text):
        raise SamlRefused(Reason.TIME)
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError as error:
        raise SamlRefused(Reason.TIME) from error


def _optional_time(element: Any, name: str) -> datetime | None:
    return utc_time(element, name) if element.get(name) else None
