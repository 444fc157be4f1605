"""The end of a video job: judged, marked, signed and sealed, or failed with a code; row, receipt and entry at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Connection

from troth.gateway import store as receipts
from troth.gateway.images import source_type
from troth.gateway.moderation import Moderator
from troth.gateway.outputs import Outputs, Owner, Piece, bound_to
from troth.gateway.pictures import Finished, Finisher, marks_of
from troth.gateway.receipts import Receipts
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.videos import store
from troth.gateway.videos.clips import Clip, clip
from troth.gateway.videos.jobs import Jobs
from troth.gateway.videos.orders import SPRITESHEET, THUMBNAIL, VIDEO, Opened
from troth.gateway.videos.store import Job
from troth.kernel.caller import Caller
from troth.kernel.errors import Conflict, Denied, UnsupportedMedia
from troth.kernel.operation import Call
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.vault.objects import Objects

ACTOR = "svc_videos"


class UseCounter(Protocol):
    """`storage.meters.Meters`."""

    def change(self, uses: Mapping[str, int]) -> Callable[[Any], None]:
        """The change that counts uses."""
        ...


class VideoFinishing:
    """Ends jobs."""

    def __init__(
        self,
        jobs: Jobs,
        objects: Objects,
        moderator: Moderator,
        finisher: Finisher,
        receipts: Receipts,
        *,
        recorder: Recorder,
        meter: UseCounter | None = None,
    ) -> None:
        self._jobs, self._moderator, self._finisher, self._receipts = jobs, moderator, finisher, receipts
        self._outputs, self._recorder, self._meter = Outputs(objects), recorder, meter

    def finish(
        self, found: Opened, subject: str, content: bytes, record: VendorRecord, *, uses: Mapping[str, int]
    ) -> None:
        """Keep the video and two pictures of it. Raises what stands in the way; nothing is kept then."""
        job = found.job
        made = clip(content, self._finisher.marker)
        if self._finisher.must_mark and not made.marked:
            advice = "This video cannot carry a watermark, which this service requires; order a larger one."
            raise UnsupportedMedia(advice, code="watermark-required")
        judged = _call_of(job, subject, found)
        try:
            self._moderator.of(judged, "output").check_pictures(made.views)
        except Denied as refusal:
            self.fail(job, refusal.code, uses=uses, judged=judged)
            raise
        owner = Owner(job.tenant, subject, job.request)
        with ExitStack() as undo:
            film, marks = self._film(made, found, record)
            kept = self._outputs.keep(undo, owner, film)
            self._outputs.keep(undo, owner, self._piece(THUMBNAIL, made.thumbnail.content, found, record, kept.id)[0])
            sheet, _ = self._piece(SPRITESHEET, made.spritesheet.content, found, record, kept.id)
            self._outputs.keep(undo, owner, sheet, beside=self._ending(found, judged, kept.id, marks, uses))
            undo.pop_all()

    def fail(self, job: Job, code: str, *, uses: Mapping[str, int], judged: Call | None = None) -> None:
        """The job ends without a video, unless it has ended. `judged`: what moderation says of it is kept with that."""
        with self._jobs.database.write() as connection:
            ended = {"state": store.FAILED, "code": code, "ended_at": self._jobs.now()}
            if store.change(connection, job.id, **ended):
                self._close(connection, job, code, (), uses, facts=_told(connection, judged))

    def gone(self, job: Job, *, uses: Mapping[str, int]) -> None:
        """Its order was erased: the row goes, the log says that it ended."""
        with self._jobs.database.write() as connection:
            self._close(connection, job, "gone", (), uses)
            store.remove(connection, job.id)

    def _film(self, made: Clip, found: Opened, record: VendorRecord) -> tuple[Piece, dict[str, int]]:
        """The film as it is kept, and the marks that it carries. One that begins with a picture of the caller's has no
        fingerprint: it would tell on that picture."""
        piece, stamped = self._piece(VIDEO, made.content, found, record)
        own = self._finisher.fingerprints if found.order.reference is None else None
        film = replace(piece, fingerprints=own.of(made.views) if own else ())
        told = Finished(piece.content, piece.media_type, made.width, made.height, False, made.film_marked, stamped,
                        film.fingerprints)  # fmt: skip
        return film, marks_of(told)

    def _piece(
        self, kind: str, content: bytes, found: Opened, record: VendorRecord, video: str | None = None
    ) -> tuple[Piece, bool]:
        """A piece as it is kept, signed, and whether with a time stamp."""
        media_type, ending = {
            VIDEO: ("video/mp4", "mp4"),
            THUMBNAIL: ("image/webp", "webp"),
            SPRITESHEET: ("image/jpeg", "jpg"),
        }[kind]
        source = source_type(record, edited=found.order.reference is not None)
        signed = self._finisher.credentials.signed(content, media_type, source=source)
        parents = (found.job.object, video) if video else (found.job.object,)
        return Piece(kind, media_type, f"{found.job.request}.{ending}", signed.content, parents), signed.stamped

    def _ending(
        self, found: Opened, judged: Call, video: str, marks: Mapping[str, int], uses: Mapping[str, int]
    ) -> Callable[[Connection, str], None]:
        """With the last piece: the job is done, the receipt says so and goes with the video. Raises `Conflict`."""
        job = found.job

        def beside(connection: Connection, last: str) -> None:
            done = {"state": store.DONE, "progress": 100, "made": video, "ended_at": self._jobs.now()}
            if not store.change(connection, job.id, **done):
                raise Conflict("This video ended or was deleted while it was made.", code="video-ended")
            told = _told(connection, judged) | {"marked": marks["watermark"]}
            row = self._close(connection, job, "answered", (video,), uses, marks=marks, facts=told)
            if row is not None:
                bound_to(Owner(job.tenant, judged.subject, job.request), row, (video,))(connection, last)

        return beside

    def _close(
        self,
        connection: Connection,
        job: Job,
        outcome: str,
        made: tuple[str, ...],
        uses: Mapping[str, int],
        *,
        marks: Mapping[str, int] | None = None,
        facts: Mapping[str, Fact] = MappingProxyType({}),
    ) -> ReceiptRow | None:
        """The receipt's last word and the entry of the log, with what was used on the way."""
        row = receipts.find_receipt(connection, job.tenant, job.request)
        if row is not None:
            self._receipts.ending(row, outcome, made, marks)(connection)
        told = {**facts, "object": made[0] if made else job.object, "vendor": job.vendor, "model": job.model}
        if uses and self._meter is not None:
            told["uses"] = dict(uses)
            self._meter.change(uses)(connection)
        done = outcome == "answered"
        entry = Entry(
            log=job.tenant,
            operation="video.ended",
            phase="event",
            outcome=Outcome.DONE if done else Outcome.FAILED,
            request=job.request.partition(".")[0],
            actor=ACTOR,
            tenant=job.tenant,
            time=self._jobs.now(),
            code=None if done else outcome,
            facts=told,
        )
        self._recorder.record_within(connection, entry)
        return row


def _told(connection: Connection, judged: Call | None) -> dict[str, Fact]:
    """Cases about a video, opened in the transaction that ends its job; nobody dispatches the call they came of."""
    if judged is None:
        return {}
    for change in judged.last:
        change(connection)
    return dict(judged.facts)


def _call_of(job: Job, subject: str, found: Opened) -> Call:
    """The call that the moderator judges for: the person's own, as it was when the video was ordered."""
    caller = Caller(subject, "user", job.tenant, subject, jurisdiction=found.order.jurisdiction)
    return Call(caller, job.request.partition(".")[0], datetime.fromtimestamp(job.created_at / 1000, UTC))
