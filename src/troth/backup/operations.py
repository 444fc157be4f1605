"""What operators may ask of the backups through the doors. Restoring has no door: the server is down by then."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel, ConfigDict

from troth.backup.backups import Backups
from troth.backup.copying import Made
from troth.backup.drill import Drilled
from troth.kernel.operation import Call, Group, Route, operation


class Nothing(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BackupView(BaseModel):
    """One backup. Times in epoch milliseconds; `places` are those that hold it, `bytes` what it needs altogether."""

    backup: str
    made_at: int
    digest: str
    objects: int
    bytes: int
    places: list[str]


class BackupPage(BaseModel):
    """Every backup, newest first."""

    backups: list[BackupView]


class MadeView(BackupView):
    """A backup that was just made. `sent` are bytes that went out; not `complete` when a place failed."""

    sent: int
    complete: bool
    failed: list[str]


class DrillView(BaseModel):
    """How a restore on trial went: age of the backup (RPO), of the log's tail (its RPO) and time taken (RTO) in
    milliseconds, and what was tried."""

    backup: str
    rpo_ms: int
    rto_ms: int
    log_rpo_ms: int
    live_opened: int
    erased_refused: int


class BackupOperations:
    """Makes, lists and tries backups; for operators."""

    def __init__(self, backups: Backups) -> None:
        self._backups = backups

    @operation("backup.list", group=Group.OPERATE, request=Nothing, route=Route("GET", "/v1/backups", body="none"))
    def list(self, call: Call, _request: Nothing) -> BackupPage:
        """The backups that the places hold."""
        found = [BackupView(**asdict(one)) for one in self._backups.listed()]
        call.note(count=len(found))
        return BackupPage(backups=found)

    @operation("backup.run", group=Group.OPERATE, request=Nothing, route=Route("POST", "/v1/backups"))
    def run(self, call: Call, _request: Nothing) -> MadeView:
        """Make a backup now."""
        made = self._backups.run()
        call.note(backup=made.manifest.id, bytes=made.manifest.bytes)
        return made_view(made)

    @operation("backup.drill", group=Group.OPERATE, request=Nothing, route=Route("POST", "/v1/backups/drills"))
    def drill(self, call: Call, _request: Nothing) -> DrillView:
        """Restore the newest backup on trial, and measure it."""
        done = self._backups.drill()
        call.note(backup=done.backup)
        return drill_view(done)


def made_view(made: Made) -> MadeView:
    """A backup that was just made, as doors show it."""
    return MadeView(
        backup=made.manifest.id,
        made_at=made.manifest.made_at,
        digest=made.digest,
        objects=made.manifest.objects,
        bytes=made.manifest.bytes,
        places=list(made.places),
        sent=made.sent,
        complete=made.complete,
        failed=list(made.failed),
    )


def drill_view(done: Drilled) -> DrillView:
    """A drill as doors show it."""
    return DrillView(
        backup=done.backup,
        rpo_ms=done.rpo_ms,
        rto_ms=done.rto_ms,
        log_rpo_ms=done.log_rpo_ms,
        live_opened=done.restored.probed.live,
        erased_refused=done.restored.probed.units,
    )
