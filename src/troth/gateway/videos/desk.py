"""POST /v1/videos: clear, seal the order, tell the vendor. What follows is the runner's; here it is asked for."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import replace

from troth.gateway.clearance import Clearance, Departure
from troth.gateway.departing import Wanted
from troth.gateway.images import Source, admitted_source
from troth.gateway.outputs import Outputs, Owner, Piece
from troth.gateway.places import VIDEOS
from troth.gateway.vendors.local_studio import VIDEO_MODEL
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.registry import Vendors
from troth.gateway.videos import store
from troth.gateway.videos.jobs import Jobs
from troth.gateway.videos.orders import ORDER, SPRITESHEET, THUMBNAIL, Opened, Order, opened
from troth.gateway.videos.store import Job
from troth.gateway.wire.upload import Upload
from troth.gateway.wire.videos import CreateVideo, ListVideos, RemixVideo, Video, VideoContent, VideoError, Videos
from troth.kernel.errors import Conflict, Gone, NotFound, TrothError
from troth.kernel.ids import new_id
from troth.kernel.operation import Binary, Call
from troth.vault.objects import Objects

_SIZE, _SECONDS = "720x1280", "4"
_VARIANTS = {"thumbnail": THUMBNAIL, "spritesheet": SPRITESHEET}


class VideoDesk:
    """What a person does with videos. Another person's job is no job."""

    def __init__(
        self,
        clearance: Clearance,
        objects: Objects,
        jobs: Jobs,
        *,
        vendors: Vendors,
        ports: Ports,
    ) -> None:
        self._clearance = clearance
        self._objects = objects
        self._outputs = Outputs(objects)
        self._jobs = jobs
        self._vendors = vendors
        self._ports = ports
        self._handing = set[asyncio.Task[Job]]()

    async def create(self, call: Call, request: CreateVideo) -> Video:
        """Order a video; it is made after the answer."""
        upload = request.input_reference
        if upload is not None:
            await asyncio.to_thread(self._clearance.require_room, call, len(upload.content))
        source = None if upload is None else await asyncio.to_thread(admitted_source, upload)
        return await self._order(call, request, source, None)

    async def remix(self, call: Call, request: RemixVideo) -> Video:
        """Order the same video with other words: size, length, model and first picture stay, and it derives from it.

        Raises `Denied` for who may not open it.
        """
        call.require("video.content")
        before = await asyncio.to_thread(self._mine, call, request.video_id)
        if before.job.state != store.DONE:
            raise Conflict("Only a finished video can be remixed; wait until it is.", code="video-not-ready")
        again = CreateVideo(
            prompt=request.prompt, model=before.job.model, size=before.order.size, seconds=before.order.seconds
        )
        source = await asyncio.to_thread(self._reference, call, before.order)
        return await self._order(call, again, source, before)

    def show(self, call: Call, job_id: str) -> Video:
        """One's own job."""
        found = self._mine(call, job_id)
        call.note(object=found.job.object)
        return self._told(call, found)

    def page(self, call: Call, request: ListVideos) -> Videos:
        """One's own jobs. Raises `NotFound` for an `after` that is none of them."""
        orders = self._objects.list(call.tenant, call.subject, kind=ORDER, limit=1000)
        if request.order == "asc":
            orders.reverse()
        with self._jobs.database.read() as connection:
            known = store.by_objects(connection, call.tenant, [one.id for one in orders])
        jobs = [known[one.id] for one in orders if one.id in known]
        ids = [job.id for job in jobs]
        if request.after is not None:
            if request.after not in ids:
                raise NotFound("The page before ended with another video; list from the start.", field="after")
            jobs = jobs[ids.index(request.after) + 1 :]
        data = [self._told(call, opened(self._objects, call.subject, job)) for job in jobs[: request.limit]]
        return Videos(
            data=data,
            has_more=len(jobs) > request.limit,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
        )

    def content(self, call: Call, request: VideoContent) -> Binary:
        """The finished video, or a picture of it. Raises `Conflict` before it is finished."""
        found = self._mine(call, request.video_id)
        if found.job.made is None:
            code = found.job.code or "video-not-ready"
            raise Conflict("There is no video yet; ask for its state, and why it failed if it did.", code=code)
        wanted = found.job.made
        if request.variant != "video":
            wanted = self._picture_of(call, found.job.made, _VARIANTS[request.variant])
        info, content = self._objects.open(call.tenant, call.subject, wanted)
        call.note(object=info.id, bytes=info.size)
        return Binary(content, info.media_type, info.name)

    async def delete(self, call: Call, job_id: str) -> None:
        """The job, its order, and everything that came of it; a vendor that is at work is told to stop."""
        found = await asyncio.to_thread(self._mine, call, job_id)
        await asyncio.to_thread(self._forget, call, found.job, found.order)
        call.note(object=found.job.object)
        if not found.job.ended and found.job.upstream:
            await self._cancel(found.job.vendor, found.job.upstream)

    async def _order(self, call: Call, request: CreateVideo, source: Source | None, before: Opened | None) -> Video:
        await asyncio.to_thread(self._jobs.require_room, call.tenant)
        departure = await asyncio.to_thread(self._clear, call, request, source)
        async with self._clearance.concluding(departure):
            order, job = await asyncio.to_thread(self._sealed, departure, request, source, before)
            handing = asyncio.create_task(self._handed(departure, order, job))
            self._handing.add(handing)  # nobody else may hold it once the caller has left
            handing.add_done_callback(self._handing.discard)
            job = await asyncio.shield(handing)
            departure.outcome = store.QUEUED
        info = await asyncio.to_thread(self._objects.info, call.tenant, call.subject, job.object)
        call.note(object=job.object)
        return self._told(call, Opened(job, order, info))

    def _clear(self, call: Call, request: CreateVideo, source: Source | None) -> Departure:
        payload = request.model_dump(mode="json", exclude_none=True, exclude={"input_reference"})
        wanted = Wanted(
            operation="video.create",
            kind="video",
            model=request.model or VIDEO_MODEL,
            payload=payload,
            places=VIDEOS,
            attachments=() if source is None else (source.attachment,),
            has_pictures=source is not None,
        )
        return self._clearance.clear(call, wanted)

    def _sealed(
        self, departure: Departure, request: CreateVideo, source: Source | None, before: Opened | None
    ) -> tuple[Order, Job]:
        """Order and row are durable before the vendor hears of it."""
        call = departure.call
        owner = Owner(call.tenant, call.subject, call.request_id)
        job = Job(
            new_id("video"), call.tenant, departure.receipt.request, "", departure.record.id, departure.model,
            store.QUEUED, None, 0, 0, None, None, self._jobs.now(), None,
        )  # fmt: skip
        with ExitStack() as undo:
            origins = (before.job.object,) if before else ()
            reference = None
            if source is not None:  # that of a remix goes with the video that it was taken from
                reference = self._outputs.keep(undo, owner, replace(source.piece, parents=origins)).id
            order = Order(
                prompt=request.prompt,
                payload=departure.payload,
                size=_SIZE if request.size in (None, "auto") else str(request.size),
                seconds=request.seconds or _SECONDS,
                jurisdiction=call.caller.jurisdiction,
                reference=reference,
                remixed_from=before.job.id if before else None,
            )
            parents = (reference, *origins) if reference else origins
            piece = Piece(ORDER, "application/json", f"{call.request_id}.json", order.encoded(), parents)
            kept: list[Job] = []

            def beside(connection: object, object_id: str) -> None:
                kept[:] = [Job(**{name: getattr(job, name) for name in Job.__slots__} | {"object": object_id})]
                self._jobs.add(connection, kept[0])  # type: ignore[arg-type]

            self._outputs.keep(undo, owner, piece, beside=beside)
            undo.pop_all()
        return order, kept[0]

    async def _handed(self, departure: Departure, order: Order, job: Job) -> Job:
        """The vendor has it. It runs to its end when the caller leaves: the order stands then, and is in their list.

        What the vendor does not take leaves nothing; what was deleted meanwhile is cancelled there. Raises `Gone`.
        """
        try:
            upstream = await departure.port.video_create(departure.payload, departure.attachments)
        except TrothError:
            await asyncio.to_thread(self._forget, departure.call, job, order)
            raise
        vendor, receipt = departure.record.id, departure.receipt.request  # whoever took it, if another one stepped in
        taken = await asyncio.to_thread(self._jobs.change, job, upstream=upstream, vendor=vendor, request=receipt)
        if taken is None:
            await self._cancel(vendor, upstream)
            raise Gone("This video was deleted while it was ordered; order it again.")
        return taken

    async def _cancel(self, vendor: str, upstream: str) -> None:
        with suppress(TrothError):  # gone here all the same; what the vendor keeps, its terms say
            port = self._ports.port(self._vendors.get(vendor), self._jobs.now())
            await port.video_cancel(upstream)

    def _forget(self, call: Call, job: Job, order: Order) -> None:
        """Order, row, and the picture that it was to begin with: nothing stays."""
        self._objects.delete(call.tenant, call.subject, job.object)
        self._jobs.remove(job)
        if order.reference is not None:
            with suppress(Gone, NotFound):  # in a remix it went with the order before
                self._objects.delete(call.tenant, call.subject, order.reference)

    def _mine(self, call: Call, job_id: str) -> Opened:
        try:
            return opened(self._objects, call.subject, self._jobs.find(call.tenant, job_id))
        except NotFound:
            raise NotFound("There is no such video; list yours to see their ids.", field="video_id") from None

    def _reference(self, call: Call, order: Order) -> Source | None:
        if order.reference is None:
            return None
        info, content = self._objects.open(call.tenant, call.subject, order.reference)
        return admitted_source(Upload(filename=info.name, media_type=info.media_type, content=content))

    def _picture_of(self, call: Call, video: str, kind: str) -> str:
        found = self._objects.list(call.tenant, call.subject, kind=kind, limit=1000)
        for one in found:
            if video in one.derived_from:
                return one.id
        raise Gone("This picture of the video is gone; download the video itself.")

    def _told(self, call: Call, found: Opened) -> Video:  # noqa: ARG002 - whose it is was asked before
        job, order = found.job, found.order
        error = None
        if job.state == store.FAILED:
            error = VideoError(code=(job.code or "video-failed").replace("-", "_"), message=_advice(job.code))
        return Video(
            id=job.id,
            status=job.state,  # type: ignore[arg-type]
            progress=job.progress,
            model=job.model,
            prompt=order.prompt,
            size=order.size,
            seconds=order.seconds,
            created_at=job.created_at // 1000,
            completed_at=job.ended_at // 1000 if job.ended_at and job.state == store.DONE else None,
            expires_at=None if found.info.expires_at is None else found.info.expires_at // 1000,
            remixed_from_video_id=order.remixed_from,
            error=error,
            request_id=job.request,
        )


def _advice(code: str | None) -> str:
    if code == "moderation-blocked":
        return "The content policy does not permit this video; change the prompt."
    if code in ("video-interrupted", "video-timeout"):
        return "The video was not finished; order it again."
    return "The video could not be made; order it again, or choose another model."
