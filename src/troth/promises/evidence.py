"""Signs evidence bundles (`vault.evidence_bundle`): the promise table over the digests of what somebody takes away."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.clock import epoch_ms
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.kernel.signer import Signer
from troth.promises.report import table
from troth.promises.runner import Runner
from troth.vault.dsse import ENVELOPE
from troth.vault.evidence_bundle import sign_evidence

MAX_ITEMS = 2000

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=160)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EvidenceWish(BaseModel):
    """The files of a bundle: name and SHA-256 in hex."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: Annotated[dict[_Name, _Digest], Field(min_length=1, max_length=MAX_ITEMS)]


class EvidenceOperations:
    """Signs what somebody takes away to show to others."""

    def __init__(self, runner: Runner, signer: Signer) -> None:
        self._runner = runner
        self._signer = signer

    @operation("evidence.sign", group=Group.AUDIT, request=EvidenceWish, route=Route("POST", "/v1/evidence"))
    def sign(self, call: Call, request: EvidenceWish) -> Binary:
        """A signed statement over the files of an evidence bundle, with the promise table of this moment."""
        call.note(count=len(request.items))
        promises = table(self._runner.table(), self._runner.checks).model_dump(mode="json")
        told = {"made_at": epoch_ms(call.at), "actor": call.caller.actor, "tenant": call.caller.tenant}
        return Binary(sign_evidence(request.items, {**told, "promises": promises}, self._signer), ENVELOPE)
