"""What people may ask of identity about themselves."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity import messages as m
from troth.identity.own_account import OwnAccount
from troth.identity.privacy import PrivacySettings
from troth.identity.privileged import PasskeyGrace
from troth.identity.sessions import Sessions
from troth.identity.sign_in import Credentials, SignIn
from troth.identity.tenants import Tenants
from troth.identity.users import Users
from troth.kernel.data_class import DataClass
from troth.kernel.errors import NotFound
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOperations:
    """One's own account: signing in and out, second factor, password, sessions."""

    sign_in: SignIn
    own: OwnAccount
    sessions: Sessions
    users: Users
    tenants: Tenants
    privacy: PrivacySettings
    grace: PasskeyGrace

    @operation(
        "session.create",
        group=Group.SIGN_IN,
        request=m.SessionCreate,
        route=Route("POST", "/v1/sessions", status=201, max_bytes=1 << 14),
        command=("session", "create"),
        data_class=DataClass.ACCOUNT,
    )
    def create_session(self, call: Call, request: m.SessionCreate) -> m.SessionCreated:
        """Sign in with e-mail address, password and one-time code; a proof in the header DPoP binds the session."""
        given = Credentials(request.email, request.password, request.totp, request.recovery_code, request.device)
        done = self.sign_in.sign_in(given, call.caller.connection, call.request_id)
        self.sessions.bind_to(done.session.id, call.caller.device)
        return m.SessionCreated(
            id=done.session.id,
            token=done.session.token,
            expires_at=done.session.expires_at,
            assurance=done.proof.assurance,
            missing=done.missing,
            device=done.device,
        )

    @operation(
        "session.list",
        group=Group.OWN_ACCOUNT,
        request=m.Nothing,
        route=Route("GET", "/v1/sessions", body="none"),
        command=("session", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_sessions(self, call: Call, request: m.Nothing) -> m.SessionList:
        """List your sessions."""
        del request
        shown = tuple(m.SessionShown.model_validate(one) for one in self.sessions.list(_person(call)))
        return m.SessionList(current=call.caller.authentication.credential, sessions=shown)

    @operation(
        "session.delete",
        group=Group.OWN_ACCOUNT,
        request=m.SessionDelete,
        route=Route("DELETE", "/v1/sessions/{session_id}", body="none"),
        command=("session", "delete"),
        data_class=DataClass.ACCOUNT,
    )
    def delete_session(self, call: Call, request: m.SessionDelete) -> m.Done:
        """End one of your sessions; `current` signs you out."""
        current = call.caller.authentication.credential
        session = (current or "") if request.session_id == "current" else request.session_id
        self.sessions.revoke(_person(call), session)
        call.note(session=session)
        return m.Done()

    @operation(
        "session.step-up",
        group=Group.OWN_ACCOUNT,
        request=m.SessionStepUp,
        route=Route("POST", "/v1/sessions/current/step-up", max_bytes=1 << 12),
        command=("session", "step-up"),
        data_class=DataClass.ACCOUNT,
    )
    def step_up(self, call: Call, request: m.SessionStepUp) -> m.SessionToken:
        """Prove your running session anew by a one-time code or a recovery code; it gets a new token."""
        if request.recovery_code:
            return m.SessionToken.model_validate(self.own.step_up_by_recovery(call.caller, request.recovery_code))
        return m.SessionToken.model_validate(self.own.step_up(call.caller, request.totp or ""))

    @operation(
        "totp.enrol",
        group=Group.OWN_ACCOUNT,
        request=m.TotpEnrol,
        route=Route("POST", "/v1/totp", max_bytes=1 << 12),
        command=("totp", "enrol"),
        data_class=DataClass.ACCOUNT,
    )
    def enrol_totp(self, call: Call, request: m.TotpEnrol) -> m.TotpOffered:
        """Get a secret for your authenticator app; it counts once confirmed."""
        offer = self.own.enrol(call.caller, request.totp)
        return m.TotpOffered(secret=offer.secret, uri=offer.uri)

    @operation(
        "totp.confirm",
        group=Group.OWN_ACCOUNT,
        request=m.TotpConfirm,
        route=Route("POST", "/v1/totp/confirm", max_bytes=1 << 12),
        command=("totp", "confirm"),
        data_class=DataClass.ACCOUNT,
    )
    def confirm_totp(self, call: Call, request: m.TotpConfirm) -> m.TotpConfirmed:
        """Put the offered secret in force; ends your other sessions and renews your recovery codes."""
        done = self.own.confirm(call.caller, request.totp)
        opened, codes = done.session, done.recovery_codes
        return m.TotpConfirmed(id=opened.id, token=opened.token, expires_at=opened.expires_at, recovery_codes=codes)

    @operation(
        "password.change",
        group=Group.OWN_ACCOUNT,
        request=m.PasswordChange,
        route=Route("POST", "/v1/password", max_bytes=1 << 14),
        command=("account", "password"),
        data_class=DataClass.ACCOUNT,
    )
    def change_password(self, call: Call, request: m.PasswordChange) -> m.SessionToken:
        """Change your password; ends your other sessions."""
        return m.SessionToken.model_validate(self.own.change_password(call.caller, request.current, request.new))

    @operation(
        "account.show",
        group=Group.OWN_ACCOUNT,
        request=m.Nothing,
        route=Route("GET", "/v1/me", body="none"),
        command=("account", "show"),
        data_class=DataClass.ACCOUNT,
    )
    def show_account(self, call: Call, request: m.Nothing) -> m.AccountShown:
        """Show your account, roles, second factor and privacy settings."""
        del request
        user, caller = self.users.get(_person(call)), call.caller
        return m.AccountShown(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            tenant=caller.tenant,
            tenant_name=self.tenants.get(caller.tenant).name if caller.tenant else None,
            jurisdiction=caller.jurisdiction,
            roles=tuple(sorted(caller.roles)),
            assurance=caller.authentication.assurance,
            totp=self.own.totp.confirmed(user.id),
            passkeys=self.own.passkeys.count(user.id),
            passkey_due=None if caller.authentication.passkey_shown else self.grace.due(caller),
            recovery_codes_left=self.own.recovery.left(user.id),
            privacy=self.privacy.of(user.id),
        )


def _person(call: Call) -> str:
    if call.caller.subject is None:
        raise NotFound("This belongs to a person; sign in as one.")
    return call.caller.subject
