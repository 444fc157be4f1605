"""What owners may ask about SAML connections, and how people come in by them."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity import messages as identity
from troth.identity.sso.admission import Asking
from troth.identity.sso.messages import SsoBegin, SsoBegun, SsoNamed, entered
from troth.identity.sso.rights import require_owner
from troth.identity.sso.saml import messages as m
from troth.identity.sso.saml import metadata
from troth.identity.sso.saml.door import Answer, SamlDoor
from troth.identity.sso.saml.setup import SamlSetup
from troth.identity.throttle import Throttle, challenge_bucket, network_bucket
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlOperations:
    """The SAML connections of one's own tenant."""

    setup: SamlSetup

    @operation(
        "saml.connect",
        group=Group.ADMINISTER,
        request=m.SamlConnect,
        route=Route("POST", "/v1/sso/saml", status=201, max_bytes=1 << 19),
        command=("saml", "connect"),
    )
    def connect(self, call: Call, request: m.SamlConnect) -> m.SamlShown:
        """Connect a SAML 2.0 identity provider by its metadata (owners only, freshly signed in)."""
        require_owner(call.caller)
        made = self.setup.connect(call.tenant, request)
        call.note(object=made.id)
        return self.setup.shown(made)

    @operation(
        "saml.change",
        group=Group.ADMINISTER,
        request=m.SamlChange,
        route=Route("PUT", "/v1/sso/saml/{connection_id}", max_bytes=1 << 19),
        command=("saml", "change"),
    )
    def change(self, call: Call, request: m.SamlChange) -> m.SamlShown:
        """Change a SAML connection as a whole, with the provider's metadata of today (owners only)."""
        require_owner(call.caller)
        changed = self.setup.change(call.tenant, request)
        call.note(object=changed.id)
        return self.setup.shown(changed)

    @operation(
        "saml.show",
        group=Group.ADMINISTER,
        request=SsoNamed,
        route=Route("GET", "/v1/sso/saml/{connection_id}", body="none"),
        command=("saml", "show"),
    )
    def show(self, call: Call, request: SsoNamed) -> m.SamlShown:
        """Show a SAML connection, its certificates, and the addresses that its provider needs."""
        found = self.setup.get(call.tenant, request.connection_id)
        call.note(object=found.id)
        return self.setup.shown(found)

    @operation(
        "saml.rotate",
        group=Group.ADMINISTER,
        request=SsoNamed,
        route=Route("POST", "/v1/sso/saml/{connection_id}/rotate", body="none"),
        command=("saml", "rotate"),
    )
    def rotate(self, call: Call, request: SsoNamed) -> m.SamlShown:
        """Add a next key pair of ours to a connection; asked again, it takes the place of the first (owners only)."""
        require_owner(call.caller)
        rotated = self.setup.rotate(call.tenant, request.connection_id)
        call.note(object=rotated.id)
        return self.setup.shown(rotated)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlSignInOperations:
    """Coming in through a SAML provider. Counted by network as passkeys are."""

    door: SamlDoor
    throttle: Throttle

    @operation(
        "saml.metadata",
        group=Group.PUBLIC,
        request=SsoNamed,
        route=Route("GET", "/v1/sso/saml/{connection_id}/metadata", body="none"),
        command=("saml", "metadata"),
    )
    def metadata(self, call: Call, request: SsoNamed) -> Binary:
        """Fetch our SAML metadata for a connection, for its provider."""
        del call
        return Binary(self.door.metadata(request.connection_id), metadata.MEDIA_TYPE, "metadata.xml")

    @operation(
        "saml.begin",
        group=Group.SIGN_IN,
        request=SsoBegin,
        route=Route("POST", "/v1/sso/saml/begin", max_bytes=1 << 12),
        command=("saml", "begin"),
    )
    def begin(self, call: Call, request: SsoBegin) -> SsoBegun:
        """Begin to sign in through a SAML provider."""
        self.throttle.admit([challenge_bucket(call.caller.connection.network)])
        begun = self.door.begin(request.connection_id, request.browser, fresh=request.fresh)
        return SsoBegun.model_validate(begun)

    @operation(
        "saml.finish",
        group=Group.SIGN_IN,
        request=m.SamlFinish,
        route=Route("POST", "/v1/sso/saml/finish", status=201, max_bytes=1 << 20),
        command=("saml", "finish"),
        data_class=DataClass.ACCOUNT,
    )
    def finish(self, call: Call, request: m.SamlFinish) -> identity.SessionCreated:
        """Finish to sign in with the Response that the provider made the browser post."""
        said = {name: getattr(request, name) for name in ("response", "state", "browser")}
        answer = Answer(connection=request.connection_id, **said)
        asking = Asking(request=call.request_id, channel=call.caller.connection, device=request.device)
        with self.throttle.attempt([network_bucket(asking.channel.network)]):
            done = self.door.finish(answer, asking)
        self.throttle.succeeded([challenge_bucket(asking.channel.network)])
        self.door.admission.sessions.bind_to(done.session.id, call.caller.device)
        return entered(done)
