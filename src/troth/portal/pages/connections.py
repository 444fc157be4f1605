"""Connections to identity providers, for owners; administrators look. And everybody's own links.

Everything works by plain forms: lists are written one a line, and mappings as `value = role`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as identity
from troth.identity.sso import messages as m
from troth.identity.sso.connections import no_connection
from troth.identity.sso.saml import messages as saml
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, NotFound, TrothError
from troth.portal.desk import Desk
from troth.portal.forms import document_and_form, filled, form_of, require_words, text
from troth.portal.render import Page, page

HERE = "/single-sign-on"
ENFORCE = "only through the provider"  # what an owner types
DELETE = "delete this connection"
_ADVICE = (
    "Give a name, at least one e-mail domain, what the kind of provider needs, and mappings as value = role, one a"
    " line."
)


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Every connection, who waits, and forms for another one."""
    return await _overview(desk, caller)


async def connect(desk: Desk, request: Request, caller: Caller) -> Response:
    """A fresh OpenID Connect connection."""
    form = await form_of(request)
    try:
        way = text(form, "client_auth") or "basic"
        secret = text(form, "client_secret") or None
        fields = {"issuer": text(form, "issuer"), "client_id": text(form, "client_id"), "client_secret": secret}
        settings = {"client_auth": way, "algorithms": [text(form, "algorithm") or "RS256"]}
        wish = filled(m.SsoConnect, _ADVICE, **_common(form), **fields, settings=settings)
        made: m.SsoShown = await desk.run("sso.connect", caller, wish)
    except TrothError as error:
        return await _overview(desk, caller, error)
    return RedirectResponse(f"{HERE}/{made.id}", 303)


async def connect_saml(desk: Desk, request: Request, caller: Caller) -> Response:
    """A fresh SAML connection, by the provider's metadata as a file or pasted."""
    metadata, form = await document_and_form(request, "metadata")
    try:
        names = ("subject_attribute", "email_attribute", "name_attribute")
        reading = {name: text(form, name) for name in names if text(form, name)}
        wish = filled(saml.SamlConnect, _ADVICE, **_common(form), metadata=metadata, reading=reading)
        made: saml.SamlShown = await desk.run("saml.connect", caller, wish)
    except TrothError as error:
        return await _overview(desk, caller, error)
    return RedirectResponse(f"{HERE}/{made.id}", 303)


async def one(desk: Desk, request: Request, caller: Caller) -> Response:
    """One connection: what is to be registered at the provider, its domains, rules and certificates."""
    return await _one(desk, request, caller)


