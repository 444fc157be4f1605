"""POST /v1/images/generations and /edits: clear -> vendor -> moderate -> content credentials -> vault -> answer."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from troth.gateway.assets import Assets
from troth.gateway.clearance import Clearance, Departure, Wanted
from troth.gateway.intake import Admitted, Limits, admit_image
from troth.gateway.moderation import Moderator
from troth.gateway.pictures import MEDIA_TYPES, finished
from troth.gateway.places import IMAGES
from troth.gateway.provenance import Credentials, SourceType
from troth.gateway.receipts import Receipts
from troth.gateway.vendors.local_studio import IMAGE_MODEL
from troth.gateway.vendors.port import Attachment, Produced
from troth.gateway.wire.images import EditImages, GenerateImages, Image, Images
from troth.gateway.wire.upload import Upload
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Invalid, VendorFailed
from troth.kernel.operation import Call
from troth.vault.objects import KeepRequest, Objects

# Handled here, so that every vendor gives the same formats and no vendor is asked for a link.
_OURS = frozenset("response_format output_format output_compression stream partial_images image mask".split())


@dataclass(frozen=True, slots=True)
class _Source:
    """An uploaded picture: as it is kept, and as the vendor gets it (without foreign credentials)."""

    upload: Upload
    admitted: Admitted
    attachment: Attachment


class ImageDesk:
    """Makes and changes pictures. Every one that leaves here is signed, kept sealed, and has an end."""

    def __init__(
        self, clearance: Clearance, moderator: Moderator, credentials: Credentials, objects: Objects, assets: Assets
    ) -> None:
        self._clearance = clearance
        self._moderator = moderator
        self._credentials = credentials
        self._objects = objects
        self._assets = assets

    async def generate(self, call: Call, request: GenerateImages) -> Images:
        """Pictures for a prompt."""
        _check(request)
        departure = await asyncio.to_thread(self._clear, call, request, [])
        async with self._clearance.concluding(departure):
            made = await departure.port.image(departure.payload)
            return await asyncio.to_thread(self._deliver, departure, request, made, [])

    async def edit(self, call: Call, request: EditImages) -> Images:
        """Uploaded pictures, changed as the prompt says."""
        _check(request)
        sources = await asyncio.to_thread(lambda: [_admitted(upload) for upload in request.image])
        mask = await asyncio.to_thread(_mask, request.mask, sources[0])
        departure = await asyncio.to_thread(self._clear, call, request, sources)
        async with self._clearance.concluding(departure):
            attachments = [source.attachment for source in sources]
            made = await departure.port.edit(departure.payload, attachments, mask)
            return await asyncio.to_thread(self._deliver, departure, request, made, sources)

    def _clear(self, call: Call, request: GenerateImages | EditImages, sources: Sequence[_Source]) -> Departure:
        payload = request.model_dump(mode="json", exclude_none=True, exclude=set(_OURS))
        wanted = Wanted(
            operation="image.edit" if sources else "image.generate",
            kind="image",
            model=request.model or IMAGE_MODEL,
            payload=payload,
            places=IMAGES,
            pictures=tuple(hashlib.sha256(source.attachment.content).hexdigest() for source in sources),
            has_pictures=bool(sources),
        )
        return self._clearance.clear(call, wanted)

    def _deliver(
        self,
        departure: Departure,
        request: GenerateImages | EditImages,
        made: list[Produced],
        sources: Sequence[_Source],
    ) -> Images:
        """All pictures are checked and signed before the first is kept: nothing is half delivered."""
        if not 1 <= len(made) <= (request.n or 1):
            raise VendorFailed("The vendor made another number of pictures than asked; try again.",
                               code="vendor-bad-answer")  # fmt: skip
        prompts = [departure.redaction.restore(one.revised_prompt) for one in made]
        self._moderator.check_all(prompt for prompt in prompts if prompt)
        wanted = request.output_format or "png"
        source = _source_type(departure, bool(sources))
        parent = sources[0].admitted.content if sources else None
        signed = [
            finished(one.content, wanted, request.output_compression, credentials=self._credentials, source=source,
                     parent=parent)
            for one in made
        ]  # fmt: skip
        departure.objects = self._keep(departure, wanted, signed, sources)
        departure.outcome = "answered"
        return self._answer(departure, request, signed, prompts)

    def _keep(
        self, departure: Departure, wanted: str, signed: list[bytes], sources: Sequence[_Source]
    ) -> tuple[str, ...]:
        """All of them, or none when one cannot be kept. The last one binds the receipt to all."""
        call, kept = departure.call, list[str]()
        with ExitStack() as undo:
            parents = tuple(
                self._kept(undo, call, "upload", one.admitted.media_type, name=_name(one.upload.filename),
                           content=one.admitted.content)
                for one in sources
            )  # fmt: skip
            for n, content in enumerate(signed, 1):
                beside = Receipts.going_with(call, departure.receipt, kept) if n == len(signed) else None
                kept.append(
                    self._kept(undo, call, "output", MEDIA_TYPES[wanted], name=f"{call.request_id}-{n}.{wanted}",
                               content=content, parents=parents, beside=beside)
                )  # fmt: skip
            undo.pop_all()
        call.note(object=kept[0], objects=len(kept), format=wanted)
        return tuple(kept)

    def _kept(
        self,
        undo: ExitStack,
        call: Call,
        kind: str,
        media_type: str,
        *,
        name: str,
        content: bytes,
        parents: tuple[str, ...] = (),
        beside: Callable[[Connection, str], None] | None = None,
    ) -> str:
        kept = self._objects.keep(
            KeepRequest(
                tenant=call.tenant,
                subject=call.subject,
                data_class=DataClass.USER_GENERATED,
                kind=kind,
                media_type=media_type,
                name=name,
                content=content,
                derived_from=parents,
                request=call.request_id,
            ),
            beside=beside,
        )
        undo.callback(self._objects.delete, call.tenant, call.subject, kept.id)
        return kept.id

    def _answer(
        self, departure: Departure, request: GenerateImages | EditImages, signed: list[bytes], prompts: list[Any]
    ) -> Images:
        call, links = departure.call, request.response_format == "url"
        data = [
            Image(
                b64_json=None if links else base64.b64encode(content).decode(),
                url=self._assets.link(call.tenant, call.subject, object_id) if links else None,
                revised_prompt=prompt,
            )
            for content, object_id, prompt in zip(signed, departure.objects, prompts, strict=True)
        ]
        return Images(
            created=epoch_ms(call.at) // 1000,
            data=data,
            output_format=request.output_format or "png",
            request_id=call.request_id,
        )


def _check(request: GenerateImages | EditImages) -> None:
    """Refuse what no vendor here can do, before anything happens."""
    if request.stream or request.partial_images:
        raise Invalid("Pictures are not streamed yet; ask without stream.", code="stream-not-supported", field="stream")
    if request.output_format in ("gif", "svg") or request.frame_count or request.frame_duration_ms:
        raise Invalid("Pictures come as png, jpeg or webp; choose one of them.", code="format-not-supported",
                      field="output_format")  # fmt: skip
    if request.background == "transparent" and request.output_format == "jpeg":
        raise Invalid("JPEG knows no transparency; choose png or webp.", code="format-not-supported",
                      field="output_format")  # fmt: skip


def _admitted(upload: Upload) -> _Source:
    kept = admit_image(upload.content, upload.media_type)
    sent = admit_image(kept.content, kept.media_type, Limits(keep_credentials=False))
    return _Source(upload, kept, Attachment(sent.content, sent.media_type, sent.width, sent.height))


def _mask(upload: Upload | None, source: _Source) -> Attachment | None:
    if upload is None:
        return None
    mask = admit_image(upload.content, upload.media_type, Limits(keep_credentials=False))
    if (mask.width, mask.height) != (source.admitted.width, source.admitted.height):
        raise Invalid("The mask has another size than the picture; make both the same.", code="mask-size", field="mask")
    return Attachment(mask.content, mask.media_type, mask.width, mask.height)


def _source_type(departure: Departure, edited: bool) -> SourceType:
    """What may truthfully be said: the local studio follows rules, every other vendor counts as a trained model."""
    if departure.record.kind == "local-studio":
        return "algorithmicMedia"
    return "compositeWithTrainedAlgorithmicMedia" if edited else "trainedAlgorithmicMedia"


def _name(filename: str) -> str:
    stem = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in stem if sign.isprintable())[:255] or "picture"
