"""What operators see of the key domains: what each is worth, whether it answers, and the states of its roots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from troth.kernel.errors import TrothError
from troth.keys.domains import Domain
from troth.keys.lifecycle import Reason
from troth.keys.store import key_root
from troth.storage.database import Database

SHOWN = 16  # newest roots of a domain


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class RootShown(_Shown):
    """One root with its SP 800-57 state and when it got there; times in epoch milliseconds, None: not yet."""

    root: str
    epoch: int
    assurance: str
    state: str
    reason: str
    created_at: int
    activated_at: int | None
    deactivated_at: int | None
    destroyed_at: int | None
    evidence: str | None


class DomainShown(_Shown):
    """One domain. `assurance` is its class today, or "unknown" while it was never reached.

    `answers` is "yes", or the code with which it was refused just now, and `advice` then what to do. `present`: how
    many roots it holds, when it answers. `given_up`: "retired", or "lost" (its roots could not be destroyed), or None.
    """

    domain: str
    kind: str
    assurance: str
    answers: str
    advice: str | None = None
    present: int | None
    given_up: str | None
    roots: tuple[RootShown, ...]


class DomainsShown(_Shown):
    """Every domain of the settings, then those that only the key tables know."""

    domains: tuple[DomainShown, ...]


def domains_shown(database: Database, domains: Sequence[Domain], jurisdiction: str) -> DomainsShown:
    """Asks every domain; one that is away is shown with its refusal and waits for no other."""
    known = _roots(database, jurisdiction)
    shown = [_asked(one, known.pop(one.name, ())) for one in domains]
    shown += [
        DomainShown(
            domain=name,
            kind="not set up",
            assurance="unknown",
            answers="no",
            present=None,
            given_up=_given_up(roots),
            roots=roots,
        )
        for name, roots in sorted(known.items())
        if any(root.destroyed_at is None for root in roots)
    ]
    return DomainsShown(domains=tuple(shown))


def _asked(domain: Domain, roots: tuple[RootShown, ...]) -> DomainShown:
    present, assurance, answers, advice = None, "unknown", "yes", None
    try:
        assurance = domain.root.assurance
        present = len(domain.root.present())
    except TrothError as error:
        answers, advice = error.code, error.advice
    return DomainShown(
        domain=domain.name,
        kind=domain.root.kind,
        assurance=assurance,
        answers=answers,
        advice=advice,
        present=present,
        given_up=_given_up(roots),
        roots=roots,
    )


def _given_up(roots: Iterable[RootShown]) -> str | None:
    reasons = {root.reason for root in roots}
    return next((one for one in (Reason.LOST, Reason.RETIRED) if one in reasons), None)


def _roots(database: Database, jurisdiction: str) -> dict[str, tuple[RootShown, ...]]:
    found: dict[str, list[RootShown]] = {}
    newest = select(key_root).where(key_root.c.jurisdiction == jurisdiction).order_by(key_root.c.epoch.desc())
    with database.read() as connection:
        for row in connection.execute(newest).mappings():
            roots = found.setdefault(row["domain"], [])
            if len(roots) < SHOWN or row["destroyed_at"] is None:
                roots.append(RootShown.model_validate(dict(row)))
    return {name: tuple(roots) for name, roots in found.items()}
