"""The sealed order of a video: the caller's words, and what the vendor was told. It dies with its person's keys."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from troth.gateway.videos.store import Job
from troth.vault.objects import ObjectInfo, Objects

ORDER, VIDEO, THUMBNAIL, SPRITESHEET = "video-order", "video", "video-thumbnail", "video-spritesheet"


@dataclass(frozen=True, slots=True)
class Order:
    """What is kept of a request until its video goes. `payload` is what the vendor gets, redacted.

    `reference` is the object id of the picture that it begins with, `pictures` whether it has one.
    """

    prompt: str
    payload: dict[str, Any]
    size: str
    seconds: str
    jurisdiction: str
    reference: str | None = None
    remixed_from: str | None = None

    def encoded(self) -> bytes:
        """As it is sealed."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Opened:
    """A job with its order, and whose it is."""

    job: Job
    order: Order
    info: ObjectInfo


def opened(objects: Objects, subject: str, job: Job) -> Opened:
    """The order of one's own job. Raises `NotFound` for another person's, `Gone`, `Conflict` (restricted)."""
    info, content = objects.open(job.tenant, subject, job.object)
    return Opened(job, Order(**json.loads(content)), info)
