"""Which pages a caller is offered. The policy decides what they may do; this only hides doors that stay shut."""

from __future__ import annotations

from typing import NamedTuple

from troth.kernel.caller import Caller

Entry = tuple[str, str]  # address, text


class Section(NamedTuple):
    """Entries that belong together; those of a section without a `name` stand by themselves."""

    name: str
    entries: tuple[Entry, ...]


_OPERATOR = (
    Section("Customers", (("/tenants", "Tenants"), ("/offboardings", "Off-boarding"), ("/placement", "Placement"))),
    Section("Service", (("/vendors", "Vendors"), ("/takedowns", "Take-downs"), ("/key-domains", "Keys"))),
    Section(
        "Evidence",
        (
            *(("/log", "Log"), ("/reviews", "Reviews"), ("/access", "Access")),
            *(("/decisions", "Decisions"), ("/trust", "Promises")),
        ),
    ),
    Section("", (("/account", "Account"),)),
)
# Built-in roles, and what a custom one says (`identity.duties`).
_KEYS = frozenset({"owner", "admin", "member", "may:own-keys"})
_PEOPLE = frozenset({"owner", "admin", "may:administer"})
_PRIVACY = frozenset({"owner", "privacy-officer", "may:privacy"})
_AUDIT = frozenset({"owner", "auditor", "security-analyst", "may:audit"})
_GOVERN = frozenset({"owner", "admin", "privacy-officer", "security-analyst", "may:govern"})
_REVIEW = frozenset({"owner", "may:review"})
_LEADS = frozenset({"privacy-officer", "security-analyst"})
_ROOMS = frozenset({"auditor", "room-auditor"})
_ROOM_ALONE = frozenset({"room-auditor"})  # who has nothing else has no data here


def sections(caller: Caller | None) -> list[Section]:
    """The navigation of a caller, in order."""
    if caller is None or caller.anonymous:
        return [Section("", (("/trust", "Promises"), ("/verify", "Verify"), ("/sign-in", "Sign in")))]
    if caller.authentication.assurance < 2:
        return [Section("", (("/welcome", "Welcome"), ("/trust", "Promises")))]
    return list(_OPERATOR) if caller.kind == "operator" else _of_person(caller.roles)


def entries(caller: Caller | None) -> list[Entry]:
    """Every page that the navigation of a caller offers, in order."""
    return [entry for section in sections(caller) for entry in section.entries]


def start(caller: Caller) -> str:
    """Where this caller wants to be first."""
    return entries(caller)[0][0]


def may_erase_others(caller: Caller) -> bool:
    """True for roles that erase people of their tenant on request."""
    return bool(caller.roles & _PRIVACY)


def may_read_log(caller: Caller) -> bool:
    """True for roles that read the log of their tenant."""
    return bool(caller.roles & _AUDIT)


def may_review(caller: Caller) -> bool:
    """True for who judges what administrators did; auditors read it."""
    return caller.kind == "operator" or bool(caller.roles & _REVIEW)


def may_administer(caller: Caller) -> bool:
    """True for roles that list the people of their tenant."""
    return bool(caller.roles & _PEOPLE)


def sees_all_certificates(caller: Caller) -> bool:
    """True for roles whose duty are the erasures of their tenant, or their audit."""
    return bool(caller.roles & (_PRIVACY | _AUDIT))


def _of_person(roles: frozenset[str]) -> list[Section]:
    if not roles:
        return [Section("", (("/account", "Account"), ("/trust", "Promises")))]
    keys, people, privacy, audit = (bool(roles & some) for some in (_KEYS, _PEOPLE, _PRIVACY, _AUDIT))
    govern, rooms, own = bool(roles & _GOVERN), bool(roles & _ROOMS), bool(roles - _ROOM_ALONE)
    offered = [
        ("", rooms and not own, "/room", "Rooms"),
        ("", bool(roles & _LEADS), "/home", "Home"),
        ("Mine", own, "/data", "My data"),
        ("Mine", own, "/consent", "Consent"),
        ("Mine", keys, "/keys", "API keys"),
        ("Mine", True, "/my-requests", "My requests"),
        ("Mine", own, "/redact", "Redact a text"),
        ("Mine", True, "/account", "Account"),
        ("Team", people, "/people", "People"),
        ("Team", people, "/auditors", "Auditors"),
        ("Team", people, "/single-sign-on", "Single sign-on"),
        ("Team", people, "/provisioning", "Provisioning"),
        ("Team", audit, "/access", "Access"),
        ("Team", True, "/my-access", "My access"),
        ("Rules", people, "/routing", "Choice of vendors"),
        ("Rules", people, "/limits", "Limits and budgets"),
        ("Rules", privacy, "/redaction", "Redaction policy"),
        ("Rules", govern, "/registers", "Registers"),
        ("Rules", govern, "/calendar", "Calendar"),
        ("Privacy", privacy, "/desk", "Privacy desk"),
        ("Privacy", privacy, "/holds", "Holds"),
        ("Privacy", privacy, "/retention", "Retention"),
        ("Privacy", privacy, "/placement", "Placement"),
        ("Privacy", audit or privacy, "/moderation", "Moderation"),
        ("Privacy", privacy, "/preserved", "Preserved evidence"),
        ("Evidence", own, "/activity", "Activity"),
        ("Evidence", audit, "/log", "Log"),
        ("Evidence", audit, "/reviews", "Reviews"),
        ("Evidence", audit, "/decisions", "Decisions"),
        ("Evidence", rooms and own, "/room", "Rooms"),
        ("Evidence", True, "/certificates", "Certificates"),
        ("Evidence", True, "/trust", "Promises"),
    ]
    kept = [(name, (address, text)) for name, shown, address, text in offered if shown]
    names = dict.fromkeys(name for name, _ in kept)
    return [Section(name, tuple(entry for one, entry in kept if one == name)) for name in names]
