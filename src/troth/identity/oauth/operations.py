"""What clients ask the authorization server, what people decide about devices, and what administrators do about
service accounts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from troth.identity.messages import Done, Nothing
from troth.identity.oauth import messages as m
from troth.identity.oauth.answering import require_permitted, require_responsible
from troth.identity.oauth.device_codes import Decider, DeviceCodes
from troth.identity.oauth.endpoint import DEVICE_GRANT, Asked, TokenEndpoint
from troth.identity.oauth.public_keys import ALGORITHMS
from troth.identity.oauth.service_accounts import (
    BY_CERTIFICATE,
    BY_KEY,
    SCOPES,
    NewServiceAccount,
    ServiceAccount,
    ServiceAccounts,
)
from troth.identity.own_account import OwnAccount, person_and_session
from troth.identity.throttle import Bucket, Limit, session_bucket
from troth.kernel.caller import Caller
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied
from troth.kernel.operation import Call, Group, Route, operation

_TENANT = Limit(free=60, first_ms=500, cap_ms=10_000, window_ms=10 * 60 * 1000, shared=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthOperations:
    """The endpoints of RFC 6749, 7009, 8414 and 8628."""

    endpoint: TokenEndpoint

    @operation(
        "oauth.metadata",
        group=Group.PUBLIC,
        request=Nothing,
        route=Route("GET", "/.well-known/oauth-authorization-server", body="none"),
    )
    def metadata(self, call: Call, request: Nothing) -> m.Metadata:
        """Describe the authorization server (RFC 8414)."""
        del call, request
        return described(self.endpoint.issuer)

    @operation(
        "oauth.device-authorize",
        group=Group.SIGN_IN,
        request=m.DeviceAuthorization,
        route=Route("POST", "/oauth/device_authorization", body="form", max_bytes=1 << 13),
        data_class=DataClass.ACCOUNT,
    )
    def authorize_device(self, call: Call, request: m.DeviceAuthorization) -> m.DeviceAuthorized:
        """Begin to sign a device in (RFC 8628): codes for the command line."""
        begun = self.endpoint.begin(request.client_id, call.caller)
        return m.DeviceAuthorized(
            device_code=begun.device_code,
            user_code=begun.user_code,
            verification_uri=f"{self.endpoint.issuer}/activate",
            expires_in=begun.life,
            interval=begun.seconds,
        )

    @operation(
        "oauth.token",
        group=Group.SIGN_IN,
        request=m.TokenAsked,
        route=Route("POST", "/oauth/token", body="form", max_bytes=1 << 14),
        data_class=DataClass.ACCOUNT,
    )
    def token(self, call: Call, request: m.TokenAsked) -> m.TokenGiven:
        """Get tokens for a device, a refresh token or a service account (RFC 6749)."""
        given = self.endpoint.give(_asked(call, request, request.grant_type))
        named = {"session": given.session, "user": given.user, "key": given.token, "subject": given.service}
        call.note(**{name: value for name, value in named.items() if value is not None})
        return m.TokenGiven(
            access_token=given.access,
            token_type=given.kind,
            expires_in=given.seconds,
            refresh_token=given.refresh,
            scope=given.scope,
        )

    @operation(
        "oauth.revoke",
        group=Group.SIGN_IN,
        request=m.TokenRevoke,
        route=Route("POST", "/oauth/revoke", body="form", max_bytes=1 << 14),
        data_class=DataClass.ACCOUNT,
    )
    def revoke(self, call: Call, request: m.TokenRevoke) -> m.Revoked:
        """End a token (RFC 7009); whether there was one is not told."""
        call.note(**self.endpoint.revoke(request.token, _asked(call, request, "")))
        return m.Revoked()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodeOperations:
    """What a signed-in person decides about a device that shows a code. Guesses are counted by session and tenant."""

    codes: DeviceCodes
    own: OwnAccount

    @operation(
        "device-code.show",
        group=Group.OWN_ACCOUNT,
        request=m.DeviceCodeTyped,
        route=Route("POST", "/v1/device-codes/show", max_bytes=1 << 12),
        data_class=DataClass.ACCOUNT,
    )
    def show(self, call: Call, request: m.DeviceCodeTyped) -> m.DeviceWaiting:
        """Look at the device that shows a code, before you decide."""
        with self.own.throttle.attempt(_guesses(call.caller)):
            waiting = self.codes.look(request.user_code)
        call.note(object=waiting.id)
        return m.DeviceWaiting.model_validate(waiting)

    @operation(
        "device-code.approve",
        group=Group.OWN_ACCOUNT,
        request=m.DeviceCodeTyped,
        route=Route("POST", "/v1/device-codes/approve", max_bytes=1 << 12),
        data_class=DataClass.ACCOUNT,
    )
    def approve(self, call: Call, request: m.DeviceCodeTyped) -> m.DeviceWaiting:
        """Sign the device in as yourself; needs a bound session and a proof of identity of the last 15 minutes."""
        _require_bound(call.caller)
        self.own.require_fresh(call.caller)
        return self._decided(call, request, approve=True)

    @operation(
        "device-code.deny",
        group=Group.OWN_ACCOUNT,
        request=m.DeviceCodeTyped,
        route=Route("POST", "/v1/device-codes/deny", max_bytes=1 << 12),
        data_class=DataClass.ACCOUNT,
    )
    def deny(self, call: Call, request: m.DeviceCodeTyped) -> m.DeviceWaiting:
        """Say no to the device that shows a code."""
        return self._decided(call, request, approve=False)

    def _decided(self, call: Call, request: m.DeviceCodeTyped, *, approve: bool) -> m.DeviceWaiting:
        person, session = person_and_session(call.caller)
        shown = call.caller.authentication
        since = epoch_ms(call.at) - shown.age_seconds * 1000
        by = Decider(person, session, shown.assurance, since, shown.phishing_resistant)
        with self.own.throttle.attempt(_guesses(call.caller)):
            decided = self.codes.decide(request.user_code, by, approve=approve)
        call.note(object=decided.id)
        return m.DeviceWaiting.model_validate(decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOperations:
    """The service accounts of one's own tenant."""

    services: ServiceAccounts
    own: OwnAccount

    @operation(
        "service.create",
        group=Group.ADMINISTER,
        request=m.ServiceCreate,
        route=Route("POST", "/v1/services", status=201, max_bytes=1 << 13),
        command=("service", "create"),
        data_class=DataClass.ACCOUNT,
    )
    def create(self, call: Call, request: m.ServiceCreate) -> m.ServiceShown:
        """Make a service account, which signs in by its own key or certificate (freshly signed in)."""
        self.own.require_fresh(call.caller)
        require_permitted(call.caller, request.scopes)
        wished = {name: getattr(request, name) for name in ("name", "scopes", "days", "jwk")}
        owner = request.owner_id or call.subject
        made = self.services.create(NewServiceAccount(tenant=call.tenant, owner=owner, **wished))
        call.note(object=made.id, user=owner, expires=made.expires_at)
        return _shown(made, call)

    @operation(
        "service.list",
        group=Group.ADMINISTER,
        request=Nothing,
        route=Route("GET", "/v1/services", body="none"),
        command=("service", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list(self, call: Call, request: Nothing) -> m.ServiceList:
        """List your tenant's service accounts, who answers for them, and when they were last used."""
        del request
        return m.ServiceList(services=tuple(_shown(one, call) for one in self.services.of_tenant(call.tenant)))

    @operation(
        "service.disable",
        group=Group.ADMINISTER,
        request=m.ServiceNamed,
        route=Route("POST", "/v1/services/{service_id}/disable", body="none"),
        command=("service", "disable"),
        data_class=DataClass.ACCOUNT,
    )
    def disable(self, call: Call, request: m.ServiceNamed) -> Done:
        """Switch a service account off for good; its tokens end at once."""
        ended = self.services.disable(call.tenant, request.service_id)
        call.note(object=request.service_id, count=ended)
        return Done()

    @operation(
        "service.rotate",
        group=Group.ADMINISTER,
        request=m.ServiceRotate,
        route=Route("PUT", "/v1/services/{service_id}/key", max_bytes=1 << 13),
        command=("service", "rotate"),
        data_class=DataClass.ACCOUNT,
    )
    def rotate(self, call: Call, request: m.ServiceRotate) -> Done:
        """Give a service account a new key (who answers for it, or an owner); the former one signs for a day more."""
        self.own.require_fresh(call.caller)
        responsible = require_responsible(call.caller, self.services.get(call.tenant, request.service_id).owner)
        ended = self.services.rotate(call.tenant, request.service_id, request.jwk, exposed=request.exposed)
        call.note(object=request.service_id, count=ended, **responsible)
        return Done()

    @operation(
        "service.assign",
        group=Group.ADMINISTER,
        request=m.ServiceAssign,
        route=Route("PUT", "/v1/services/{service_id}/owner", max_bytes=1 << 12),
        command=("service", "assign"),
        data_class=DataClass.ACCOUNT,
    )
    def assign(self, call: Call, request: m.ServiceAssign) -> Done:
        """Name who answers for a service account from now on (who did so far, or an owner)."""
        require_responsible(call.caller, self.services.get(call.tenant, request.service_id).owner)
        self.services.assign(call.tenant, request.service_id, request.owner_id)
        call.note(object=request.service_id, user=request.owner_id)
        return Done()


def described(issuer: str) -> m.Metadata:
    """What the server says of itself."""
    methods = ("none", BY_KEY, BY_CERTIFICATE)  # "none": the command line, a public client that a key stands for
    return m.Metadata(
        issuer=issuer,
        token_endpoint=f"{issuer}/oauth/token",
        device_authorization_endpoint=f"{issuer}/oauth/device_authorization",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        grant_types_supported=(DEVICE_GRANT, "refresh_token", "client_credentials"),
        scopes_supported=tuple(sorted(SCOPES)),
        token_endpoint_auth_methods_supported=methods,
        token_endpoint_auth_signing_alg_values_supported=ALGORITHMS,
        revocation_endpoint_auth_methods_supported=methods,
        revocation_endpoint_auth_signing_alg_values_supported=ALGORITHMS,
        dpop_signing_alg_values_supported=ALGORITHMS,
    )


def _asked(call: Call, request: m.TokenAsked | m.TokenRevoke, grant: str) -> Asked:
    secret = {name: getattr(request, name, None) for name in ("device_code", "refresh_token", "scope")}
    return Asked(
        grant=grant,
        client=request.client_id,
        caller=call.caller,
        request=call.request_id,
        assertion_type=request.client_assertion_type,
        assertion=request.client_assertion,
        **secret,
    )


def _require_bound(caller: Caller) -> None:
    """A copied cookie must not get itself a key. Raises `Denied` (`device-unbound`)."""
    if caller.device.bound is None:
        advice = "Approve it from a browser whose session belongs to its device; sign in there again."
        raise Denied(advice, code="device-unbound")


def _guesses(caller: Caller) -> list[Bucket]:
    """A code is guessed slowly by one session, and not much faster by a whole tenant."""
    tenant = sha256(f"troth device codes\0{caller.tenant or 'operators'}".encode()).digest()
    return [session_bucket(f"device-code {caller.authentication.credential}"), Bucket(tenant, _TENANT)]


def _shown(service: ServiceAccount, call: Call) -> m.ServiceShown:
    members = {name: getattr(service, name) for name in m.ServiceShown.model_fields if name != "in_force"}
    return m.ServiceShown(**members, in_force=service.in_force(epoch_ms(call.at)))
