"""The people of a tenant, for its owners and administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.identity.roles import GIVABLE
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
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
    role = text(await form_of(request), "role")
    return await _change(desk, caller, "role.assign", user_id=request.path_params["user_id"], role=role)


async def take_role(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take a role away."""
    role = text(await form_of(request), "role")
    return await _change(desk, caller, "role.remove", user_id=request.path_params["user_id"], role=role)


async def disable(desk: Desk, request: Request, caller: Caller) -> Response:
    """Shut a person out."""
    try:
        await desk.run("user.disable", caller, m.UserNamed(user_id=request.path_params["user_id"]))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return RedirectResponse("/people", 303)


async def _change(desk: Desk, caller: Caller, name: str, *, user_id: str, role: str) -> Response:
    try:
        await desk.run(name, caller, filled(m.RoleNamed, "Choose a role from the list.", user_id=user_id, role=role))
    except TrothError as error:
        return await _people(desk, caller, error=error)
    return RedirectResponse("/people", 303)


async def _people(
    desk: Desk, caller: Caller, *, made: m.UserCreated | None = None, error: TrothError | None = None
) -> Response:
    listed: m.UserList = await desk.run("user.list", caller, m.Nothing())
    givable = sorted(frozenset[str]().union(*(GIVABLE.get(role, frozenset()) for role in caller.roles)))
    return page(
        "people.html",
        Page("People", "/people", caller),
        error.status if error else 200,
        people=listed.users,
        givable=givable,
        me=caller.subject,
        erases=may_erase_others(caller),
        made=made,
        error=error,
    )
