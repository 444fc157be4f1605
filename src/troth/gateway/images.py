"""POST /v1/images/generations and /edits: clear, vendor, moderation, mark, content credentials, vault, answer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from troth.gateway.assets import Assets
from troth.gateway.clearance import Clearance, Departure
from troth.gateway.departing import Wanted
from troth.gateway.image_events import ImageEvents
from troth.gateway.image_rules import check, quality_of, usage_of, vendor_fields
from troth.gateway.intake import Admitted, Limits, admit_image
from troth.gateway.moderation import Moderator
from troth.gateway.outputs import Outputs, Owner, Piece
from troth.gateway.pictures import Finished, Finisher, Opened, Origin, marks_of
from troth.gateway.places import IMAGES
from troth.gateway.provenance import SourceType
from troth.gateway.relaying import joined
from troth.gateway.vendors.local_studio import IMAGE_MODEL
from troth.gateway.vendors.port import Attachment, Partial, Produced
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.wire.images import EditImages, GenerateImages, Image, Images
from troth.gateway.wire.upload import Upload
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid, TrothError, UnsupportedMedia, VendorFailed
from troth.kernel.operation import Call, Stream
from troth.vault.objects import Objects

Asked = GenerateImages | EditImages


@dataclass(frozen=True, slots=True)
class Source:
    """An uploaded picture: as it is kept, and as the vendor gets it (without foreign credentials)."""

    upload: Upload
    admitted: Admitted
    attachment: Attachment

    @property
    def piece(self) -> Piece:
        """As it is kept."""
        return Piece("upload", self.admitted.media_type, _name(self.upload.filename), self.admitted.content)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a picture that is being made."""

    finished: Finished
    index: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The pictures of a request: the answer, what stands in it, and the objects that hold it."""

    images: Images
    finished: list[Finished]
    objects: tuple[str, ...]


class ImageDesk:
    """Makes and changes pictures. Every one that leaves here is signed, kept sealed, and has an end."""

    def __init__(
        self,
        clearance: Clearance,
        moderator: Moderator,
        finisher: Finisher,
        objects: Objects,
        assets: Assets,
    ) -> None:
        self._clearance = clearance
        self._moderator = moderator
        self._finisher = finisher
        self._outputs = Outputs(objects)
        self._assets = assets

    async def generate(self, call: Call, request: GenerateImages) -> Images | Stream:
        """Pictures for a prompt, whole or in stages."""
        check(request)
        departure = await asyncio.to_thread(self._clear, call, request, [])
        if request.stream:
            return await _streamed(self._relay(departure, request, []))
        return await self._whole(departure, request, [])

    async def edit(self, call: Call, request: EditImages) -> Images | Stream:
        """Uploaded pictures, changed as the prompt says."""
        check(request)
        uploads = [*request.image, *([request.mask] if request.mask else [])]
        await asyncio.to_thread(self._clearance.require_room, call, sum(len(one.content) for one in uploads))
        sources = await asyncio.to_thread(lambda: [admitted_source(upload) for upload in request.image])
        mask = await asyncio.to_thread(_mask, request.mask, sources[0])
        departure = await asyncio.to_thread(self._clear, call, request, sources, mask)
        if request.stream:
            return await _streamed(self._relay(departure, request, sources))
        return await self._whole(departure, request, sources)

    def require(self, call: Call, request: GenerateImages) -> None:
        """Refuse now what nobody here may or can make. Blocks."""
        check(request)
        self._clearance.require(call, self._wanted(request, []))

    async def part(self, call: Call, request: GenerateImages, number: int) -> AsyncGenerator[Stage | Delivered, None]:
        """One picture of an answer that has others things too: its stages, then the picture. `number` from 1."""
        wanted = replace(self._wanted(request, []), part=number)
        departure = await self._clearance.cleared(call, wanted)
        async with aclosing(self._made(departure, request, [])) as steps:
            async for step in steps:
                yield step

    def _clear(
        self, call: Call, request: Asked, sources: Sequence[Source], mask: Attachment | None = None
    ) -> Departure:
        return self._clearance.clear(call, self._wanted(request, sources, mask))

    def _wanted(self, request: Asked, sources: Sequence[Source], mask: Attachment | None = None) -> Wanted:
        return Wanted(
            operation="image.edit" if sources else "image.generate",
            kind="image",
            model=request.model or IMAGE_MODEL,
            payload=vendor_fields(request),
            places=IMAGES,
            attachments=(*(source.attachment for source in sources), *([mask] if mask else [])),
            has_pictures=bool(sources),
        )

    async def _whole(self, departure: Departure, request: Asked, sources: Sequence[Source]) -> Images:
        steps = [step async for step in self._made(departure, request, sources)]
        return next(step.images for step in steps if isinstance(step, Delivered))

    async def _relay(
        self, departure: Departure, request: Asked, sources: Sequence[Source]
    ) -> AsyncGenerator[bytes, None]:
        """Stages as events, then the pictures. A failure on the way is told as an event, then ends the stream."""
        events, started = ImageEvents(request, departure.call, edited=bool(sources)), False
        try:
            async with aclosing(self._made(departure, request, sources)) as steps:
                async for step in steps:
                    if isinstance(step, Stage):
                        yield events.partial(step.finished, step.index)
                        started = True
                        continue
                    for image, one in zip(step.images.data, step.finished, strict=True):
                        yield events.completed(image, one, step.images.usage)
                        started = True
        except TrothError as error:
            if started:
                yield events.failed(error)
            raise

    async def _made(
        self, departure: Departure, request: Asked, sources: Sequence[Source]
    ) -> AsyncGenerator[Stage | Delivered, None]:
        made, wanted = list[Produced](), request.output_format or "png"
        async with self._clearance.concluding(departure):
            async with aclosing(_told(departure, request, sources)) as stages:
                async for stage in stages:
                    if isinstance(stage, Produced):
                        made.append(stage)
                    else:
                        finished = await asyncio.to_thread(self._stage, departure, wanted, stage, sources)
                        if finished is not None:
                            yield Stage(finished, stage.index)
            images, whole = await asyncio.to_thread(self._finished, departure, request, made, sources)
            yield Delivered(images, whole, departure.objects)

    def _stage(self, departure: Departure, wanted: str, stage: Partial, sources: Sequence[Source]) -> Finished | None:
        """A stage is judged like a picture, and signed. None: it lacks a mark that it must have, and is left out."""
        origin = self._origin(departure.record, sources)
        try:
            opened, finished = self._finisher.stage(stage.content, wanted, origin)
        except UnsupportedMedia as error:
            if error.code != "watermark-required":
                raise
            return None  # the picture itself may be fuller, and is asked for its own
        self._judge(departure, [opened])
        return finished

    def _finished(
        self, departure: Departure, request: Asked, made: list[Produced], sources: Sequence[Source]
    ) -> tuple[Images, list[Finished]]:
        """All pictures are checked and signed before the first is kept: nothing is half delivered."""
        if not 1 <= len(made) <= (request.n or 1):
            raise VendorFailed("The vendor made another number of pictures than asked; try again.",
                               code="vendor-bad-answer")  # fmt: skip
        prompts = [departure.redaction.restore(one.revised_prompt) for one in made]
        wanted = request.output_format or "png"
        opened = [self._finisher.open(one.content, wanted) for one in made]
        self._moderator.of(departure.call, "output").check_all(prompt for prompt in prompts if prompt)
        self._judge(departure, opened)
        origin = self._origin(departure.record, sources)
        finished = [self._finisher.finish(one, wanted, request.output_compression, origin) for one in opened]
        departure.objects = self._keep(departure, wanted, finished, sources)
        departure.outcome = "answered"
        return self._answer(departure, request, finished, prompts, usage_of(made)), finished

    def _judge(self, departure: Departure, opened: Sequence[Opened]) -> None:
        judge = self._moderator.of(departure.call, "output")
        judge.check_all(one.text for one in opened if one.text)
        judge.check_pictures(view for one in opened for view in one.views)

    def _origin(self, record: VendorRecord, sources: Sequence[Source]) -> Origin:
        shown = [source.admitted.content for source in sources]
        return Origin(source_type(record, edited=bool(sources)), shown[0] if shown else None, tuple(shown[1:]))

    def _keep(
        self, departure: Departure, wanted: str, finished: Sequence[Finished], sources: Sequence[Source]
    ) -> tuple[str, ...]:
        """All of them, or none when one cannot be kept."""
        call = departure.call
        pieces = [
            Piece("output", one.media_type, f"{call.request_id}-{number}.{wanted}", one.content,
                  fingerprints=one.fingerprints)
            for number, one in enumerate(finished, 1)
        ]  # fmt: skip
        owner = Owner(call.tenant, call.subject, call.request_id)
        kept = self._outputs.keep_made(owner, departure.receipt, [source.piece for source in sources], pieces)
        departure.marked = marks_of(*finished)
        call.note(object=kept[0], objects=len(kept), format=wanted, marked=departure.marked["watermark"])
        return kept

    def _answer(
        self, departure: Departure, request: Asked, finished: Sequence[Finished], prompts: list[Any], usage: Any
    ) -> Images:
        call, links, first = departure.call, request.response_format == "url", finished[0]
        data = [
            Image(
                b64_json=None if links else base64.b64encode(one.content).decode(),
                url=self._assets.link(call.tenant, call.subject, object_id) if links else None,
                revised_prompt=prompt,
            )
            for one, object_id, prompt in zip(finished, departure.objects, prompts, strict=True)
        ]
        return Images(
            created=epoch_ms(call.at) // 1000,
            data=data,
            output_format=request.output_format or "png",
            request_id=call.request_id,
            background="transparent" if first.transparent else "opaque",
            quality=quality_of(request),
            size=f"{first.width}x{first.height}",
            usage=usage,
        )


def _parted(departure: Departure, sources: Sequence[Source]) -> tuple[list[Attachment], Attachment | None]:
    """The pictures as the vendor may see them, and the mask, which travels behind them."""
    given = departure.attachments
    return given[: len(sources)], given[len(sources)] if len(given) > len(sources) else None


async def _told(
    departure: Departure, request: Asked, sources: Sequence[Source]
) -> AsyncGenerator[Partial | Produced, None]:
    """What the vendor makes, with stages where they were asked for."""
    port, payload = departure.port, departure.payload
    if not request.stream:
        for one in await (port.edit(payload, *_parted(departure, sources)) if sources else port.image(payload)):
            yield one
        return
    told = port.edit_stream(payload, *_parted(departure, sources)) if sources else port.image_stream(payload)
    async with aclosing(told) as stages:
        async for stage in stages:
            yield stage


async def _streamed(relay: AsyncGenerator[bytes, None]) -> Stream:
    first = await anext(relay)  # a vendor that refuses does so before the response begins
    return Stream(joined(first, relay))


def admitted_source(upload: Upload) -> Source:
    """An upload that may be kept and sent. Raises as `intake.admit_image`."""
    kept = admit_image(upload.content, upload.media_type)
    sent = admit_image(kept.content, kept.media_type, Limits(keep_credentials=False))
    return Source(upload, kept, Attachment(sent.content, sent.media_type, sent.width, sent.height))


def _mask(upload: Upload | None, source: Source) -> Attachment | None:
    if upload is None:
        return None
    mask = admit_image(upload.content, upload.media_type, Limits(keep_credentials=False))
    if (mask.width, mask.height) != (source.admitted.width, source.admitted.height):
        raise Invalid("The mask has another size than the picture; make both the same.", code="mask-size", field="mask")
    return Attachment(mask.content, mask.media_type, mask.width, mask.height)


def source_type(record: VendorRecord, *, edited: bool) -> SourceType:
    """What may truthfully be said: the local studio follows rules, every other vendor counts as a trained model."""
    if record.kind == "local-studio":
        return "algorithmicMedia"
    return "compositeWithTrainedAlgorithmicMedia" if edited else "trainedAlgorithmicMedia"


def _name(filename: str) -> str:
    stem = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in stem if sign.isprintable())[:255] or "picture"
