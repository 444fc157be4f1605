"""What doors may call of moderation: classification, the policy of a tenant, cases and appeals."""

from __future__ import annotations

import json

from troth.gateway.limits.counting import shown as shown_to_us
from troth.gateway.limits.metered import Metered
from troth.gateway.moderation import messages as m
from troth.gateway.moderation.classify import classified, given
from troth.gateway.moderation.office import Office
from troth.gateway.moderation.own_policies import Row
from troth.gateway.moderation.telling import figures, own, shown
from troth.gateway.moderation.wire import Classify, Judgement
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation

_BYTES = 32 << 20  # inline pictures
_OWN = DataClass.USER_GENERATED


class ModerationOperations:
    """Classification, and the policy of a tenant."""

    def __init__(self, office: Office, metered: Metered) -> None:
        self._office, self._metered = office, metered

    @operation("moderation.classify", group=Group.GENERATE, request=Classify, data_class=_OWN,
               route=Route("POST", "/v1/moderations", max_bytes=_BYTES))  # fmt: skip
    def classify(self, call: Call, request: Classify) -> Judgement:
        """Say of texts and pictures what the content policy finds in them; nothing leaves and nothing is kept."""
        with self._metered.doing(call, "moderation.classify", shown_to_us(*given(request))):
            return classified(call, request, self._office.of(call, "input"), self._office.takedowns)

    @operation("moderation-policy.show", group=Group.OWN_DATA, request=m.Asked, command=("moderation-policy", "show"),
               data_class=DataClass.SYSTEM, route=Route("GET", "/v1/moderation-policy", body="none"))  # fmt: skip
    def show(self, call: Call, request: m.Asked) -> m.PolicyInForce:
        """Show what is refused, reviewed and flagged in your tenant, and what was proposed."""
        del request
        policy = self._office.policies.of(call.tenant)
        written = tuple(_written(row) for row in self._office.policies.all(call.tenant))
        return m.PolicyInForce(
            name=policy.name, rules=dict(policy.rules), picture=policy.picture,
            pictures_required=policy.pictures_required, prohibited=tuple(sorted(policy.prohibited)), written=written,
        )  # fmt: skip

    @operation("moderation-policy.propose", group=Group.PRIVACY, request=m.PolicyPropose,
               command=("moderation-policy", "propose"), data_class=DataClass.SYSTEM,
               route=Route("PUT", "/v1/moderation-policy"))  # fmt: skip
    def propose(self, call: Call, request: m.PolicyPropose) -> m.PolicyWritten:
        """Propose a policy of your tenant's own; it holds once somebody else approves it."""
        row = self._office.policies.propose(call.tenant, request.policy, call.caller.actor)
        call.note(policy=row.id, digest=row.digest)
        return _written(row)

    @operation("moderation-policy.approve", group=Group.PRIVACY, request=m.PolicyApprove,
               command=("moderation-policy", "approve"), data_class=DataClass.SYSTEM,
               route=Route("POST", "/v1/moderation-policy/{policy_id}/approval"))  # fmt: skip
    def approve(self, call: Call, request: m.PolicyApprove) -> m.PolicyWritten:
        """Put a proposed policy in force; somebody other than who proposed it must do it."""
        row = self._office.policies.approve(call.tenant, request.policy_id, call.caller.actor)
        call.note(policy=row.id, digest=row.digest)
        return _written(row)


class ModerationCaseOperations:
    """The review queue, and people's own cases."""

    def __init__(self, office: Office) -> None:
        self._office, self._cases = office, office.cases

    @operation("moderation-case.list", group=Group.AUDIT, request=m.CaseList, command=("moderation-case", "list"),
               data_class=DataClass.SYSTEM, route=Route("GET", "/v1/moderation-cases", body="none"))  # fmt: skip
    def list(self, call: Call, request: m.CaseList) -> m.CaseTable:
        """Show cases without content, and how often decisions were wrong, to auditors and analysts."""
        return self._table(call, request)

    @operation("moderation-case.queue", group=Group.PRIVACY, request=m.CaseList, command=("moderation-case", "queue"),
               data_class=DataClass.SYSTEM, route=Route("GET", "/v1/moderation-cases/queue", body="none"))  # fmt: skip
    def queue(self, call: Call, request: m.CaseList) -> m.CaseTable:
        """Show the review queue without content to those who decide, and how often decisions were wrong."""
        return self._table(call, request)

    def _table(self, call: Call, request: m.CaseList) -> m.CaseTable:
        now, actor = self._cases.now(), call.caller.actor
        rows = self._cases.queue(call.tenant, waiting=request.waiting, limit=request.limit)
        told = figures(self._cases.rows(call.tenant), now)
        return m.CaseTable(cases=tuple(shown(row, now, actor) for row in rows), figures=told)

    @operation("moderation-case.open", group=Group.PRIVACY, request=m.CaseOpen, command=("moderation-case", "open"),
               data_class=_OWN, route=Route("POST", "/v1/moderation-cases/{case_id}/content"))  # fmt: skip
    def open(self, call: Call, request: m.CaseOpen) -> m.CaseOpened:
        """Open what a case is about, to decide it; the record says who did and why."""
        row = self._cases.opened(call.tenant, request.case_id, call.caller.actor)
        call.note(object=row["id"])
        case = shown(row, self._cases.now(), call.caller.actor)
        content = json.loads(row["content"]) if row["content"] else None
        return m.CaseOpened(
            case=case, content=content, appeal=row["appeal"], statement=row["statement"], answer=row["answer"]
        )

    @operation("moderation-case.decide", group=Group.PRIVACY, request=m.CaseDecide,
               command=("moderation-case", "decide"), data_class=DataClass.ACCOUNT,
               route=Route("POST", "/v1/moderation-cases/{case_id}/decision"))  # fmt: skip
    def decide(self, call: Call, request: m.CaseDecide) -> m.CaseShown:
        """Decide a case, or the appeal upon it; an appeal is decided by somebody who did not decide before."""
        decision = (request.outcome, request.reason.value, request.words)
        row = self._cases.decide(call.tenant, request.case_id, call.caller.actor, decision)
        call.note(object=row["id"], verdict=request.outcome)
        return shown(row, self._cases.now(), call.caller.actor)

    @operation("moderation-case.mine", group=Group.OWN_RIGHTS, request=m.Asked, command=("moderation-case", "mine"),
               data_class=DataClass.ACCOUNT, route=Route("GET", "/v1/own-moderation-cases", body="none"))  # fmt: skip
    def mine(self, call: Call, request: m.Asked) -> m.OwnCases:
        """Show what of yours was refused or flagged, why, and how to appeal."""
        del request
        now, rows = self._cases.now(), self._cases.of_person(call.tenant, call.subject)
        return m.OwnCases(cases=tuple(own(row, now, self._cases.periods) for row in rows))

    @operation("moderation-case.appeal", group=Group.OWN_RIGHTS, request=m.CaseAppeal,
               command=("moderation-case", "appeal"), data_class=DataClass.ACCOUNT,
               route=Route("POST", "/v1/own-moderation-cases/{case_id}/appeal"))  # fmt: skip
    def appeal(self, call: Call, request: m.CaseAppeal) -> m.OwnCase:
        """Appeal against a decision about you; a person answers."""
        row = self._cases.appeal(call.tenant, call.subject, request.case_id, request.words)
        call.note(object=row["id"])
        return own(row, self._cases.now(), self._cases.periods)


def _written(row: Row) -> m.PolicyWritten:
    return m.PolicyWritten(**m.plain(row, Row.__slots__))
