"""Pictures and short videos of one's own, without the people in them. Nothing of them is kept."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.gateway.intake import admit_image
from troth.gateway.intake.kinds import image_type
from troth.gateway.limits.counting import brought
from troth.gateway.limits.metered import Metered
from troth.gateway.picture_step import LIMITS, reading_one, reading_video
from troth.gateway.redaction import Redactor
from troth.gateway.wire.upload import Upload
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.redact.pictures.cleaning import CleanPicture, clean_picture
from troth.redact.pictures.looking import Eye
from troth.redact.policy import shipped
from troth.redact.video.cleaning import clean_video
from troth.redact.video.streams import MEDIA_TYPE, VideoLimits

_BODY = 26 << 20
_VIDEO_BODY = 17 << 20
VIDEO = VideoLimits(frames=750, pixels=1920 * 1088, seconds=180.0)  # half a minute; longer ones: the CLI
Faces = Literal["blur", "fill", "remove", "keep"]
PolicyName = Literal["tenant", "vendor", "training"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RedactImage(_Message):
    """A multipart form: one picture (JPEG, PNG, WebP, GIF or TIFF). `faces`: by default what the policy says."""

    file: Upload
    faces: Faces | None = None
    policy: PolicyName = "tenant"


class RedactVideo(_Message):
    """A multipart form: one video of at most 16 MiB and 750 frames. Its sound is left out."""

    file: Upload
    faces: Faces | None = None
    policy: PolicyName = "tenant"


class RedactedMedia(_Message):
    """The cleaned file in base64, and what was done to it, without any content.

    `counts`: areas that were covered, by label (of a video: the most in one frame); `removed`: names of what stood
    beside the pixels; `frames`: how many were looked at; `version`: of everything that looked and decided.
    """

    data: Annotated[str, Field(repr=False)]
    media_type: str
    width: int
    height: int
    frames: int
    counts: dict[str, int]
    removed: tuple[str, ...]
    faces: str
    policy: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOperations:
    """Pictures and videos of the caller's own, cleaned."""

    redactor: Redactor
    metered: Metered

    @operation("redaction.image", group=Group.OWN_DATA, request=RedactImage, data_class=DataClass.USER_GENERATED,
               route=Route("POST", "/v1/redactions/images", body="multipart", max_bytes=_BODY))  # fmt: skip
    def image(self, call: Call, request: RedactImage) -> RedactedMedia:
        """Cover faces, personal words and codes in a picture, and leave out its metadata; nothing of it is kept."""
        eye = self._eye(call.tenant, request)
        with self.metered.doing(call, "redaction.image", brought(len(request.file.content))):
            content, media_type, removed = _stripped(request.file)
            with reading_one():
                done = clean_picture(content, eye, LIMITS)
        call.note(withheld=sum(done.counts.values()), kinds=done.counts)
        return _media(_bytes_of(done, content, media_type), done.media_type, done, eye, (*removed, *done.removed))

    @operation("redaction.video", group=Group.OWN_DATA, request=RedactVideo, data_class=DataClass.USER_GENERATED,
               route=Route("POST", "/v1/redactions/videos", body="multipart", max_bytes=_VIDEO_BODY))  # fmt: skip
    def video(self, call: Call, request: RedactVideo) -> RedactedMedia:
        """Cover faces and personal words in a short video, and leave out sound and metadata; nothing of it is kept."""
        eye, out = self._eye(call.tenant, request), io.BytesIO()
        with self.metered.doing(call, "redaction.video", brought(len(request.file.content))), reading_video():
            done = clean_video(io.BytesIO(request.file.content), out, eye, limits=VIDEO)
        call.note(withheld=sum(done.counts.values()), kinds=done.counts)
        return _media(out.getvalue(), MEDIA_TYPE, done, eye, done.removed)

    def _eye(self, tenant: str, request: RedactImage | RedactVideo) -> Eye:
        detector, policy = self.redactor.reading(tenant)
        policy = policy if request.policy == "tenant" else shipped(request.policy)
        rules = (
            policy.pictures if request.faces is None else policy.pictures.model_copy(update={"faces": request.faces})
        )
        return Eye(detector, policy, rules)


def _stripped(upload: Upload) -> tuple[bytes, str, tuple[str, ...]]:
    """Through the gate of uploads where that knows the type: malware, polyglots and metadata end there already."""
    media_type = image_type(upload.content)
    if media_type is None:
        return upload.content, "", ()
    admitted = admit_image(upload.content, media_type)
    return admitted.content, admitted.media_type, admitted.removed


def _bytes_of(done: CleanPicture, content: bytes, media_type: str) -> bytes:
    """What the gate cleaned without touching a pixel, when no pixel is to be touched."""
    return content if media_type == done.media_type and not done.changed else done.content


def _media(content: bytes, media_type: str, done: object, eye: Eye, removed: tuple[str, ...]) -> RedactedMedia:
    facts = {name: getattr(done, name) for name in ("width", "height", "frames", "counts", "version")}
    return RedactedMedia(data=base64.b64encode(content).decode(), media_type=media_type, faces=eye.rules.faces,
                         policy=eye.policy, removed=tuple(sorted(set(removed))), **facts)  # fmt: skip
