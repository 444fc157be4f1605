"""Builds what makes pictures and videos: the desks that take orders, and the runner that carries them to their end."""

from __future__ import annotations

from typing import NamedTuple

from troth.gateway.assets import Assets
from troth.gateway.clearance import Clearance
from troth.gateway.images import ImageDesk
from troth.gateway.moderation import Moderator
from troth.gateway.pictures import Finisher
from troth.gateway.provenance import Credentials
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.provenance.watermark import Watermark
from troth.gateway.receipts import Receipts
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.registry import Vendors
from troth.gateway.videos.desk import VideoDesk
from troth.gateway.videos.finishing import VideoFinishing
from troth.gateway.videos.jobs import Jobs
from troth.gateway.videos.operations import VideoOperations
from troth.gateway.videos.runner import VideoRunner
from troth.promises.system import Base, Vault
from troth.wiring.provenance import build_credentials, build_fingerprints, build_watermark


class Media(NamedTuple):
    """The parts that others need too."""

    pictures: ImageDesk
    videos: VideoOperations
    runner: VideoRunner
    assets: Assets
    credentials: Credentials
    watermark: Watermark
    fingerprints: Fingerprints


def build_media(
    base: Base,
    vault: Vault,
    clearance: Clearance,
    moderator: Moderator,
    *,
    vendors: Vendors,
    ports: tuple[Ports, Ports],
) -> Media:
    """`ports`: those of the server, and those of the runner, which works on another thread with loops of its own."""
    settings, objects = base.settings, vault.objects
    credentials, watermark, fingerprints = build_credentials(base), build_watermark(base), build_fingerprints(base)
    must_mark = settings.gateway.unmarkable == "refuse"
    address = f"https://{settings.server.name}:{settings.server.port}"
    assets = Assets(objects, base.secrets.named("asset-links"), address, base.clock)
    finisher = Finisher(credentials, watermark, must_mark, fingerprints)
    pictures = ImageDesk(clearance, moderator, finisher, objects, assets)
    videos, runner = _videos(base, vault, clearance, moderator, finisher, vendors=vendors, ports=ports)
    return Media(pictures, videos, runner, assets, credentials, watermark, fingerprints)


def _videos(
    base: Base,
    vault: Vault,
    clearance: Clearance,
    moderator: Moderator,
    finisher: Finisher,
    *,
    vendors: Vendors,
    ports: tuple[Ports, Ports],
) -> tuple[VideoOperations, VideoRunner]:
    settings, objects = base.settings.gateway, vault.objects
    jobs = Jobs(base.database, base.clock, most=settings.videos_at_once)
    desk = VideoDesk(clearance, objects, jobs, vendors=vendors, ports=ports[0])
    finishing = VideoFinishing(
        jobs,
        objects,
        moderator,
        finisher,
        Receipts(base.database, objects, base.clock, base.meters),
        recorder=base.outbox,
        meter=base.meters,
    )
    runner = VideoRunner(
        jobs,
        finishing,
        objects,
        vendors=vendors,
        ports=ports[1],
        consents=vault.consents,
        minutes=settings.video_minutes,
    )
    return VideoOperations(desk=desk), runner
