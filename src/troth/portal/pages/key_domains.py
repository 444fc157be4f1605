"""The keys of the service, for operators: domains, roots and their states, rotation, the answer to a compromise."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.keys import domain_operations as d
from troth.keys import operations as k
from troth.keys.domain_view import DomainsShown
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, require_words, text
from troth.portal.render import Page, page

HERE = "/key-domains"
ROOTS, UNITS, GIVE_UP = "replace the roots", "replace these keys", "give this domain up"


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Every domain with its roots, the keys by state, and what is being replaced."""
    return await _show(desk, caller)


async def rotate(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Fresh roots now."""
    return await _done(desk, caller, "keys.rotate", k.KeysRotateRequest())


async def copy(desk: Desk, _request: Request, caller: Caller) -> Response:
    """All key pages to every domain."""
    return await _done(desk, caller, "key-domain.replicate", d.Nothing())


async def compromise(desk: Desk, request: Request, caller: Caller) -> Response:
    """Replace what was exposed: the roots, or the keys of a tenant or a person there."""
    form = await form_of(request)
    tenant, subject = text(form, "tenant"), text(form, "subject")
    try:
        require_words(text(form, "confirm"), UNITS if tenant or subject else ROOTS)
        advice = "Give a reason in small letters and dashes, as lost-token; a person needs their tenant."
        named = {"tenant": tenant or None, "subject": subject or None}
        wish = filled(k.KeysCompromiseRequest, advice, reason=text(form, "reason"), **named)
    except TrothError as error:
        return await _show(desk, caller, error)
    return await _done(desk, caller, "keys.compromise", wish)


async def retire(desk: Desk, request: Request, caller: Caller) -> Response:
    """Give a domain up."""
    form: FormData = await form_of(request)
    try:
        require_words(text(form, "confirm"), GIVE_UP)
        named = {"domain": request.path_params["domain"], "lost": text(form, "lost") == "yes"}
        wish = filled(d.Retirement, "There is no such domain.", **named)
    except TrothError as error:
        return await _show(desk, caller, error)
    return await _done(desk, caller, "key-domain.retire", wish)


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Agree to a replacement as the second operator."""
    return await _decided(desk, request, caller, "key-replacement.approve")


async def cancel(desk: Desk, request: Request, caller: Caller) -> Response:
    """Drop a replacement that waits."""
    return await _decided(desk, request, caller, "key-replacement.cancel")


async def _decided(desk: Desk, request: Request, caller: Caller, name: str) -> Response:
    form = await form_of(request)
    try:
        named = {"replacement_id": request.path_params["replacement_id"], "reason": text(form, "reason")}
        wish = filled(k.ReplacementDecided, WHY, **named)
    except TrothError as error:
        return await _show(desk, caller, error)
    return await _done(desk, caller, name, wish)


async def _done(desk: Desk, caller: Caller, name: str, wish: object) -> Response:
    try:
        await desk.run(name, caller, wish)
    except TrothError as error:
        if error.status == 403 and caller.kind != "operator":
            raise
        return await _show(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _show(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    domains: DomainsShown = await desk.run("key-domain.list", caller, d.Nothing())
    keys: k.KeysView = await desk.run("keys.list", caller, k.KeysListRequest())
    jobs: k.ReplacementList = await desk.run("key-replacement.list", caller, k.KeysListRequest())
    said = {"roots": ROOTS, "units": UNITS, "give_up": GIVE_UP}
    frame = Page("Keys of the service", HERE, caller)
    shown = {"domains": domains.domains, "keys": keys, "jobs": jobs.replacements, "said": said, "me": caller.actor}
    return page("key_domains.html", frame, error.status if error else 200, error=error, **shown)
