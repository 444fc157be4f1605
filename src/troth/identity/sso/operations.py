"""What administrators may ask about connections, what operators decide about them, and how people come in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from troth.identity import messages as identity
from troth.identity.sso import messages as m
from troth.identity.sso.admission import Asking
from troth.identity.sso.connections import Connections, SsoConnection
from troth.identity.sso.oidc import RelyingParty, Response
from troth.identity.sso.rights import require_owner
from troth.identity.throttle import Throttle, challenge_bucket, network_bucket
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoOperations:
    """The connections of one's own tenant."""

    connections: Connections
    party: RelyingParty

    @operation(
        "sso.connect",
        group=Group.ADMINISTER,
        request=m.SsoConnect,
        route=Route("POST", "/v1/sso/connections", status=201, max_bytes=1 << 16),
        command=("sso", "connect"),
    )
    def connect(self, call: Call, request: m.SsoConnect) -> m.SsoShown:
        """Connect an OpenID Connect provider (owners only, freshly signed in)."""
        require_owner(call.caller)
        made = self.connections.create(call.tenant, "oidc", self.party.prepared(request.wish(), None))
        call.note(object=made.id)
        return self._shown(made)

    @operation(
        "sso.list",
        group=Group.ADMINISTER,
        request=identity.Nothing,
        route=Route("GET", "/v1/sso/connections", body="none"),
        command=("sso", "list"),
    )
    def list(self, call: Call, request: identity.Nothing) -> m.SsoList:
        """List your tenant's connections to identity providers."""
        del request
        return m.SsoList(connections=tuple(self._shown(one) for one in self.connections.of_tenant(call.tenant)))

    @operation(
        "sso.change",
        group=Group.ADMINISTER,
        request=m.SsoChange,
        route=Route("PUT", "/v1/sso/connections/{connection_id}", max_bytes=1 << 16),
        command=("sso", "change"),
    )
    def change(self, call: Call, request: m.SsoChange) -> m.SsoShown:
        """Change a connection to an OpenID Connect provider as a whole (owners only, freshly signed in)."""
        require_owner(call.caller)
        before = self.connections.get(call.tenant, request.connection_id, "oidc")
        wish = self.party.prepared(request.wish(), before)
        changed = self.connections.change(call.tenant, request.connection_id, "oidc", wish)
        self.party.directory.forget(changed.id)
        call.note(object=changed.id)
        return self._shown(changed)

    @operation(
        "sso.delete",
        group=Group.ADMINISTER,
        request=m.SsoNamed,
        route=Route("DELETE", "/v1/sso/connections/{connection_id}", body="none"),
        command=("sso", "delete"),
    )
    def delete(self, call: Call, request: m.SsoNamed) -> identity.Done:
        """Take a connection away; sessions that it opened end (owners only, freshly signed in)."""
        require_owner(call.caller)
        self.connections.delete(call.tenant, request.connection_id)
        call.note(object=request.connection_id)
        return identity.Done()

    @operation(
        "sso.test",
        group=Group.ADMINISTER,
        request=m.SsoNamed,
        route=Route("POST", "/v1/sso/connections/{connection_id}/test", body="none"),
        command=("sso", "test"),
    )
    async def test(self, call: Call, request: m.SsoNamed) -> m.SsoTested:
        """Ask an OpenID Connect provider what it says of itself, and for its keys."""
        provider, keys = await self.party.look(call.tenant, request.connection_id)
        call.note(object=request.connection_id)
        return m.SsoTested(
            issuer=provider.issuer,
            keys=keys,
            pushed_requests=provider.pushed is not None,
            issuer_in_response=provider.says_issuer,
            back_channel_logout=provider.back_channel_logout,
        )

    @operation(
        "sso.concerned",
        group=Group.ADMINISTER,
        request=identity.Nothing,
        route=Route("GET", "/v1/sso/concerned", body="none"),
        command=("sso", "concerned"),
    )
    def concerned(self, call: Call, request: identity.Nothing) -> m.SsoConcerned:
        """Count whom an enforced provider would leave no other way in, and what of theirs would end."""
        del request
        return m.SsoConcerned.model_validate(self.connections.concerned(call.tenant))

    @operation(
        "sso.enforce",
        group=Group.ADMINISTER,
        request=m.SsoEnforce,
        route=Route("POST", "/v1/sso/connections/{connection_id}/enforce", max_bytes=1 << 12),
        command=("sso", "enforce"),
    )
    def enforce(self, call: Call, request: m.SsoEnforce) -> m.SsoShown:
        """Make a connection the only way in, or no longer (owners only, freshly signed in); count before."""
        require_owner(call.caller)
        changed = self.connections.enforce(call.tenant, request.connection_id, request.people)
        call.note(object=changed.id, count=request.people or 0)
        return self._shown(changed)

    def _shown(self, connection: SsoConnection) -> m.SsoShown:
        oidc = connection.kind == "oidc"
        return m.shown(connection, self.party.addresses(connection) if oidc else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoDomainOperations:
    """What operators say about domains."""

    connections: Connections

    @operation(
        "sso.verify-domain",
        group=Group.OPERATE,
        request=m.SsoDomainVerify,
        route=Route("POST", "/v1/sso/domains", max_bytes=1 << 12),
        command=("sso", "verify-domain"),
    )
    def verify_domain(self, call: Call, request: m.SsoDomainVerify) -> identity.Done:
        """Say that an e-mail domain is the tenant's: its addresses lead to the connection and link by themselves."""
        connection = self.connections.verify_domain(request.connection_id, request.domain)
        call.note(object=connection.id, tenant=connection.tenant)
        return identity.Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoSignInOperations:
    """Coming in, and being sent out, through an OpenID Connect provider. Counted by network as passkeys are."""

    connections: Connections
    party: RelyingParty
    throttle: Throttle

    @operation(
        "sso.find",
        group=Group.SIGN_IN,
        request=m.SsoFind,
        route=Route("POST", "/v1/sso/find", max_bytes=1 << 12),
        command=("sso", "find"),
    )
    def find(self, call: Call, request: m.SsoFind) -> m.SsoFound:
        """Find the identity provider that an e-mail address's domain leads to."""
        del call
        found = self.connections.of_address(request.email)
        if found is None:
            return m.SsoFound(connection_id=None, kind=None, name=None)
        return m.SsoFound(connection_id=found.id, kind=found.kind, name=found.name)

    @operation(
        "sso.begin",
        group=Group.SIGN_IN,
        request=m.SsoBegin,
        route=Route("POST", "/v1/sso/begin", max_bytes=1 << 12),
        command=("sso", "begin"),
    )
    async def begin(self, call: Call, request: m.SsoBegin) -> m.SsoBegun:
        """Begin to sign in through an OpenID Connect provider."""
        await asyncio.to_thread(self.throttle.admit, [challenge_bucket(call.caller.connection.network)])
        begun = await self.party.begin(request.connection_id, request.browser, fresh=request.fresh)
        return m.SsoBegun.model_validate(begun)

    @operation(
        "sso.finish",
        group=Group.SIGN_IN,
        request=m.SsoFinish,
        route=Route("POST", "/v1/sso/finish", status=201, max_bytes=1 << 13),
        command=("sso", "finish"),
        data_class=DataClass.ACCOUNT,
    )
    async def finish(self, call: Call, request: m.SsoFinish) -> identity.SessionCreated:
        """Finish to sign in with what the provider sent back."""
        said = {name: getattr(request, name) for name in ("state", "browser", "code", "error")}
        response = Response(connection=request.connection_id, issuer=request.iss, **said)
        asking = Asking(request=call.request_id, channel=call.caller.connection, device=request.device)
        counts = [network_bucket(asking.channel.network), challenge_bucket(asking.channel.network)]
        await asyncio.to_thread(self.throttle.admit, counts[:1])
        done = await self.party.finish(response, asking)
        await asyncio.to_thread(self.throttle.succeeded, counts)
        await asyncio.to_thread(self.party.admission.sessions.bind_to, done.session.id, call.caller.device)
        return m.entered(done)

    @operation(
        "sso.client-keys",
        group=Group.PUBLIC,
        request=m.SsoNamed,
        route=Route("GET", "/v1/sso/connections/{connection_id}/keys", body="none"),
        command=("sso", "client-keys"),
    )
    def client_keys(self, call: Call, request: m.SsoNamed) -> m.SsoKeys:
        """Fetch the public key by which we prove ourselves to a provider as its client (RFC 7517)."""
        del call
        return m.SsoKeys(keys=self.party.keys(request.connection_id))

    @operation(
        "sso.logout",
        group=Group.SIGN_IN,
        request=m.SsoLogout,
        route=Route("POST", "/v1/sso/connections/{connection_id}/logout", body="form", max_bytes=1 << 16),
    )
    async def logout(self, call: Call, request: m.SsoLogout) -> identity.Done:
        """End the sessions that a provider's logout token names (OpenID Connect Back-Channel Logout 1.0)."""
        ended = await self.party.log_out(request.connection_id, request.logout_token)
        call.note(object=request.connection_id, count=ended)
        return identity.Done()
