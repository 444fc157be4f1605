"""The people of a tenant, for its owners and administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.identity.governing import messages as g
from troth.identity.roles import GIVABLE
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import access_words
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.navigation import may_erase_others
from troth.portal.render import Page, page


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Everybody, with their roles."""
    return await _people(desk, caller)


async def invite(desk: Desk, request: Request, caller: Caller) -> Response:
    """Add a person; their first password is shown once."""
    form = await form_of(request)
    advice = "Give an e-mail address, a name and roles from the list."
    fields = {"email": text(form, "email"), "display_name": text(form, "name"), "roles": form.getlist("roles")}
    try:
        made: m.UserCreated = await desk.run("user.create", caller, filled(m.UserCreate, advice, **fields))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return await _people(desk, caller, made=made)


async def give_role(desk: Desk, request: Request, caller: Caller) -> Response:
    """Give or renew a role."""
    form = await form_of(request)
    named = {"user_id": request.path_params["user_id"], "role": text(form, "role")}
    why = {"reason": text(form, "reason")} if text(form, "reason") else {}
    try:
        await desk.run("role.assign", caller, filled(m.RoleGive, "Choose a role from the list.", **named, **why))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return RedirectResponse("/people", 303)


async def take_role(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take a role away."""
    named = {"user_id": request.path_params["user_id"], "role": text(await form_of(request), "role")}
    try:
        await desk.run("role.remove", caller, filled(m.RoleNamed, "Choose a role from the list.", **named))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return RedirectResponse("/people", 303)


async def replace_roles(desk: Desk, request: Request, caller: Caller) -> Response:
    """Give other roles in the place of all."""
    form = await form_of(request)
    fields = {"roles": form.getlist("roles"), "reason": text(form, "reason")}
    named = {"user_id": request.path_params["user_id"]} | fields
    try:
        await desk.run("role.replace", caller, filled(g.RoleReplace, "Choose roles, and why.", **named))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return RedirectResponse("/people", 303)


async def offboard(desk: Desk, request: Request, caller: Caller) -> Response:
    """End everything that a leaver has, and say what is left."""
    reason = text(await form_of(request), "reason")
    named = {"user_id": request.path_params["user_id"], "reason": reason}
    try:
        left: g.UserLeft = await desk.run("user.offboard", caller, filled(g.UserLeave, "Choose why.", **named))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return await _people(desk, caller, left=left)


async def disable(desk: Desk, request: Request, caller: Caller) -> Response:
    """Shut a person out."""
    try:
        await desk.run("user.disable", caller, m.UserNamed(user_id=request.path_params["user_id"]))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return RedirectResponse("/people", 303)


async def _people(
    desk: Desk,
    caller: Caller,
    *,
    made: m.UserCreated | None = None,
    left: g.UserLeft | None = None,
    error: TrothError | None = None,
) -> Response:
    listed: m.UserList = await desk.run("user.list", caller, m.Nothing())
    custom = await _custom(desk, caller)
    givable = sorted(frozenset[str]().union(*(GIVABLE.get(role, frozenset()) for role in caller.roles)))
    return page(
        "people.html",
        Page("People", "/people", caller),
        error.status if error else 200,
        people=listed.users,
        givable=givable,
        custom=custom,
        left=left,
        say=access_words,
        me=caller.subject,
        erases=may_erase_others(caller),
        made=made,
        error=error,
    )


async def _custom(desk: Desk, caller: Caller) -> dict[str, str]:
    """The custom roles, by id, that this caller may give."""
    if "owner" not in caller.roles:
        return {}
    found: g.CustomRoleList = await desk.run("custom-role.list", caller, m.Nothing())
    return {one.id: one.name for one in found.roles}
