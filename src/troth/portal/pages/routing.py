"""Which vendors a tenant's requests may go to: in plain words, who may be asked now, and a form for owners."""

from __future__ import annotations

import re
from decimal import Decimal

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.vendors.routing import MostPrice, RoutingPolicy
from troth.gateway.wire.models import ListModels, Models
from troth.gateway.wire.routing import DecideRouting, RoutingShown, SetRouting, ShowRouting
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal import routing_words
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.render import Page, page

HERE = "/routing"
PRICES = ("input", "output", "picture", "second")
_MICRO = 1_000_000
_PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?\Z")
_MAY_ASK = frozenset({"owner", "admin", "member"})  # who may list models
_ADVICE = "Write vendors, places and certificates in small letters, digits and hyphens, and choose why."
_MONEY = "Write prices as numbers, such as 2.50, and the currency as three letters."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What is in force, and what waits."""
    return await _shown(desk, caller)


async def change(desk: Desk, request: Request, caller: Caller) -> Response:
    """Set the policy; a looser one waits for a colleague."""
    form = await form_of(request)
    wanted = {name: text(form, name) for name in form}
    try:
        fields = {"policy": _policy(form), "reason": text(form, "reason")}
        await desk.run("routing.set", caller, filled(SetRouting, _ADVICE, **fields))
    except TrothError as error:
        return await _shown(desk, caller, error, wanted)
    return RedirectResponse(HERE, 303)


async def decide(desk: Desk, request: Request, caller: Caller) -> Response:
    """Put what waits in force, or away."""
    form = await form_of(request)
    try:
        approved = text(form, "decision") == "approve"
        await desk.run("routing.approve", caller, filled(DecideRouting, WHY, approved=approved,
                                                         reason=text(form, "reason")))  # fmt: skip
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _shown(
    desk: Desk, caller: Caller, error: TrothError | None = None, wanted: dict[str, str] | None = None
) -> Response:
    view: RoutingShown = await desk.run("routing.show", caller, ShowRouting())
    asked = dict[str, list[str]]()
    if caller.roles & _MAY_ASK:
        models: Models = await desk.run("model.list", caller, ListModels())
        for one in models.data:
            asked.setdefault(one.owned_by, []).append(one.id)
    frame, status = Page("Choice of vendors", HERE, caller), error.status if error else 200
    told = {"view": view, "asked": asked, "me": caller.actor, "owner": "owner" in caller.roles}
    given = _as_typed(view.policy) if wanted is None else wanted
    return page("routing.html", frame, status, error=error, say=routing_words, given=given, **told)


def _policy(form: FormData) -> dict[str, object]:
    lists = {name: text(form, name).lower().replace(",", " ").split()
             for name in ("allow", "deny", "regions", "certificates")}  # fmt: skip
    prices = {name: _micros(text(form, name)) for name in PRICES if text(form, name)}
    most = filled(MostPrice, _MONEY, currency=text(form, "currency").upper() or "USD", **prices) if prices else None
    choice = {"order": text(form, "order") or "listed", "fallback": text(form, "fallback") == "yes"}
    return filled(RoutingPolicy, _ADVICE, most=most, **lists, **choice).model_dump()


def _micros(typed: str) -> int:
    if not _PRICE.match(typed):
        raise Invalid(_MONEY, code="bad-price", field="most")
    return int(Decimal(typed) * _MICRO)


def _as_typed(policy: RoutingPolicy) -> dict[str, str]:
    """The policy in force as the form has it."""
    lists = {name: ", ".join(getattr(policy, name)) for name in ("allow", "deny", "regions", "certificates")}
    most = policy.most
    prices = {name: routing_words.amount(getattr(most, name)) for name in PRICES} if most else {}
    more = {"currency": most.currency if most else "", "order": policy.order}
    return lists | prices | more | {"fallback": "yes" if policy.fallback else ""}
