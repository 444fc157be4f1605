"""Sign-in through a SAML provider: a signed request out, a Response back, both of one browser (Profiles 4.1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from troth.identity.sign_in import SignedIn
from troth.identity.sso.admission import Admission, Asking, Word
from troth.identity.sso.attempts import Attempts
from troth.identity.sso.connections import Connections, SsoConnection
from troth.identity.sso.saml import certificates, metadata, names, request
from troth.identity.sso.saml.parsing import decoded
from troth.identity.sso.saml.refusal import Reason, SamlRefused
from troth.identity.sso.saml.response import LEEWAY, Expected, Login, judge
from troth.identity.sso.saml.settings import Settings
from troth.identity.sso.subjects import FORMATS, Subject, of_attribute, of_name_id
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError, TrothError, Unauthenticated
from troth.kernel.scope import as_system

_REQUEST = "request"
_SINCE = "since"  # when a fresh look at the person was asked for


@dataclass(frozen=True, slots=True)
class Begun:
    """Send the browser to `location`; it keeps `browser` in a cookie that comes back from another site."""

    location: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider made the browser post, and what the browser kept."""

    connection: str
    response: str = field(repr=False)  # SAMLResponse, base64
    state: str = field(repr=False)  # RelayState
    browser: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlDoor:
    """The parts that it asks. `base`: our own address as browsers and providers see it, without a slash at the end."""

    connections: Connections
    attempts: Attempts
    admission: Admission
    clock: Clock
    base: str

    def entity(self, connection: str) -> str:
        """Our entity id for a connection, which is where its metadata is."""
        return f"{self.base}/v1/sso/saml/{connection}/metadata"

    def acs(self, connection: str) -> str:
        """Our assertion consumer service for a connection."""
        return f"{self.base}/sign-in/saml/{connection}/acs"

    def metadata(self, connection: str) -> bytes:
        """Our metadata for a connection, for everybody. Raises `NotFound`."""
        found = self.connections.usable(connection, "saml")
        return metadata.write(self.entity(found.id), self.acs(found.id), _settings(found).own)

    @as_system  # nobody is known yet
    def begin(self, connection: str, browser: str | None, *, fresh: bool = False) -> Begun:
        """A fresh attempt. `fresh`: the provider is to see the person anew.

        Raises `NotFound`, `Conflict` (`saml-metadata-expired`).
        """
        found = self.connections.usable(connection, "saml")
        settings, now = _settings(found), self.clock.now()
        _require_current(settings, now)
        identifier = f"_{secrets.token_hex(20)}"
        facts = {_REQUEST: identifier} | ({_SINCE: now.isoformat()} if fresh else {})
        begun = self.attempts.begin(found, facts, browser)
        ours = self.entity(found.id), self.acs(found.id)
        document = request.document(identifier, settings.sso_url, *ours, now, fresh=fresh)
        key = certificates.keys(self._secret(found))[0]
        return Begun(request.address(document, settings.sso_url, begun.state, key), begun.browser)

    @as_system
    def finish(self, answer: Answer, asking: Asking) -> SignedIn:
        """A session for whom the Response names; what is refused stands in the tenant's log with its reason.

        Raises `Unauthenticated` (`sso-state`, `saml-refused`, and as `Admission.admit`), `Conflict`, `NotFound`.
        """
        finished = self.attempts.finish(answer.state, answer.browser)
        found = self.connections.usable(finished.connection, "saml")
        try:
            if finished.connection != answer.connection:
                raise SamlRefused(Reason.UNSOLICITED)
            login = self._judged(found, answer.response, finished.facts)
        except SamlRefused as error:
            self.admission.refused(found, error.code, asking, error.reason)
            raise
        return self._admit(found, login, asking)

    def _judged(self, connection: SsoConnection, response: str, facts: Mapping[str, str]) -> Login:
        settings, now = _settings(connection), self.clock.now()
        _require_current(settings, now)
        expected = Expected(
            provider=connection.issuer,
            certificates=certificates.read(settings.certificates),
            audience=self.entity(connection.id),
            destination=self.acs(connection.id),
            request=facts[_REQUEST],
            since=datetime.fromisoformat(facts[_SINCE]) if _SINCE in facts else None,
            now=now,
            keys=certificates.keys(self._secret(connection)),
            oldest=timedelta(hours=settings.max_age_hours),
        )
        login = judge(decoded(response), expected)
        try:
            self.attempts.once(connection, "assertion", login.assertion, epoch_ms(login.not_on_or_after + LEEWAY))
        except Unauthenticated as error:
            raise SamlRefused(Reason.REPLAYED) from error
        return login

    def _admit(self, connection: SsoConnection, login: Login, asking: Asking) -> SignedIn:
        settings = _settings(connection)
        end = login.session_not_on_or_after
        came = replace(asking, session=login.session_index, until=None if end is None else epoch_ms(end))
        said = login.name_id if login.name_format == names.EMAIL else None
        try:
            subject = _subject(login, settings)
        except TrothError as error:
            self.admission.refused(connection, error.code, came)
            raise
        word = Word(
            subject=subject,
            email=said if settings.email_attribute is None else _only(login, settings.email_attribute),
            name=None if settings.name_attribute is None else _only(login, settings.name_attribute),
            attributes=login.attributes,
            levels=(login.authn_context,),
            seen_at=epoch_ms(login.authenticated_at),
        )
        return self.admission.admit(connection, word, came)

    def _secret(self, connection: SsoConnection) -> str:
        secret = self.connections.secret(connection)
        if secret is None:
            raise IntegrityError("The keys of this connection are gone; make it anew.")
        return secret


def _settings(connection: SsoConnection) -> Settings:
    return Settings.model_validate(dict(connection.settings))


def _require_current(settings: Settings, now: datetime) -> None:
    if settings.valid_until is not None and epoch_ms(now) >= settings.valid_until:
        raise Conflict(
            "The metadata of this provider has expired; ask an owner of your organisation to renew it.",
            code="saml-metadata-expired",
        )


def _subject(login: Login, settings: Settings) -> Subject:
    """What the provider calls the person, always the same. Raises `Unauthenticated` (`sso-subject`)."""
    if settings.subject_attribute is not None:
        value = _only(login, settings.subject_attribute)
        if value is not None:
            return of_attribute(value, settings.subject_attribute)
    elif login.name_format in FORMATS.values():
        return of_name_id(login.name_id, login.name_format, *login.name_qualifiers)
    raise Unauthenticated(
        "The provider does not say who this is by a lasting name; tell your administrator.", code="sso-subject"
    )


def _only(login: Login, attribute: str) -> str | None:
    """The value of an attribute that has one; of several nobody knows which counts."""
    values = login.attributes.get(attribute, ())
    return values[0] if len(values) == 1 and values[0] else None
