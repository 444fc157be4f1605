"""The promises in OSCAL, for who reads the log: made of the table of this moment."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from troth import __version__
from troth.kernel.clock import epoch_ms
from troth.kernel.operation import Call, Group, Route, operation
from troth.promises.catalogue import catalogue
from troth.promises.oscal.assessed import Assessed, of_now
from troth.promises.oscal.documents import documents
from troth.promises.report import table
from troth.promises.runner import Runner


class OscalWish(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OscalSet(BaseModel):
    """The eight documents of OSCAL 1.2.3 by file name; they refer to each other by these names."""

    model_config = ConfigDict(frozen=True)

    documents: dict[str, dict[str, Any]]


def assessed_now(runner: Runner, host: str, now: int) -> Assessed:
    """What the promise table shows at `now` (epoch ms) of the installation that is called `host`."""
    told = table(runner.table(), runner.checks)
    promises = tuple(catalogue().values())
    return of_now(told, runner.checks, promises, origin=host, system=__version__, now=now)


class OscalOperations:
    """For auditors: nothing here is secret, but it takes half a second of a core."""

    def __init__(self, runner: Runner, host: str) -> None:
        self._runner = runner
        self._host = host

    @operation("promise.oscal", group=Group.AUDIT, request=OscalWish, route=Route("GET", "/v1/oscal", body="none"))
    def oscal(self, call: Call, request: OscalWish) -> OscalSet:  # noqa: ARG002
        """Every promise, check and finding of this moment as the eight documents of OSCAL 1.2.3."""
        made = documents(assessed_now(self._runner, self._host, epoch_ms(call.at)))
        call.note(count=len(made))
        return OscalSet(documents=made)
