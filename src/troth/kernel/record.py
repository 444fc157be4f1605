"""The audit record of one operation: opened before it runs, closed after it (promises AUD-01, AUD-05).

Only opaque ids, enums and numbers may enter: a fact's key must be on the list below and a text value must look like an
id or a token. Free text, names and addresses are refused here, not filtered later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from troth.kernel.details import SealedDetails
from troth.kernel.errors import Invalid

FACT_KEYS = frozenset(
    """object objects subject user tenant key session erasure certificate vendor model unit units epoch data_class
    purpose consent bytes count counts kinds region jurisdiction role state version policy digest period checks promise
    backup withheld expires tokens moderation format marked reason index first last since until review root seed
    verdict ruleset hold replacement table row change uses differences offset settings
    register move slot sequence previous statement population due paper link system clock""".split()
)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}\Z")

REPLAYED = "log.replayed"  # told by the replay, and looked for by the reconciliation
Fact = str | int | bool | dict[str, int]
Change = Callable[[Any], None]  # a change to the database, given the open connection of a transaction


class Outcome(StrEnum):
    """How an operation ended. PENDING stands only in the opening entry."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf of the log, before it is given an index. `log` is a tenant id or "operator"."""

    log: str
    operation: str
    phase: str  # opened | closed | event
    outcome: Outcome
    request: str
    actor: str
    tenant: str | None
    time: int  # milliseconds since the epoch
    code: str | None = None  # the stable code of a refusal
    policies: tuple[str, ...] = ()
    evidence: str | None = None  # SHA-256 over what the policy saw, hex
    facts: dict[str, Fact] = field(default_factory=dict)
    clock: str | None = None  # "off": the writer's clock was over its limit
    sealed: SealedDetails | None = field(default=None, repr=False)  # kept beside the log; its commitment in it

    def as_json(self) -> dict[str, Any]:
        """The leaf as plain JSON values, empty members left out."""
        members = {
            "log": self.log,
            "op": self.operation,
            "phase": self.phase,
            "outcome": self.outcome.value,
            "request": self.request,
            "actor": self.actor,
            "tenant": self.tenant,
            "time": self.time,
            "code": self.code,
            "policies": list(self.policies),
            "evidence": self.evidence,
            "facts": self.facts,
            "clock": self.clock,
            "pd": self.sealed.commitment if self.sealed else None,
        }
        return {name: value for name, value in members.items() if value not in (None, [], {})}


class Recorder(Protocol):
    """Where records go. An entry counts only when it is durable; `Unavailable` says that it is not."""

    def record(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """Append, with `changes` in the same transaction (which may also hold what others wait for)."""
        ...

    def submit(self, entry: Entry, changes: Sequence[Change] = ()) -> Future[None]:
        """The same without waiting: the future ends when the entry is durable, or with `Unavailable`."""
        ...

    async def keep(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """`record` for an event loop."""
        ...

    def record_within(self, connection: Any, entry: Entry) -> None:
        """Append in the caller's open database transaction: both happen or neither."""
        ...


def checked_facts(facts: dict[str, Fact]) -> dict[str, Fact]:
    """`facts` unchanged. Raises `Invalid` for a key that is not listed or a text that is not an id or token."""
    for name, value in facts.items():
        texts = value.keys() if isinstance(value, dict) else [value] if isinstance(value, str) else []
        if name not in FACT_KEYS or not all(_TOKEN.match(text) for text in texts):
            raise Invalid(f"The audit fact '{name}' is not on the allow-list or not an id.", code="bad-fact")
    return facts
