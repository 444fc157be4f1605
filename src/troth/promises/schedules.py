"""The versions of the schedule: written into the log before they count, signed, and changed by an operator alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError as Duplicate

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.kernel.signer import Signer
from troth.promises import store
from troth.promises.check import Check
from troth.promises.run_log import LOG, SCHEDULED, RunLog, Scheduled
from troth.promises.runs import STATEMENT
from troth.promises.schedule import Planned, ScheduleVersion, checks_of, digest_of, in_force, text_of
from troth.promises.store import KeptSchedule, Signed
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, envelope, signature_over, verify_envelope

CHANGED = "check.changed"
LEAD_MS = 60_000
"""Between the entry of a version and its beginning: by then the entry stands under a signed checkpoint."""
PREDICATE = "urn:troth:check-schedule:v1"
_DEFAULT_EVERY = 3600


class Schedules:
    """Which checks are due, how often, and with which code. Nothing runs by a schedule that the log does not have.

    `every`: the time between runs of checks that name none of their own, in seconds.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        signer: Signer,
        log: RunLog,
        every: float = _DEFAULT_EVERY,
    ) -> None:
        self._checks = tuple(checks)
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._signer = signer
        self._log = log
        self._every = round(every)
        self._verified: dict[KeptSchedule, ScheduleVersion] = {}  # by the whole row: an edited one is another
        self._told: int | None = None  # the version that was compared with the code
        self._ensured = False

    def proposed(self) -> tuple[Planned, ...]:
        """What the code that runs here asks for."""
        return tuple(self._planned(one) for one in self._checks)

    def _planned(self, check: Check) -> Planned:
        every = self._every if check.every == _DEFAULT_EVERY else check.every
        fresh = max(check.fresh, every + _DEFAULT_EVERY)
        return Planned(check.id, check.promises, every, fresh, check.scope, check.population, check.digest)

    def versions(self) -> tuple[ScheduleVersion, ...]:
        """Every version, oldest first. Raises `IntegrityError` (bad-schedule) when one is not as it was written, has no
        entry in the log, or when the log names a newer one than there is.
        """
        found, told = self.known()
        if told > _newest(found):
            raise _lost()
        return found

    @as_system
    def known(self) -> tuple[tuple[ScheduleVersion, ...], int]:
        """The versions that there are, and the newest that the log tells of: a greater number when a restore lost it.

        Raises `IntegrityError` (bad-schedule) when one is not as it was written, or one between two is gone.
        """
        with self._database.read() as connection:
            kept = store.schedules(connection)
        before, pruned = 0, self._log.pruned_before() if kept else 0
        for one in kept:
            entry = self._entry(one, pruned)
            if entry is None or (entry.previous != before and one.logged_at >= pruned):
                raise _bad()
            before = one.version
        return tuple(self._held(one, pruned) for one in kept), self._log.version()

    def _entry(self, kept: KeptSchedule, pruned: int) -> Scheduled | None:
        """What the log tells of a version. Of one whose entry was pruned with the log, by its published policy, the
        row with its signature is all that is left.
        """
        return self._log.scheduled(kept.request) or (_told(kept) if kept.logged_at < pruned else None)

    def current(self) -> ScheduleVersion | None:
        """The version in force now. Raises `IntegrityError` (bad-schedule)."""
        return in_force(self.versions(), epoch_ms(self._clock.now()))

    def ensure(self) -> None:
        """Commit the first version, where there was never one. What differs later, an operator confirms."""
        if self._ensured:
            return
        with self._database.read() as connection:
            kept = store.schedules(connection)
        if not kept and not self._log.ever_scheduled():
            self._commit(1, "", lead=0)
        self._ensured = True

    def confirm(self, by: str, digest: str) -> ScheduleVersion:
        """Make what the code asks for the next version; `digest` is that of what the operator read. Where a restore
        lost versions, it goes on behind the newest that the log tells of.

        Raises `Conflict` (schedule-changed) when the code asks for something else, (nothing-to-confirm) when it is in
        force already or soon, and `IntegrityError` (bad-schedule).
        """
        known, told = self.known()
        asked = digest_of(text_of(self.proposed()))
        if asked != digest:
            raise Conflict("The checks ask for another schedule than you read; read it again.", code="schedule-changed")
        newest = _newest(known)
        far = epoch_ms(self._clock.now()) + LEAD_MS  # what begins later was made by a clock that was ahead: again, then
        if known and told <= newest and known[-1].starts <= far and digest_of(text_of(known[-1].checks)) == digest:
            raise Conflict("This schedule is confirmed already.", code="nothing-to-confirm")
        return self._commit(max(told, newest) + 1, by, lead=LEAD_MS, previous=newest)

    def tell(self) -> None:
        """Leave an entry, once for each process, when the code asks for another schedule than the newest one."""
        known = self.versions()
        if not known or self._told == known[-1].version:  # code does not change while it runs
            return
        asked = digest_of(text_of(self.proposed()))
        if asked != digest_of(text_of(known[-1].checks)):
            facts = {"digest": asked, "version": known[-1].version, "count": len(self._checks)}
            now = epoch_ms(self._clock.now())
            self._recorder.record(_entry(CHANGED, changed_request(known[-1].version), "svc_promises", now, facts))
        self._told = known[-1].version

    def _commit(self, version: int, by: str, *, lead: int, previous: int = 0) -> ScheduleVersion:
        now, request, text = epoch_ms(self._clock.now()), new_id("run"), text_of(self.proposed())
        kept = KeptSchedule(version, text, digest_of(text), now, now + lead, by, request, Signed("", b""))
        signature = signature_over(_statement(kept), IN_TOTO, self._signer)
        kept = KeptSchedule(
            version, text, kept.digest, now, now + lead, by, request, Signed(self._signer.name, signature)
        )
        facts: dict[str, str | int] = {
            "digest": kept.digest,
            "version": version,
            "count": len(self._checks),
            "since": now + lead,
        }
        if previous != version - 1:
            facts["previous"] = previous
        entry = _entry(SCHEDULED, request, by or "svc_promises", now, facts)
        try:
            with self._database.write() as connection:
                store.add_schedule(connection, kept)
                self._recorder.record_within(connection, entry)
        except Duplicate as error:  # another process was first
            if by:
                raise Conflict("Somebody else confirmed a schedule; read it again.", code="schedule-changed") from error
        return _version(kept)

    def _held(self, kept: KeptSchedule, pruned: int) -> ScheduleVersion:
        """The version of a row, once its digest, its signature and its entry in the log hold."""
        if (known := self._verified.get(kept)) is not None:
            return known
        told = envelope(_statement(kept), IN_TOTO, kept.signed.signer, kept.signed.signature)
        verify_envelope(told, IN_TOTO, {self._signer.name: self._signer.public_key})
        entry = self._entry(kept, pruned)  # who has the key can sign another row, but the log tells of this one
        if digest_of(kept.text) != kept.digest or entry != _told(kept):
            raise _bad()
        self._verified[kept] = _version(kept)
        return self._verified[kept]


