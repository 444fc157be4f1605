"""A picture of one's own, cleaned on one page: what was covered, what stood beside the pixels, and the new file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from troth.gateway.picture_operations import RedactedMedia, RedactImage
from troth.gateway.wire.upload import Upload
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk
from troth.portal.downloads import PICTURES
from troth.portal.forms import filled, upload_of
from troth.portal.render import Page, page

LARGEST = 8 << 20  # bytes; the result stands in the page twice
_ADVICE = "Choose one picture: JPEG, PNG, WebP, GIF or TIFF."
WAYS = (
    ("", "Cover faces as the policy says"),
    ("fill", "Fill them"),
    ("remove", "Paint them over"),
    ("keep", "Keep faces"),
)
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "image/tiff": "tiff"}
_WORDS = {
    "FACE": "Faces",
    "CODE": "Codes with personal content",
    "UNREAD": "Text that could not be read",
}


class Count(NamedTuple):
    """One row of the table."""

    label: str
    title: str
    covered: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as the page shows it. `seen`: whether a browser can draw it."""

    result: RedactedMedia
    rows: list[Count]
    address: str
    file: str
    seen: bool


async def show(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The empty form."""
    return _page(caller)


async def redact(desk: Desk, request: Request, caller: Caller) -> Response:
    """The picture, cleaned."""
    try:
        content = await upload_of(request, "picture", LARGEST)
        if not content:
            raise Invalid(_ADVICE, code="no-picture")
        upload = Upload(filename="picture", media_type="application/octet-stream", content=content)
        wish = filled(RedactImage, _ADVICE, file=upload, faces=request.query_params.get("faces") or None)
        result: RedactedMedia = await desk.run("redaction.image", caller, wish)
    except TrothError as error:
        return _page(caller, error=error)
    return _page(caller, shown=shown(result))


def shown(result: RedactedMedia) -> Shown:
    """What a person sees of a result."""
    rows = [Count(label, _WORDS.get(label, ""), count) for label, count in result.counts.items()]
    address = f"data:{result.media_type};base64,{result.data}"
    file = f"redacted.{_SUFFIX.get(result.media_type, 'bin')}"
    return Shown(result, rows, address, file, result.media_type in PICTURES)


def _page(caller: Caller, *, shown: Shown | None = None, error: TrothError | None = None) -> Response:
    frame = Page("Redact a picture", "/redact", caller)
    return page("redact_picture.html", frame, error.status if error else 200, shown=shown, error=error, ways=WAYS,
                megabytes=LARGEST >> 20)  # fmt: skip
