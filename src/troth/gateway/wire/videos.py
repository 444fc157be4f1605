"""POST /v1/videos and what follows it, in OpenAI's shapes."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from troth.gateway.wire.fields import Answer, Identifier, ModelName, Prompt, Wire
from troth.gateway.wire.images import Size
from troth.gateway.wire.upload import Upload

MAX_SECONDS = 60
_DATA = re.compile(r"data:(image/(?:png|jpeg|webp));base64,")
VideoId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Seconds = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value),
                    StringConstraints(max_length=2, pattern=r"^[1-9][0-9]?$")]  # fmt: skip


def _reference(value: Any) -> Any:
    """A picture that came inside JSON, as if it had been uploaded."""
    if not isinstance(value, dict) or "content" in value:
        return value
    address = value.get("image_url")
    if set(value) != {"image_url"} or not isinstance(address, str) or not (head := _DATA.match(address)):
        raise ValueError("send the picture itself: as a file, or as image_url with a data: URL of PNG, JPEG or WebP")
    try:
        content = base64.b64decode(address[head.end() :], validate=True)
    except binascii.Error:
        raise ValueError("the data: URL is not base64") from None
    return Upload(filename="reference", media_type=head.group(1), content=content)


class CreateVideo(Wire):
    """What the video shows, how large and how long it is, and perhaps the picture that it begins with."""

    prompt: Prompt
    model: ModelName | None = None
    size: Size | None = None
    seconds: Seconds | None = None
    input_reference: Annotated[Upload | None, BeforeValidator(_reference)] = None
    safety_identifier: Identifier | None = None
    user: Identifier | None = None


class RemixVideo(Wire):
    """The same video with other words."""

    video_id: VideoId
    prompt: Prompt


class VideoById(Wire):
    """One video job."""

    video_id: VideoId


class VideoContent(Wire):
    """What to download of a finished one."""

    video_id: VideoId
    variant: Literal["video", "thumbnail", "spritesheet"] = "video"


class ListVideos(Wire):
    """A page of one's own."""

    after: VideoId | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"


class VideoError(Answer):
    """Why a job failed: a stable code, and what to do."""

    code: str
    message: str


class Video(Answer):
    """One job. Times are seconds since the epoch; `request_id` names the receipt."""

    id: str
    object: Literal["video"] = "video"
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int
    model: str
    prompt: str | None = None
    size: str
    seconds: str
    created_at: int
    completed_at: int | None = None
    expires_at: int | None = None
    remixed_from_video_id: str | None = None
    error: VideoError | None = None
    request_id: str


class Videos(Answer):
    """A page of jobs."""

    object: Literal["list"] = "list"
    data: list[Video]
    has_more: bool
    first_id: str | None = None
    last_id: str | None = None


class VideoDeleted(Answer):
    """The job and what came of it are gone."""

    id: str
    object: Literal["video.deleted"] = "video.deleted"
    deleted: bool = True
