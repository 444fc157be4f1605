"""RGT-11: who is refused or restricted is told why, on which ground, whether a machine did it, and how to object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete

from troth.gateway.moderation.cases import UPHELD, Cases, Found
from troth.gateway.moderation.messages import Asked, CaseAppeal, CaseDecide, OwnCase
from troth.gateway.moderation.policy import Action
from troth.gateway.moderation.tables import cases
from troth.kernel.errors import Conflict, Denied
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Probe, probe, refused
from troth.promises.system import System

_CATEGORY, _WORDS = "harassment", "The request threatens a person."


def _opened(person: Probe, action: Action) -> str:
    """A case about this person, as the moderator opens one."""
    system = person.system
    call = Call(person.caller(), new_id("req"), system.base.clock.now())
    found = Found(side="input", medium="text", category=_CATEGORY, score=0.9, action=action, policy="self-check")
    case, change = system.gateway.moderator.cases.opening(call, found)
    with system.base.database.write() as connection:
        change(connection)
    return case


def _mine(person: Probe, case: str) -> OwnCase | None:
    shown = person.run("moderation-case.mine", Asked()).cases
    return next((one for one in shown if one.case.id == case), None)


def _complete(shown: OwnCase | None) -> bool:
    """Art. 17(3) DSA: what was done, the facts, the ground, whether by a machine, and where to object."""
    if shown is None:
        return False
    told = shown.statement_of_reasons
    texts = (told.restriction, told.facts, told.ground, told.redress)
    return all(one.strip() for one in texts) and _CATEGORY in told.facts and "appeal" in told.redress


def _without_words(members: dict[str, Any]) -> bool:
    """True when a decision without words for the person cannot even be said."""
    try:
        CaseDecide.model_validate(members)
    except ValidationError:
        return True
    return False


def _reasons(system: System, decided: Callable[[Cases, str, str], object]) -> Facts:
    with probe(system) as person:
        office, made = system.gateway.moderator.cases, list[str]()
        try:
            outcomes = []
            for action in (Action.REFUSE, Action.REVIEW):
                made.append(_opened(person, action))
                shown = _mine(person, made[-1])
                outcomes += [_complete(shown), shown is not None and shown.statement_of_reasons.automated]
            told = {"reason": "checked", "case_id": made[0], "outcome": UPHELD}
            outcomes += [_without_words(told), _without_words(told | {"words": ""})]
            decided(office, person.tenant, made[0])
            shown = _mine(person, made[0])
            outcomes.append(_complete(shown) and shown is not None and shown.statement == _WORDS)
            person.run("moderation-case.appeal", CaseAppeal(case_id=made[0], words="It was a quotation."))
            again = lambda: decided(office, person.tenant, made[0])  # noqa: E731 - one more time
            outcomes.append(refused(again, Denied, code="same-decider"))
            objected = lambda: office.appeal(person.tenant, person.subject, made[0], "Again.")  # noqa: E731
            outcomes.append(refused(objected, Conflict, code="appealed"))
            return counted(outcomes)
        finally:
            with system.base.database.write() as connection:
                connection.execute(delete(cases).where(cases.c.id.in_(made)))


def _decided(office: Cases, tenant: str, case: str) -> object:
    return office.decide(tenant, case, SERVICE, (UPHELD, "checked", _WORDS))


def _in_silence(office: Cases, tenant: str, case: str) -> object:
    """The known-bad decision: it stands, and the person is not told a word of why."""
    return office.decide(tenant, case, SERVICE, (UPHELD, "checked", ""))


CHECKS = (
    Check(
        "statement-of-reasons",
        ("RGT-11",),
        "A synthetic person's request is refused, and another waits for review: each must show them what was done, the "
        "facts, the ground, that a machine did it and how to object; a decision without words is not taken, its words "
        "must reach them, and who decided may not decide the appeal. Accounts are not restricted by moderation here.",
        lambda system: _reasons(system, _decided),
        lambda system: _reasons(system, _in_silence),
        every=6 * 3600,
        population="duties towards a person who was refused",
        scope="two synthetic cases of moderation",
    ),
)
