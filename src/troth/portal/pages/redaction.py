"""What is taken out of a tenant's prompts: everybody may see the table, privacy officers may set the policy."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.kernel.operation import Binary
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.navigation import may_erase_others
from troth.portal.render import Page, page
from troth.redact import policy_operations as m
from troth.redact.policy import shipped_text

_ADVICE = "Paste a whole policy in YAML, of 256 KB at most."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The table, and for officers the text to change."""
    return await _shown(desk, caller)


async def change(desk: Desk, request: Request, caller: Caller) -> Response:
    """Set the policy."""
    form = await form_of(request)
    wanted = text(form, "policy").replace("\r\n", "\n")
    try:
        wish = filled(m.PolicySet, _ADVICE, policy=wanted, reason=text(form, "reason"))
        await desk.run("redaction.set", caller, wish)
    except TrothError as error:
        return await _shown(desk, caller, error, wanted)
    return RedirectResponse("/redaction", 303)


async def clear(desk: Desk, request: Request, caller: Caller) -> Response:
    """Remove the tenant's own policy."""
    form = await form_of(request)
    try:
        await desk.run("redaction.clear", caller, filled(m.PolicyClear, WHY, reason=text(form, "reason")))
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse("/redaction", 303)


async def _shown(desk: Desk, caller: Caller, error: TrothError | None = None, wanted: str = "") -> Response:
    shown: m.PolicyShown = await desk.run("redaction.show", caller, m.Asked())
    may_change = may_erase_others(caller)
    if may_change and not wanted:
        wanted = await _text(desk, caller) if shown.own else shipped_text("vendor")
    frame, status = Page("Redaction", "/redaction", caller), error.status if error else 200
    return page("redaction.html", frame, status, shown=shown, may_change=may_change, error=error, text=wanted)


async def _text(desk: Desk, caller: Caller) -> str:
    written: Binary = await desk.run("redaction.export", caller, m.Asked())
    return written.content.decode()
