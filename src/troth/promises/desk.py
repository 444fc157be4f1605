"""The gateway of an installation with one vendor that only listens: nothing a check sends leaves the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from troth.gateway.chat import ChatDesk
from troth.gateway.clearance import Clearance, ConsentSource
from troth.gateway.moderation import Moderator
from troth.gateway.receipts import Receipts
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.local_studio import CHAT_MODEL, LOCAL_STUDIO
from troth.gateway.vendors.papers import Tier, settled
from troth.gateway.vendors.port import Attachment, Produced, Unoffered
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.record import ANY, DueDiligence, State, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.clock import Clock
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.keys.deployment import DeploymentSeal
from troth.promises.probe import Probe, refused

DAY_MS = 86_400_000
REVIEWER = "svc_reviewer"


@dataclass
class Listener(Unoffered):
    """A vendor that keeps what it is sent and answers one sentence."""

    answer: str = "As you wish."
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Listen, and answer."""
        self.sent.append(payload)
        message = {"role": "assistant", "content": self.answer, "refusal": None}
        return {"created": 0, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Not asked by a check."""
        self.sent.append(payload)
        yield {"created": 0, "choices": []}

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """Not asked by a check."""
        self.sent.append(payload)
        return []

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """Not asked by a check."""
        del images, mask
        self.sent.append(payload)
        return []


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The gateway of this installation with one vendor on file, which listens."""

    person: Probe
    record: VendorRecord
    vendor: Listener = field(default_factory=Listener)
    clock: Clock | None = None
    consents: ConsentSource | None = None
    moderator: Moderator | None = None

    def ask(self, content: str, request_id: str | None = None) -> Any:
        """One conversation. Raises whatever stops it."""
        system = self.person.system
        call = Call(self.person.caller(), request_id or new_id("req"), system.base.clock.now())
        message = {"role": "user", "content": content}
        request = CompleteChat.model_validate({"model": CHAT_MODEL, "messages": [message]})
        moderator = self.moderator or system.gateway.moderator
        desk = ChatDesk(self._clearance(moderator), system.vault.objects)
        return asyncio.run(desk.complete(call, request))

    def stops(self, code: str) -> bool:
        """True when a request is refused for that reason and nothing left."""
        return refused(lambda: self.ask("Say hello."), code=code) and not self.vendor.sent

    def _clearance(self, moderator: Moderator) -> Clearance:
        system = self.person.system
        base, clock = system.base, self.clock or system.base.clock
        vendors = Vendors(base.database, DeploymentSeal(bytes(32)), clock, [self.record])
        return Clearance(
            vendors,
            Ports(vendors, self.vendor, Limits()),
            redactor=system.gateway.redactor,
            moderator=moderator,
            receipts=Receipts(base.database, system.vault.objects, clock),
            consents=self.consents or system.vault.consents,
            clock=clock,
        )


def vendor(now: int, state: State = State.APPROVED, **answers: Any) -> VendorRecord:
    """A vendor of the best kind, in the eu, but for `answers`."""
    best = {
        "review_expires": now + 90 * DAY_MS,
        "diligence": settled(Tier.STANDARD, REVIEWER, now - 30 * DAY_MS, "ef" * 32).model_dump(),
        "agreement_ends": now + 90 * DAY_MS,
        "jurisdictions": (ANY,),
        "raw_images": False,
    }
    facts = DueDiligence.model_validate(LOCAL_STUDIO.facts.model_dump() | best | answers)
    return LOCAL_STUDIO.model_copy(update={"id": "self-check", "state": state, "facts": facts})
