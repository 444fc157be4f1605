"""Pictures and videos: what one has had made, how far it is, and its end."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.wire.videos import ListVideos, Video, VideoById, VideoContent, Videos
from troth.kernel.caller import Caller
from troth.kernel.operation import Binary
from troth.portal.desk import Desk
from troth.portal.downloads import PICTURES, attachment
from troth.portal.pages.data import TABS
from troth.portal.render import Page, page
from troth.vault import messages as m

_PAGE, _VIDEOS = 24, 12
_TITLE, _HERE, _SECTION = "Pictures and videos", "/pictures", "/data"


async def listing(desk: Desk, request: Request, caller: Caller) -> Response:
    """One's own, newest first; videos that are being made say how far they are."""
    after, earlier = request.query_params.get("after"), request.query_params.get("videos")
    wanted = m.ObjectList(kind="output", limit=_PAGE, after=after)
    found: m.ObjectPage = await desk.run("object.list", caller, wanted)
    videos: Videos = await desk.run("video.list", caller, ListVideos(limit=_VIDEOS, after=earlier))
    return page(
        "pictures.html",
        Page(_TITLE, _SECTION, caller),
        objects=found.objects,
        after=found.after,
        videos=videos.data,
        earlier=videos.last_id if videos.has_more else None,
        first=after is None and earlier is None,
        pictures=PICTURES,
        tabs=TABS,
    )


async def video(desk: Desk, request: Request, caller: Caller) -> Response:
    """One video: what was asked for, how far it is, its receipt, and the way to erase it."""
    shown: Video = await desk.run("video.show", caller, _named(request))
    return page("video.html", Page("Video", _SECTION, caller), one=shown)


async def thumbnail(desk: Desk, request: Request, caller: Caller) -> Response:
    """A small picture of a finished one; gone with it."""
    wanted = VideoContent(video_id=request.path_params["video_id"], variant="thumbnail")
    opened: Binary = await desk.run("video.content", caller, wanted)
    return Response(opened.content, media_type=opened.media_type, headers={"cache-control": "private, no-store"})


async def content(desk: Desk, request: Request, caller: Caller) -> Response:
    """The video as a file."""
    return attachment(await desk.run("video.content", caller, VideoContent(video_id=request.path_params["video_id"])))


async def erase(desk: Desk, request: Request, caller: Caller) -> Response:
    """Erase it, finished or not."""
    await desk.run("video.delete", caller, _named(request))
    return RedirectResponse(_HERE, 303)


def _named(request: Request) -> VideoById:
    return VideoById(video_id=request.path_params["video_id"])
