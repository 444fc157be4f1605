"""Key transitions in the operator log: what became of which keys, when and why, in the transaction that did it.

Entries count keys and name roots, tenants and epochs; they never name a person or a unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.keys.lifecycle import State

LOG, ACTOR = "operator", "svc_keys"


@dataclass(frozen=True, slots=True)
class Transitions:
    """Writes entries `key.<what>`. Without a recorder (a tree in quarantine, a bench) it writes nothing."""

    recorder: Recorder | None
    jurisdiction: str

    def moved(self, connection: Connection, to: State, reason: str, at: int, facts: dict[str, Fact]) -> None:
        """Keys came to the state `to`, for `reason`, at epoch milliseconds `at`."""
        self.event(connection, to.value, at, {"state": to.value, "reason": reason, **facts})

    def event(self, connection: Connection, what: str, at: int, facts: dict[str, Fact]) -> None:
        """Something else about keys. Raises `Unavailable` when it cannot be recorded: the change is undone."""
        if self.recorder is None:
            return
        facts = {"jurisdiction": self.jurisdiction, **facts}
        entry = Entry(LOG, f"key.{what}", "event", Outcome.DONE, new_id("req"), ACTOR, None, at, facts=facts)
        self.recorder.record_within(connection, entry)
