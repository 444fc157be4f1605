"""What doors may call about videos: OpenAI's routes and names."""

from __future__ import annotations

from troth.gateway.videos.desk import VideoDesk
from troth.gateway.wire.videos import (
    CreateVideo,
    ListVideos,
    RemixVideo,
    Video,
    VideoById,
    VideoContent,
    VideoDeleted,
    Videos,
)
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation

_UPLOAD_BYTES = 32 << 20
_OWN = DataClass.USER_GENERATED


class VideoOperations:
    """Videos as jobs."""

    def __init__(self, *, desk: VideoDesk) -> None:
        self._desk = desk

    @operation("video.create", group=Group.GENERATE, request=CreateVideo, data_class=_OWN,
               route=Route("POST", "/v1/videos", body="either", max_bytes=_UPLOAD_BYTES))  # fmt: skip
    async def create(self, call: Call, request: CreateVideo) -> Video:
        """Order a video from a prompt, and perhaps a picture; it is made after the answer."""
        return await self._desk.create(call, request)

    @operation("video.remix", group=Group.GENERATE, request=RemixVideo, data_class=_OWN,
               route=Route("POST", "/v1/videos/{video_id}/remix"))  # fmt: skip
    async def remix(self, call: Call, request: RemixVideo) -> Video:
        """Order a finished video again with other words."""
        return await self._desk.remix(call, request)

    @operation("video.list", group=Group.OWN_DATA, request=ListVideos, command=("video", "list"), data_class=_OWN,
               route=Route("GET", "/v1/videos", body="none"))  # fmt: skip
    def list(self, call: Call, request: ListVideos) -> Videos:
        """List one's own videos and how far they are."""
        return self._desk.page(call, request)

    @operation("video.show", group=Group.OWN_DATA, request=VideoById, command=("video", "show"), data_class=_OWN,
               route=Route("GET", "/v1/videos/{video_id}", body="none"))  # fmt: skip
    def show(self, call: Call, request: VideoById) -> Video:
        """Show how far one video is."""
        return self._desk.show(call, request.video_id)

    @operation("video.content", group=Group.OWN_DATA, request=VideoContent, data_class=_OWN,
               route=Route("GET", "/v1/videos/{video_id}/content", body="none"))  # fmt: skip
    def content(self, call: Call, request: VideoContent) -> Binary:
        """Download a finished video, its thumbnail or its sprite sheet."""
        return self._desk.content(call, request)

    @operation("video.delete", group=Group.OWN_DATA, request=VideoById, command=("video", "delete"), data_class=_OWN,
               route=Route("DELETE", "/v1/videos/{video_id}", body="none"))  # fmt: skip
    async def delete(self, call: Call, request: VideoById) -> VideoDeleted:
        """Erase a video, its order and everything made from it, finished or not."""
        await self._desk.delete(call, request.video_id)
        return VideoDeleted(id=request.video_id)
