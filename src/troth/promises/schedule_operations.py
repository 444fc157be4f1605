"""The schedule of the checks: what is in force, what the code asks for, and an operator's yes to a change."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.reasons import Why
from troth.promises.schedule import Planned, digest_of, text_of
from troth.promises.schedules import Schedules


class ShowSchedule(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfirmSchedule(BaseModel):
    """A yes to a changed schedule; `digest` is the `proposed` of what was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Why
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class PlannedCheck(_Row):
    """One check of the schedule: every how many seconds it runs, after how many its evidence is stale."""

    check: str
    promises: tuple[str, ...]
    every: int
    fresh: int
    scope: str
    population: str
    code: str


class ChangedCheck(_Row):
    """A check that the code has otherwise than the newest version: added, dropped, or which members changed."""

    check: str
    change: str


class ScheduleShown(_Row):
    """The newest version, its digest and when it begins or began (epoch ms), and what the code here asks for.

    While `changes` is not empty, the promises of those checks are unknown; `proposed` is the digest to confirm. Where a
    restore lost the newest version, only its number is known: `digest` and `checks` are empty, every check is "added".
    """

    version: int
    digest: str
    effective_at: int
    in_force: bool
    confirmed_by: str | None
    proposed: str
    changes: tuple[ChangedCheck, ...]
    checks: tuple[PlannedCheck, ...]


class ScheduleOperations:
    """For operators: nobody else changes what is looked at, and how often."""

    def __init__(self, schedules: Schedules) -> None:
        self._schedules = schedules

    @operation("check.schedule", group=Group.OPERATE, request=ShowSchedule, command=("check", "schedule"),
               route=Route("GET", "/v1/checks/schedule", body="none"))  # fmt: skip
    def schedule(self, _call: Call, _request: ShowSchedule) -> ScheduleShown:
        """Show which checks run how often, and what the code here has otherwise."""
        self._schedules.ensure()
        return self._shown()

    @operation("check.confirm", group=Group.OPERATE, request=ConfirmSchedule, command=("check", "confirm"),
               route=Route("POST", "/v1/checks/schedule"))  # fmt: skip
    def confirm(self, call: Call, request: ConfirmSchedule) -> ScheduleShown:
        """Confirm that checks changed: their code, how often they run, or which there are."""
        made = self._schedules.confirm(call.caller.actor, request.digest)
        call.note(version=made.version, digest=request.digest, reason=request.reason)
        return self._shown()

    def _shown(self) -> ScheduleShown:
        (versions, told), proposed = self._schedules.known(), self._schedules.proposed()
        asked = digest_of(text_of(proposed))
        if not versions or told > versions[-1].version:
            return ScheduleShown(
                version=told,
                digest="",
                effective_at=0,
                in_force=False,
                confirmed_by=None,
                proposed=asked,
                changes=changes((), proposed),
                checks=(),
            )
        newest, current = versions[-1], self._schedules.current()
        return ScheduleShown(
            version=newest.version,
            digest=digest_of(text_of(newest.checks)),
            effective_at=newest.starts,
            in_force=current is not None and current.version == newest.version,
            confirmed_by=newest.confirmed_by or None,
            proposed=asked,
            changes=changes(newest.checks, proposed),
            checks=tuple(
                PlannedCheck(**{name: getattr(one, name) for name in PlannedCheck.model_fields})
                for one in newest.checks
            ),
        )


def changes(newest: tuple[Planned, ...], proposed: tuple[Planned, ...]) -> tuple[ChangedCheck, ...]:
    """What the code asks for otherwise than the checks of a version, by check."""
    before, after = {one.check: one for one in newest}, {one.check: one for one in proposed}
    found = []
    for check in sorted(before.keys() | after.keys()):
        old, new = before.get(check), after.get(check)
        if old is None or new is None:
            found.append(ChangedCheck(check=check, change="added" if old is None else "dropped"))
        elif old != new:
            names = [one for one in PlannedCheck.model_fields if getattr(old, one) != getattr(new, one)]
            found.append(ChangedCheck(check=check, change=", ".join(names)))
    return tuple(found)
