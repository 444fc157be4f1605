"""What doors may ask about the custody of an object: its owner, and an auditor of the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from troth.kernel.clock import iso, iso_if
from troth.kernel.operation import Call, Group, Route, operation
from troth.vault.custody import MOST, Chain, Custody
from troth.vault.messages import ObjectNamed


class CustodyAsked(ObjectNamed):
    """An object, and from which index of the log on: the `next` of the answer before."""

    after: Annotated[int, Field(ge=0, lt=1 << 53)] | None = None
    limit: int = Field(default=MOST, ge=1, le=MOST)


class CustodyStep(BaseModel):
    """One entry of the log about the object. `proof` is where its inclusion proof is (auditors)."""

    index: int
    time: str
    what: str
    operation: str
    outcome: str
    actor: str
    request: str
    proof: str


class CustodyChain(BaseModel):
    """`statement`: `unbroken` (no time outside an encrypted state), `unknown`, or `broken`; `reasons` say why not.

    One answer looks at 100,000 entries of the log; `next` is the `after` that goes on, None at the log's end.
    """

    object: str
    state: str
    kept_at: str
    erased_at: str | None
    statement: str
    reasons: tuple[str, ...]
    derived_from: tuple[str, ...]
    steps: tuple[CustodyStep, ...]
    next: int | None

    @classmethod
    def of(cls, chain: Chain) -> CustodyChain:
        """The outward form."""
        steps = tuple(
            CustodyStep(
                index=one.index,
                time=iso(one.time),
                what=one.what,
                operation=one.operation,
                outcome=one.outcome,
                actor=one.actor,
                request=one.request,
                proof=f"/v1/activity/{one.index}/proof",
            )
            for one in chain.steps
        )
        return cls(
            object=chain.object,
            state=chain.state,
            kept_at=iso(chain.kept_at),
            erased_at=iso_if(chain.erased_at),
            statement=chain.statement,
            reasons=chain.reasons,
            derived_from=chain.derived_from,
            steps=steps,
            next=chain.next,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyOperations:
    """From ingest to erasure, by the log."""

    custody: Custody

    @operation(
        "object.custody",
        group=Group.OWN_DATA,
        request=CustodyAsked,
        route=Route("GET", "/v1/objects/{object_id}/custody", body="none"),
        command=("custody", "own"),
    )
    def own(self, call: Call, request: CustodyAsked) -> CustodyChain:
        """What the log says of one of your objects, from the moment it came in."""
        chain = self._chain(call, request, owner=call.subject)
        call.note(object=chain.object, state=chain.statement, count=len(chain.steps))
        return CustodyChain.of(chain)

    @operation(
        "custody.show",
        group=Group.AUDIT,
        request=CustodyAsked,
        route=Route("GET", "/v1/custody/{object_id}", body="none"),
        command=("custody", "show"),
    )
    def show(self, call: Call, request: CustodyAsked) -> CustodyChain:
        """What the log of your tenant says of an object, from ingest to erasure."""
        chain = self._chain(call, request)
        call.note(object=chain.object, state=chain.statement, count=len(chain.steps))
        return CustodyChain.of(chain)

    def _chain(self, call: Call, request: CustodyAsked, owner: str | None = None) -> Chain:
        return self.custody.of(call.tenant, request.object_id, owner=owner, after=request.after, limit=request.limit)
