"""Which pages a caller is offered. The policy decides what they may do; this only hides doors that stay shut."""

from __future__ import annotations

from troth.kernel.caller import Caller

Entry = tuple[str, str]  # address, text

_KEYS = frozenset({"owner", "admin", "member"})
_PEOPLE = frozenset({"owner", "admin"})
_PRIVACY = frozenset({"owner", "privacy-officer"})
_AUDIT = frozenset({"owner", "auditor"})


def entries(caller: Caller | None) -> list[Entry]:
    """The navigation of a caller, in order."""
    if caller is None or caller.anonymous:
        return [("/trust", "Promises"), ("/verify", "Verify"), ("/sign-in", "Sign in")]
    if caller.authentication.assurance < 2:
        return [("/welcome", "Welcome"), ("/trust", "Promises")]
    if caller.kind == "operator":
        own = [("/tenants", "Tenants"), ("/vendors", "Vendors"), ("/log", "Log")]
    else:
        own = _of_person(caller.roles)
    return [*own, ("/account", "Account"), ("/trust", "Promises")]


def start(caller: Caller) -> str:
    """Where this caller wants to be first."""
    return entries(caller)[0][0]


def may_erase_others(caller: Caller) -> bool:
    """True for roles that erase people of their tenant on request."""
    return bool(caller.roles & _PRIVACY)


def _of_person(roles: frozenset[str]) -> list[Entry]:
    if not roles:
        return []
    offered = [
        (True, "/data", "My data"),
        (True, "/consent", "Consent"),
        (bool(roles & _KEYS), "/keys", "API keys"),
        (True, "/my-requests", "My requests"),
        (True, "/activity", "Activity"),
        (bool(roles & _PEOPLE), "/people", "People"),
        (bool(roles & _PRIVACY), "/desk", "Privacy desk"),
        (bool(roles & _PRIVACY), "/holds", "Holds"),
        (bool(roles & _PRIVACY), "/retention", "Retention"),
        (bool(roles & _AUDIT), "/log", "Log"),
    ]
    return [(address, text) for shown, address, text in offered if shown]
