"""What owners and administrators may ask about links to providers, and everybody about their own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from troth.identity import messages as identity
from troth.identity.own_account import require_bound
from troth.identity.sso import messages as m
from troth.identity.sso.connections import Connections
from troth.identity.sso.links import Links
from troth.identity.sso.rights import require_fresh, require_owner
from troth.identity.sso.subjects import by_hand
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoLinkOperations:
    """The links of one's own tenant's people."""

    connections: Connections
    links: Links

    @operation(
        "sso.links",
        group=Group.ADMINISTER,
        request=identity.Nothing,
        route=Route("GET", "/v1/sso/links", body="none"),
        command=("sso", "links"),
        data_class=DataClass.ACCOUNT,
    )
    def list_links(self, call: Call, request: identity.Nothing) -> m.SsoLinkList:
        """List which people of your tenant sign in through a provider, and links that wait."""
        del request
        found = self.links.of_tenant(call.tenant)
        return m.SsoLinkList(links=tuple(m.SsoLinkShown.model_validate(one) for one in found))

    @operation(
        "sso.link",
        group=Group.ADMINISTER,
        request=m.SsoLink,
        route=Route("POST", "/v1/sso/links", status=201, max_bytes=1 << 12),
        command=("sso", "link"),
        data_class=DataClass.ACCOUNT,
    )
    def link(self, call: Call, request: m.SsoLink) -> m.SsoLinkShown:
        """Link a person by hand, for a provider that vouches for no address (owners only); of who decides, it waits for
        them."""
        require_owner(call.caller)
        connection = self.connections.get(call.tenant, request.connection_id)
        subject = by_hand(connection, request.subject, request.name_format)
        link = self.links.link(call.caller, connection, request.user_id, subject)
        call.note(object=link.id, user=link.user)
        return m.SsoLinkShown.model_validate(link)

    @operation(
        "sso.confirm",
        group=Group.ADMINISTER,
        request=m.SsoLinkNamed,
        route=Route("POST", "/v1/sso/links/{link_id}/confirm", body="none"),
        command=("sso", "confirm"),
        data_class=DataClass.ACCOUNT,
    )
    def confirm(self, call: Call, request: m.SsoLinkNamed) -> m.SsoLinkShown:
        """Let a link open its account (owners only): your own, or that of somebody who decides about nobody."""
        require_fresh(call.caller)
        link = self.links.confirm(call.caller, request.link_id)
        call.note(object=link.id, user=link.user)
        return m.SsoLinkShown.model_validate(link)

    @operation(
        "sso.unlink",
        group=Group.ADMINISTER,
        request=m.SsoLinkNamed,
        route=Route("DELETE", "/v1/sso/links/{link_id}", body="none"),
        command=("sso", "unlink"),
        data_class=DataClass.ACCOUNT,
    )
    def unlink(self, call: Call, request: m.SsoLinkNamed) -> identity.Done:
        """Take a link away; sessions that it opened end. That of an owner or privacy officer: owners only."""
        ended = self.links.remove(call.caller, request.link_id)
        call.note(object=request.link_id, count=ended)
        return identity.Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLinkOperations:
    """The links of one's own account."""

    connections: Connections
    links: Links

    @operation(
        "sso.own-links",
        group=Group.OWN_ACCOUNT,
        request=identity.Nothing,
        route=Route("GET", "/v1/me/links", body="none"),
        command=("sso", "own-links"),
        data_class=DataClass.ACCOUNT,
    )
    def own(self, call: Call, request: identity.Nothing) -> m.SsoOwnLinks:
        """List through which providers your account opens, and links that wait for you."""
        del request
        known = {one.id: one for one in self.connections.of_tenant(call.caller.tenant or "")}  # operators have none
        mine = ((one, known.get(one.connection)) for one in self.links.of_person(call.subject))
        told = (m.SsoOwnLink(**asdict(one), name=by.name, kind=by.kind) for one, by in mine if by is not None)
        return m.SsoOwnLinks(links=tuple(told))

    @operation(
        "sso.accept",
        group=Group.OWN_ACCOUNT,
        request=m.SsoLinkNamed,
        route=Route("POST", "/v1/me/links/{link_id}/accept", body="none"),
        command=("sso", "accept"),
        data_class=DataClass.ACCOUNT,
    )
    def accept(self, call: Call, request: m.SsoLinkNamed) -> m.SsoLinkShown:
        """Let a provider open your account, if you decide about others; signed in with a password or passkey."""
        require_fresh(call.caller)
        require_bound(call.caller)
        link = self.links.confirm(call.caller, request.link_id)
        call.note(object=link.id, user=link.user)
        return m.SsoLinkShown.model_validate(link)
