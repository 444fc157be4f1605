"""What operators may ask of the age of the log: the policy, and to prune by it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from troth.audit.pruning import Pruning
from troth.kernel.operation import Call, Group, Route, operation
from troth.storage.append_only import FLOOR_DAYS


class PruneRequest(BaseModel):
    """A request without fields: the policy stands in the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PrunedLog(BaseModel):
    """A log that lost entries: its minimum index now, and how many went."""

    log: str
    first: int
    count: int


class PrunedLogs(BaseModel):
    """What the policy took; `keep_days` is its age."""

    keep_days: int
    logs: list[PrunedLog]


@dataclass(frozen=True, slots=True)
class PruningOperations:
    """Prunes the logs, for operators."""

    pruning: Pruning

    @operation(
        "log.prune",
        group=Group.OPERATE,
        request=PruneRequest,
        route=Route("POST", "/v1/log-pruning", body="none"),
        command=("log", "prune"),
    )
    def prune(self, call: Call, _request: PruneRequest) -> PrunedLogs:
        """Drop entries that are older than the published policy keeps, from every log, its mirrors and the details."""
        done = self.pruning.run(call.caller.actor)
        call.note(count=sum(one.count for one in done))
        logs = [PrunedLog(log=one.log, first=one.first, count=one.count) for one in done]
        return PrunedLogs(keep_days=self.pruning.policy.keep_days or FLOOR_DAYS, logs=logs)
