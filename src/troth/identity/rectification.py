"""Correcting one's own account (GDPR Art. 16, CCPA 1798.106): e-mail address and name, after a one-time code."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity import messages as m
from troth.identity.own_account import OwnAccount, person_and_session
from troth.identity.sso.store import domains
from troth.identity.store import users
from troth.identity.users import EMAIL, NAME, normalised_email, taken
from troth.kernel.caller import Caller
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied, Invalid
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectification:
    """Writes corrected fields, sealed anew under the same key."""

    database: Database
    fields: PersonalFields
    own: OwnAccount

    def rectify(self, caller: Caller, code: str, *, email: str | None, display_name: str | None) -> None:
        """Correct what is given. A new address is what the person signs in with; other sessions end.

        Raises `Unauthenticated` for a wrong code or no session, `Invalid` for nothing to correct or an address that is
        none, `Denied` (`address-of-provider`), `Conflict` for one that has an account, `TooMany`.
        """
        person, session = person_and_session(caller)
        if email is None and display_name is None:
            raise Invalid("Give the e-mail address or the display name as it should be.", code="nothing-to-correct")
        address = None if email is None else normalised_email(email)
        self.own.prove(caller, code)
        if address is not None:
            self._refuse_provided(address)
        values = self._sealed(self.own.users.get(person).tenant, person, address, display_name)
        try:
            with self.database.write() as connection:
                connection.execute(update(users).where(users.c.id == person).values(**values))
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise taken() from error
        if address is not None:
            self.own.sessions.revoke_others(person, session)

    def _sealed(self, tenant: str, person: str, email: str | None, name: str | None) -> dict[str, bytes]:
        values: dict[str, bytes] = {}
        if email is not None:
            index = self.fields.blind_index(EMAIL, email)
            self._refuse_taken(person, index)
            values = {"email_index": index, "email": self.fields.seal(tenant, person, EMAIL, email.encode())}
        if name is not None:
            values["display_name"] = self.fields.seal(tenant, person, NAME, name.encode())
        return values

    @as_system  # a domain has one connection in all tenants
    def _refuse_provided(self, address: str) -> None:
        """Nobody checks a mailbox here: who wrote a colleague's address would be taken for that colleague."""
        here = select(domains.c.domain).where(domains.c.verified == address.rpartition("@")[2])
        with self.database.read() as connection:
            if connection.execute(here).first() is not None:
                raise Denied(
                    "Addresses of this domain come from its identity provider; have yours changed there, and ask an"
                    " owner to link you.",
                    code="address-of-provider",
                )

    def _refuse_taken(self, person: str, index: bytes) -> None:
        account = self.own.users.account(index)
        if account is not None and account.id != person:
            raise taken()


@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationOperations:
    """Correcting oneself."""

    rectification: Rectification

    @operation(
        "account.rectify",
        group=Group.OWN_ACCOUNT,
        request=m.AccountRectify,
        route=Route("POST", "/v1/me/rectification", max_bytes=1 << 12),
        command=("account", "rectify"),
        data_class=DataClass.ACCOUNT,
    )
    def rectify_account(self, call: Call, request: m.AccountRectify) -> m.Done:
        """Correct your e-mail address or display name, with a one-time code; a new address ends your other sessions."""
        given = {"email": request.email, "display_name": request.display_name}
        self.rectification.rectify(call.caller, request.totp, **given)
        call.note(kinds={name.replace("_", "-"): 1 for name, value in given.items() if value is not None})
        return m.Done()
