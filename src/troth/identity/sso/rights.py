"""Who may change who comes in."""

from __future__ import annotations

from sqlalchemy import Connection as Sql

from troth.identity.duties import check_person
from troth.kernel.caller import Caller
from troth.kernel.errors import Conflict, Denied

STEP_UP_SECONDS = 15 * 60  # age of the last proof of identity that still changes who may come in


def require_fresh(caller: Caller) -> None:
    """Raises `Denied` (`step-up-required`) when the caller's last proof is older than a quarter of an hour."""
    if caller.authentication.age_seconds > STEP_UP_SECONDS:
        raise Denied("Prove your session anew first (step-up), then ask again.", code="step-up-required")


def require_owner(caller: Caller) -> None:
    """Whoever names the provider can become anybody whose link opens: an owner by gift, freshly signed in.

    Raises `Denied`.
    """
    if "owner" not in caller.given:
        raise Denied("Only an owner says who vouches for people; ask one.", code="role-not-yours")
    require_fresh(caller)


def joins_duties(sql: Sql, tenant: str, user: str, role: str, now: int) -> bool:
    """True when a person would hold duties together that are held apart: a provider does not give that role."""
    try:
        check_person(sql, tenant, user, role, now)
    except Conflict:
        return True
    return False