async def test(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask the provider what it says of itself."""
    named = m.SsoNamed(connection_id=request.path_params["connection_id"])
    try:
        tested: m.SsoTested = await desk.run("sso.test", caller, named)
    except TrothError as error:
        return await _one(desk, request, caller, error=error)
    return await _one(desk, request, caller, tested=tested)


async def enforce(desk: Desk, request: Request, caller: Caller) -> Response:
    """Make it the only way in for the people who were counted on the page, or no longer."""
    form = await form_of(request)
    people = text(form, "people")
    try:
        if people:
            require_words(text(form, "words"), ENFORCE)
        named = {"connection_id": request.path_params["connection_id"], "people": people or None}
        await desk.run("sso.enforce", caller, filled(m.SsoEnforce, "Count the people again.", **named))
    except TrothError as error:
        return await _one(desk, request, caller, error=error)
    return RedirectResponse(request.url.path.removesuffix("/enforce"), 303)


async def delete(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take a connection away."""
    try:
        require_words(text(await form_of(request), "words"), DELETE)
        await desk.run("sso.delete", caller, m.SsoNamed(connection_id=request.path_params["connection_id"]))
    except TrothError as error:
        return await _one(desk, request, caller, error=error)
    return RedirectResponse(HERE, 303)


async def link(desk: Desk, request: Request, caller: Caller) -> Response:
    """Link a person by what the provider calls them."""
    form = await form_of(request)
    fields = {name: text(form, name) for name in ("user_id", "subject")} | {"name_format": text(form, "form") or None}
    try:
        fields["connection_id"] = request.path_params["connection_id"]
        await desk.run("sso.link", caller, filled(m.SsoLink, "Choose a person and say their name there.", **fields))
    except TrothError as error:
        return await _one(desk, request, caller, error=error)
    return RedirectResponse(HERE, 303)


async def judge(desk: Desk, request: Request, caller: Caller) -> Response:
    """Confirm a link that waits, or take one away."""
    name = {"confirm": "sso.confirm", "remove": "sso.unlink"}.get(request.path_params["what"])
    try:
        if name is None:
            raise NotFound("There is nothing at this address.", code="no-route")
        await desk.run(name, caller, m.SsoLinkNamed(link_id=request.path_params["link_id"]))
    except TrothError as error:
        return await _overview(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def own(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Through which providers one's own account opens."""
    return await _own(desk, caller)


async def accept(desk: Desk, request: Request, caller: Caller) -> Response:
    """Let a provider open one's own account, for who decides about others."""
    try:
        await desk.run("sso.accept", caller, m.SsoLinkNamed(link_id=request.path_params["link_id"]))
    except TrothError as error:
        return await _own(desk, caller, error)
    return RedirectResponse("/my-links", 303)


async def _overview(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    listed: m.SsoList = await desk.run("sso.list", caller, identity.Nothing())
    found: m.SsoLinkList = await desk.run("sso.links", caller, identity.Nothing())
    ends = {one.id: await _ends(desk, caller, one) for one in listed.connections}
    return page(
        "connections.html",
        Page("Single sign-on", HERE, caller),
        error.status if error else 200,
        connections=listed.connections,
        links=found.links,
        people=await _people(desk, caller),
        ends=ends,
        owner="owner" in caller.roles,
        now=int(datetime.now(UTC).timestamp() * 1000),
        error=error,
    )


async def _one(
    desk: Desk, request: Request, caller: Caller, *, error: TrothError | None = None, tested: m.SsoTested | None = None
) -> Response:
    named = m.SsoNamed(connection_id=request.path_params["connection_id"])
    listed: m.SsoList = await desk.run("sso.list", caller, identity.Nothing())
    connection = next((one for one in listed.connections if one.id == named.connection_id), None)
    if connection is None:
        raise no_connection()
    told = await desk.run("saml.show", caller, named) if connection.kind == "saml" else None
    return page(
        "connection.html",
        Page(connection.name, HERE, caller),
        error.status if error else 200,
        one=connection,
        saml=told,
        tested=tested,
        people=await _people(desk, caller),
        concerned=await desk.run("sso.concerned", caller, identity.Nothing()),
        owner="owner" in caller.roles,
        now=int(datetime.now(UTC).timestamp() * 1000),
        enforce_words=ENFORCE,
        delete_words=DELETE,
        error=error,
    )


async def _own(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.SsoOwnLinks = await desk.run("sso.own-links", caller, identity.Nothing())
    frame = Page("Providers that open your account", "/account", caller)
    return page("own_links.html", frame, error.status if error else 200, links=found.links, error=error)


async def _people(desk: Desk, caller: Caller) -> Mapping[str, str]:
    listed: identity.UserList = await desk.run("user.list", caller, identity.Nothing())
    return {one.id: f"{one.display_name} ({one.email})" for one in listed.users}


async def _ends(desk: Desk, caller: Caller, connection: m.SsoShown) -> int | None:
    """When the first certificate of either side ends, epoch ms; nothing ends by OpenID Connect."""
    if connection.kind != "saml":
        return None
    told: saml.SamlShown = await desk.run("saml.show", caller, m.SsoNamed(connection_id=connection.id))
    return min(one.expires_at for one in (*told.certificates, *told.own))


def _common(form: FormData) -> dict[str, Any]:
    rules: dict[str, Any] = {
        "role_claim": text(form, "role_claim") or None,
        "roles": dict(_pairs(text(form, "roles"))),
        "assurance": text(form, "assurance") or 1,
        "required": {},
    }
    for claim, value in _pairs(text(form, "required")):
        rules["required"][claim] = (*rules["required"].get(claim, ()), value)
    return {
        "name": text(form, "name"),
        "domains": text(form, "domains").split(),
        "rules": rules,
        "just_in_time": bool(text(form, "just_in_time")),
    }


def _pairs(written: str) -> list[tuple[str, str]]:
    """Lines of `left = right`. Raises `Invalid`."""
    pairs = [line.rpartition("=") for line in written.splitlines() if line.strip()]
    if not all(mark for _, mark, _ in pairs):
        raise Invalid(_ADVICE)
    return [(left.strip(), right.strip()) for left, _, right in pairs]
