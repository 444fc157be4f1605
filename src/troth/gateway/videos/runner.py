"""Carries video jobs to their end, in the background: asks vendors, keeps what they made, names why a job failed.

No job hangs: each has a time by which it ends. A job that a dead process left is taken up again where that is safe:
the local studio begins anew, a vendor is asked about what it took; what may or may not have left is failed, never sent
twice. Opening content is counted, and the entry that ends a job says how often (`kernel.uses`).
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from troth.gateway.clearance import ConsentSource
from troth.gateway.intake import Limits, admit_image
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.port import Attachment, Vendor, VideoProgress
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.videos import store
from troth.gateway.videos.finishing import VideoFinishing
from troth.gateway.videos.jobs import Jobs
from troth.gateway.videos.orders import Opened, opened
from troth.gateway.videos.store import Job
from troth.kernel.errors import Conflict, Gone, NotFound, TooMany, TrothError, Unavailable, VendorFailed
from troth.kernel.scope import Scope, within
from troth.kernel.uses import tallying
from troth.vault.consent import VENDOR_RETENTION
from troth.vault.objects import Objects

_TRIES = 3  # how often a film is begun anew: one that ends the process each time must not do so for ever
_SWEEP = 200
_PAUSE = 5.0  # seconds between two questions to a vendor about one job
_ORDERING_MS = 900_000  # an order that no vendor answered in this time was cut off
_PASSING = (VendorFailed, Unavailable, TooMany)  # a vendor or a part of ours that is away may come back
_FINAL = frozenset({"vendor-bad-video", "vision-missing", "credentials-expired"})


@dataclass(slots=True)
class _Tally:
    uses: Counter[str] = field(default_factory=Counter)
    asked: float = float("-inf")


class VideoRunner:
    """One for an installation. `work` is called again and again on one thread; `ports` are its own, for its loops."""

    def __init__(
        self,
        jobs: Jobs,
        finishing: VideoFinishing,
        objects: Objects,
        *,
        vendors: Vendors,
        ports: Ports,
        consents: ConsentSource,
        minutes: int = 30,
    ) -> None:
        self._jobs, self._finishing, self._objects = jobs, finishing, objects
        self._vendors, self._ports, self._consents = vendors, ports, consents
        self._most_ms = minutes * 60_000
        self._began = jobs.now()
        self._tallies: dict[str, _Tally] = {}
        self._swept = ""
        self._at_work = threading.Lock()
        self._runner: asyncio.Runner | None = None

    def work(self) -> None:
        """One round over all jobs that have not ended, and some that have; nothing while another round is on."""
        if self._at_work.acquire(blocking=False):
            try:
                self._round()
            finally:
                self._at_work.release()

    def _round(self) -> None:
        with self._jobs.database.read() as connection:
            waiting = store.unended(connection)
        if waiting:
            with asyncio.Runner() as runner:  # a loop for the round: connections never meet another thread's loop
                self._runner = runner
                try:
                    for job in waiting:
                        with within(Scope(job.tenant)), ExitStack() as fault:
                            fault.callback(self._fail, job, "video-fault")  # else it would end every round to come
                            self._advance(job)
                            fault.pop_all()
                finally:
                    runner.run(self._ports.close())
                    self._runner = None
        self._sweep()

    def _advance(self, job: Job) -> None:
        tally = self._tallies.setdefault(job.id, _Tally())
        subject = self._jobs.owner_of(job.object)
        if subject is None:
            self._drop(job)
            return
        try:
            with tallying(tally.uses):
                self._step(job, subject, tally)
        except Gone:
            self._drop(job)  # erased, deleted or expired meanwhile
        except (Conflict, NotFound):
            self._when_late(job)  # restricted: nothing is done with it for now
        except _PASSING as error:
            if error.code in _FINAL:
                self._fail(job, error.code)
            else:
                self._when_late(job)
        except TrothError as error:
            self._fail(job, error.code)

    def _step(self, job: Job, subject: str, tally: _Tally) -> None:
        if job.upstream is None:
            self._cut_off(job, subject)
            return
        record = self._vendors.get(job.vendor)
        local = record.kind == "local-studio"
        if not local and time.monotonic() - tally.asked < _PAUSE:
            return
        tally.asked = time.monotonic()
        port = self._port(job, subject, record)
        progress = self._run(port.video_poll(job.upstream))
        if progress.state == "unknown":
            self._lost(job, subject, local=local)
        elif progress.state == "failed":
            self._fail(job, "vendor-video-failed")
        elif progress.state == "completed":
            self._complete(job, subject, port, record)
        else:
            self._moved(job, progress)
            self._when_late(job)

    def _cut_off(self, job: Job, subject: str) -> None:
        """An order whose vendor has not answered: of a dead process, or still on its way."""
        if job.created_at >= self._began and self._jobs.now() - job.created_at < _ORDERING_MS:
            return
        local = self._vendors.get(job.vendor).kind == "local-studio"
        self._lost(job, subject, local=local)

    def _lost(self, job: Job, subject: str, *, local: bool) -> None:
        """The vendor knows nothing of it. The local studio begins anew; nothing is sent to anybody else twice."""
        if not local or job.tries >= _TRIES:
            self._fail(job, "video-interrupted")
            return
        found = opened(self._objects, subject, job)
        port = self._port(job, subject, self._vendors.get(job.vendor))
        upstream = self._run(port.video_create(found.order.payload, self._attachments(subject, found)))
        begun = self._jobs.change(job, upstream=upstream, tries=job.tries + 1, state=store.QUEUED, progress=0)
        if begun is None:  # deleted meanwhile
            self._cancel(replace(job, upstream=upstream))

    def _attachments(self, subject: str, found: Opened) -> list[Attachment]:
        if found.order.reference is None:
            return []
        info, content = self._objects.open(found.job.tenant, subject, found.order.reference)
        sent = admit_image(content, info.media_type, Limits(keep_credentials=False))
        return [Attachment(sent.content, sent.media_type, sent.width, sent.height)]

    def _port(self, job: Job, subject: str, record: VendorRecord) -> Vendor:
        """The gate is passed anew each time: a vendor whose papers end while it works is asked nothing more."""
        now = self._jobs.now()
        if record.kind != "local-studio":
            found = opened(self._objects, subject, job)
            consent = self._consents.valid(job.tenant, subject, VENDOR_RETENTION)
            place = found.order.jurisdiction
            admissible(record, RequestFacts(place, consent, pictures=found.order.reference is not None), now)
        return self._ports.port(record, now)

    def _moved(self, job: Job, progress: VideoProgress) -> None:
        state = store.QUEUED if progress.state == "queued" else store.RUNNING
        percent = max(job.progress, min(99, progress.progress))
        if (state, percent) != (job.state, job.progress):
            self._jobs.change(job, state=state, progress=percent)

    def _complete(self, job: Job, subject: str, port: Vendor, record: VendorRecord) -> None:
        assert job.upstream is not None
        found = opened(self._objects, subject, job)
        content = self._run(port.video_content(job.upstream))
        uses = self._tallies[job.id].uses
        self._finishing.finish(found, subject, content, record, uses=uses)
        self._tallies.pop(job.id, None)
        if record.kind == "local-studio":  # its memory; what a vendor keeps, its terms say
            self._run(port.video_cancel(job.upstream))

    def _when_late(self, job: Job) -> None:
        if self._jobs.now() - job.created_at > self._most_ms:
            self._fail(job, "video-timeout")

    def _fail(self, job: Job, code: str) -> None:
        tally = self._tallies.pop(job.id, _Tally())
        self._finishing.fail(job, code, uses=tally.uses)
        self._cancel(job)

    def _drop(self, job: Job) -> None:
        """Its order is gone, so nobody waits for it."""
        tally = self._tallies.pop(job.id, _Tally())
        self._finishing.gone(job, uses=tally.uses)
        self._cancel(job)

    def _cancel(self, job: Job) -> None:
        if job.upstream is None:
            return
        try:
            port = self._ports.port(self._vendors.get(job.vendor), self._jobs.now())
            self._run(port.video_cancel(job.upstream))
        except TrothError:
            return  # nobody waits for an answer

    def _sweep(self) -> None:
        """Rows whose order is gone say nothing more."""
        with self._jobs.database.read() as connection:
            some = store.ended(connection, self._swept, _SWEEP)
        for job in some:
            with within(Scope(job.tenant)):
                if self._jobs.owner_of(job.object) is None:
                    self._jobs.remove(job)
        self._swept = some[-1].id if len(some) == _SWEEP else ""

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        assert self._runner is not None
        # The runner's own context is older than the tally of this job, in whose name the vendor is asked.
        return self._runner.run(work, context=contextvars.copy_context())
