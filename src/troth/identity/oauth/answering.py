"""Who may become what a service account is: whoever gives it a key, certificate or person reads what it made."""

from __future__ import annotations

from collections.abc import Collection

from troth.identity.duties import BUILT_IN, MAY
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied
from troth.kernel.operation import Group

_OWNER = "owner"
_ASKS = {"generate": Group.GENERATE}  # what else is a right of everybody who has a role


def require_responsible(caller: Caller, responsible: str | None) -> dict[str, str]:
    """The person who answers for a service account, as the fact `user`. `responsible` None: only an owner may.

    Raises `Denied` (`service-not-yours`) for anybody but that person and owners.
    """
    if caller.subject != responsible and _OWNER not in caller.given:
        raise Denied(
            "Whoever does this could be the service and read what it made; ask who answers for it, or an owner.",
            code="service-not-yours",
        )
    return {} if responsible is None else {"user": responsible}


def require_permitted(caller: Caller, scopes: Collection[str]) -> None:
    """Raises `Denied` (`scope-not-yours`) for a scope that the roles of who makes the service do not permit."""
    held = {group for role in caller.roles for group in BUILT_IN.get(role, frozenset())}
    for scope in scopes:
        asks = _ASKS.get(scope)
        if asks is not None and asks not in held and not caller.roles & {_OWNER, f"{MAY}{asks.value}"}:
            advice = "A service account is given no more than its maker may do; ask an owner."
            raise Denied(advice, code="scope-not-yours")
