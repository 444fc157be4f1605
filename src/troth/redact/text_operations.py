"""Take personal data out of a text, as doors may ask for it. Neither the text nor what is found in it is kept."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.redact.decisions import Policy
from troth.redact.detect import Detector, Span
from troth.redact.loading import Loading
from troth.redact.policy import shipped
from troth.redact.redactor import Redactor
from troth.redact.tenant_policies import TenantPolicies
from troth.redact.text import KEY_BYTES
from troth.redact.tiers import detector

LARGEST = 100_000  # characters of one text; a second or two of the slowest tier


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RedactText(_Message):
    """A text, what reads it, and what decides. `tier`: by default the one that reads prompts."""

    text: Annotated[str, Field(min_length=1, max_length=LARGEST, repr=False)]
    tier: Literal["rules", "fast", "accurate", "cascade"] | None = None
    policy: Literal["tenant", "vendor", "training"] = "tenant"


class Found(_Message):
    """What was taken out: `text[start:end]` of the text that was sent, in code points (never the value itself).

    `score`: how sure, 0 to 1. `detector`: who found it.
    """

    start: int
    end: int
    kind: str
    label: str
    score: float
    detector: str


class RedactedText(_Message):
    """The text without what the policy takes out. `counts`: finds by label. `version`: of everything that decided."""

    text: str
    spans: tuple[Found, ...]
    counts: dict[str, int]
    tier: str
    policy: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOperations:
    """Texts of the caller's own, redacted."""

    policies: TenantPolicies
    prompts: Loading  # what reads prompts
    metered: Callable[[Call, str, int], AbstractContextManager[None]]  # counts an operation on so many bytes

    @operation("text.redact", group=Group.OWN_DATA, request=RedactText, command=("text", "redact"),
               data_class=DataClass.USER_GENERATED, route=Route("POST", "/v1/redactions"))  # fmt: skip
    def redact(self, call: Call, request: RedactText) -> RedactedText:
        """Take personal data out of a text; nothing of it is kept."""
        policy = self._policy(call.tenant, request.policy)
        reader = self._reader(request.tier or self.prompts.tier)
        # A key of this one answer: its pseudonyms agree with each other and with those of no other text.
        with self.metered(call, "text.redact", len(request.text.encode("utf-8", "surrogatepass"))):
            redacted = Redactor(reader, policy, secrets.token_bytes(KEY_BYTES)).redact(request.text)
        spans = tuple(_found(span, policy) for span in redacted.spans)
        counts = dict(Counter(span.label for span in spans))
        call.note(policy=policy.name, withheld=len(spans), kinds=counts)
        tier, version = request.tier or self.prompts.tier, f"{reader.version}/{policy.name}-{policy.version}"
        return RedactedText(text=redacted.text, spans=spans, counts=counts, tier=tier, policy=policy.name,
                            version=version)  # fmt: skip

    def _policy(self, tenant: str, name: str) -> Policy:
        return self.policies.of(tenant) if name == "tenant" else shipped(name)

    def _reader(self, tier: str) -> Detector:
        return self.prompts if tier == self.prompts.tier else detector(tier)


def _found(span: Span, policy: Policy) -> Found:
    label = policy.label(span.kind)
    return Found(start=span.start, end=span.end, kind=span.kind, label=label, score=round(span.score, 4),
                 detector=span.detector)  # fmt: skip