def _entry(name: str, request: str, actor: str, at: int, facts: Mapping[str, Any]) -> Entry:
    outcome = Outcome.DONE if name == SCHEDULED else Outcome.FAILED
    return Entry(LOG, name, "event", outcome, request, actor, None, at, facts=dict(facts))


def changed_request(version: int) -> str:
    """The request of entries that say that the code asks for something else than this version: so they are found by an
    index, among a million entries of runs.
    """
    return f"run_changed_{version}"


def standing_versions(read: Callable[[], tuple[ScheduleVersion, ...]]) -> tuple[ScheduleVersion, ...]:
    """The versions, or none when they are not to be believed: then nothing is called kept."""
    try:
        return read()
    except IntegrityError:
        return ()


def _version(kept: KeptSchedule) -> ScheduleVersion:
    return ScheduleVersion(kept.version, kept.logged_at, kept.effective_at, checks_of(kept.text), kept.confirmed_by)


def _told(kept: KeptSchedule) -> Scheduled:
    """What its entry in the log must say."""
    return Scheduled(kept.version, kept.digest, kept.logged_at, kept.effective_at)


def _statement(kept: KeptSchedule) -> dict[str, Any]:
    return {
        "_type": STATEMENT,
        "subject": [{"name": f"check-schedule-{kept.version}", "digest": {"sha256": kept.digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "version": kept.version,
            "logged_at": kept.logged_at,
            "effective_at": kept.effective_at,
            "confirmed_by": kept.confirmed_by or None,
            "record": kept.request,
        },
    }


def _newest(versions: Sequence[ScheduleVersion]) -> int:
    return versions[-1].version if versions else 0


def _lost() -> IntegrityError:
    return IntegrityError(
        "The log tells of a newer schedule of the checks than there is. After a restore, read `troth check schedule` "
        "and confirm it; without one, look who deleted it.",
        code="bad-schedule",
    )


def _bad() -> IntegrityError:
    return IntegrityError(
        "The schedule of the checks is not the one that the log tells of; restore it, or look who changed it.",
        code="bad-schedule",
    )
