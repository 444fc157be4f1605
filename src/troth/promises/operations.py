"""What doors may ask of the promises."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from troth.kernel.operation import Call, Group, Route, operation
from troth.promises.report import PromiseTable, table
from troth.promises.runner import Runner
from troth.promises.standings import Standings


class Nothing(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PromiseOperations:
    """The promise table, for everyone; running the checks, for operators."""

    def __init__(self, runner: Runner, standings: Standings | None = None) -> None:
        self._runner = runner
        self._standings = standings or Standings(runner)

    @operation("promise.list", group=Group.PUBLIC, request=Nothing, route=Route("GET", "/v1/promises", body="none"))
    def list(self, _call: Call, _request: Nothing) -> PromiseTable:
        """Every promise with its state and the evidence it rests on; at most five seconds old."""
        return table(self._standings.now(), self._runner.checks)

    @operation("check.run", group=Group.OPERATE, request=Nothing, route=Route("POST", "/v1/checks/runs"))
    def run(self, call: Call, _request: Nothing) -> PromiseTable:
        """Run every check now and give the new table."""
        runs = self._runner.run_all()
        call.note(checks=len(runs))
        self._standings.forget()
        return table(self._standings.now(), self._runner.checks)
