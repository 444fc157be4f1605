"""Provisioning tokens: made, listed, rotated and revoked by owners, freshly signed in."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from troth.identity import messages as identity
from troth.identity.scim import messages as m
from troth.identity.scim.tokens import ProvisioningTokens, Wish
from troth.identity.sso.rights import require_owner
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningOperations:
    """The tokens of one's own tenant. `address`: what a provider is given with one."""

    tokens: ProvisioningTokens
    address: str

    @operation(
        "provisioning.create",
        group=Group.ADMINISTER,
        request=m.TokenCreate,
        route=Route("POST", "/v1/provisioning/tokens", status=201, max_bytes=1 << 12),
        command=("provisioning", "create"),
    )
    def create(self, call: Call, request: m.TokenCreate) -> m.TokenIssued:
        """Make a token by which a provider provisions people (owners only, freshly signed in); it is shown once."""
        require_owner(call.caller)
        wish = Wish(
            connection=request.connection_id,
            name=request.name,
            created_by=call.caller.actor,
            days=request.days,
            networks=request.networks,
        )
        issued = self.tokens.create(call.tenant, wish)
        call.note(key=issued.id, object=request.connection_id, expires=issued.expires_at)
        return m.TokenIssued(**asdict(issued), address=self.address)

    @operation(
        "provisioning.list",
        group=Group.ADMINISTER,
        request=identity.Nothing,
        route=Route("GET", "/v1/provisioning/tokens", body="none"),
        command=("provisioning", "list"),
    )
    def list(self, call: Call, request: identity.Nothing) -> m.TokenList:
        """List your tenant's provisioning tokens, and the address that a provider is given."""
        del request
        shown = (m.TokenShown.model_validate(one) for one in self.tokens.of_tenant(call.tenant))
        return m.TokenList(address=self.address, tokens=tuple(shown))

    @operation(
        "provisioning.rotate",
        group=Group.ADMINISTER,
        request=m.TokenRotate,
        route=Route("POST", "/v1/provisioning/tokens/{token_id}/rotate", max_bytes=1 << 10),
        command=("provisioning", "rotate"),
    )
    def rotate(self, call: Call, request: m.TokenRotate) -> m.TokenIssued:
        """Give a token a new secret; the old one stops at once (owners only, freshly signed in)."""
        require_owner(call.caller)
        issued = self.tokens.rotate(call.tenant, request.token_id, request.days)
        call.note(key=issued.id, expires=issued.expires_at)
        return m.TokenIssued(**asdict(issued), address=self.address)

    @operation(
        "provisioning.revoke",
        group=Group.ADMINISTER,
        request=m.TokenNamed,
        route=Route("DELETE", "/v1/provisioning/tokens/{token_id}", body="none"),
        command=("provisioning", "revoke"),
    )
    def revoke(self, call: Call, request: m.TokenNamed) -> identity.Done:
        """End a token at once; people, groups and roles stay (owners only, freshly signed in)."""
        require_owner(call.caller)
        self.tokens.revoke(call.tenant, request.token_id)
        call.note(key=request.token_id)
        return identity.Done()
