"""Key transitions in the operator log: what became of which keys, when and why, in the transaction that did it.

Entries count keys and name roots, tenants and epochs; they never name a person or a unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from troth.kernel.epoch_log import OPERATION
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome, Recorder, checked_facts
from troth.keys.lifecycle import State

LOG, ACTOR = "operator", "svc_keys"


@dataclass(frozen=True, slots=True)
class Transitions:
    """Writes entries `keys.<what>`. Without a recorder (a tree in quarantine, a bench) it writes nothing."""

    recorder: Recorder | None
    jurisdiction: str

    def moved(self, connection: Connection, to: State, reason: str, at: int, facts: dict[str, Fact]) -> None:
        """Keys came to the state `to`, for `reason`, at epoch milliseconds `at`."""
        self.event(connection, to.value, at, {"state": to.value, "reason": reason, **facts})

    def epoch(self, connection: Connection, epoch: int, digest: str, at: int) -> None:
        """A new epoch is in force; a tree that was rolled back is found by this entry."""
        self.event(connection, OPERATION.partition(".")[2], at, {"epoch": epoch, "digest": digest})

    def alarm(self, code: str, at: int) -> None:
        """The start was refused with `code`, and nothing was destroyed. Durable on return."""
        if self.recorder is not None:
            facts: dict[str, Fact] = {"jurisdiction": self.jurisdiction}
            self.recorder.record(_entry("alarm", at, facts, Outcome.REFUSED, code))

    def event(self, connection: Connection, what: str, at: int, facts: dict[str, Fact]) -> None:
        """Something else about keys. Raises `Unavailable` when it cannot be recorded: the change is undone."""
        if self.recorder is None:
            return
        facts = {"jurisdiction": self.jurisdiction, **facts}
        self.recorder.record_within(connection, _entry(what, at, facts, Outcome.DONE))


def _entry(what: str, at: int, facts: dict[str, Fact], outcome: Outcome, code: str | None = None) -> Entry:
    return Entry(
        LOG, f"keys.{what}", "event", outcome, new_id("req"), ACTOR, None, at, code, facts=checked_facts(facts)
    )
