"""The official OpenAI client, unmodified: pictures in stages, drawings, videos as jobs, links, and kill -9."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import encypher_c2pa
import httpx2
import openai
import pytest
from openai import OpenAI
from PIL import Image

from served import Served, receipt
from troth.cli.demo.stage import Person, Stage, _first_words, fresh_stage, sign_in

# OpenAI ends its own service; the surface stays, and whoever speaks it is served here.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
IMAGE, FILM = "troth-studio-1", "troth-motion-1"
SMALL: Any = "96x96"  # too small for a watermark, which takes a second
CLIP: dict[str, Any] = {"model": FILM, "size": "96x64", "seconds": "1"}


class World:
    """A server that can be killed, a person of it, and their client."""

    def __init__(self, root: Path) -> None:
        self.stage: Stage = fresh_stage(root)
        self._process: subprocess.Popen[str] | None = None
        said = self.start()
        self.server = Served(self.stage, sign_in(self.stage, said["e-mail"], said["password"], said["TOTP secret"]))
        self.person: Person = self.server.tenant("epsilon")
        self.key = self.server.key(self.person)
        self.client: OpenAI = self.server.openai(self.key)
        self.anchor = httpx2.get(f"{self.stage.address}/.well-known/troth.json", verify=self.server.context()).json()[
            "content_credentials"
        ]

    def start(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
        environment |= {
            "TROTH_DATA__FOLDER": str(self.stage.data),
            "TROTH_DATA__KEYS": str(self.stage.keys),
            "TROTH_SERVER__PORT": str(self.stage.port),
            "TROTH_CONFIG": os.devnull,
            "TROTH_PROMISES__FIRST_AFTER_SECONDS": "86400",
        }
        program = [sys.executable, "-c", "from troth.cli.main import main; main()", "serve", "--show-credentials"]
        with self.stage.journal.open("ab") as journal:
            self._process = subprocess.Popen(
                program, env=environment, stdout=subprocess.PIPE, stderr=journal, text=True
            )
        return _first_words(self._process)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def trusts(self, content: bytes, media_type: str) -> bool:
        told = encypher_c2pa.verify(
            content, media_type, telemetry=False, online=False, no_default_trust=True, trust_pem=self.anchor
        )
        return told["validation_state"] == "Trusted"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    built = World(tmp_path_factory.mktemp("media"))
    yield built
    built.client.close()
    built.stop()


def png(side: int = 96) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 90, 30)).save(out, "PNG")
    return out.getvalue()


def test_pictures_in_stages(world: World) -> None:
    stream = world.client.images.generate(model=IMAGE, prompt="a harbour", size=SMALL, stream=True, partial_images=2)
    events = list(stream)
    assert [event.type for event in events] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert all(world.trusts(base64.b64decode(event.b64_json), "image/png") for event in events)
    assert events[-1].type == "image_generation.completed"
    assert (events[-1].size, events[-1].output_format) == (SMALL, "png")
    assert events[-1].usage.total_tokens > 0


def test_edits_of_several_pictures_in_stages(world: World) -> None:
    stream = world.client.images.edit(
        model=IMAGE, image=[("a.png", png()), ("b.png", png(80))], prompt="warmer", size=SMALL, stream=True,
        partial_images=1, input_fidelity="high",
    )  # fmt: skip
    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]


@pytest.mark.parametrize(
    ("wanted", "media_type"), [("svg", "image/svg+xml"), ("gif", "image/gif"), ("pdf", "application/pdf")]
)
def test_formats_beyond_pixels(world: World, wanted: Any, media_type: str) -> None:
    made = world.client.images.generate(model=IMAGE, prompt="waves", size=SMALL, output_format=wanted)
    content = base64.b64decode((made.data or [])[0].b64_json or "")
    assert world.trusts(content, media_type)
    assert (made.output_format, made.size, made.background) == (wanted, SMALL, "opaque")
    assert made.usage is not None


def test_an_animation_and_a_transparent_ground(world: World) -> None:
    more: dict[str, Any] = {"frame_count": 3, "frame_duration_ms": 90}
    made = world.client.images.generate(prompt="the sea", size=SMALL, output_format="gif", extra_body=more)  # type: ignore[call-overload]
    with Image.open(io.BytesIO(base64.b64decode(made.data[0].b64_json))) as film:
        assert getattr(film, "n_frames", 0) == 3
    clear = world.client.images.generate(prompt="a forest", size=SMALL, background="transparent", style="vivid")
    assert clear.background == "transparent"


def test_a_video_from_order_to_erasure(world: World) -> None:
    ordered = world.client.videos.create(prompt="the sea for Jane Doe", **CLIP)
    assert (ordered.object, ordered.status, ordered.seconds, ordered.size) == ("video", "queued", "1", "96x64")
    made = world.client.videos.poll(ordered.id, poll_interval_ms=300)
    assert (made.status, made.progress, made.prompt) == ("completed", 100, "the sea for Jane Doe")
    content = world.client.videos.download_content(ordered.id).read()
    assert world.trusts(content, "video/mp4")
    with av.open(io.BytesIO(content)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 24
    thumbnail = world.client.videos.download_content(ordered.id, variant="thumbnail").read()
    assert world.trusts(thumbnail, "image/webp")
    assert ordered.id in [one.id for one in world.client.videos.list(limit=1)]
    told = receipt(world.server, world.person, made.model_extra["request_id"] if made.model_extra else "")
    assert (told["operation"], told["outcome"]) == ("video.create", "answered")
    assert "Jane Doe" not in str(told["sent"])
    assert world.client.videos.delete(ordered.id).deleted is True
    with pytest.raises(openai.NotFoundError):
        world.client.videos.retrieve(ordered.id)


def test_a_video_from_a_picture_and_its_remix_async(world: World) -> None:
    async def go() -> tuple[Any, Any]:
        async with world.server.openai_async(world.key) as client:
            made = await client.videos.create_and_poll(
                prompt="closer", input_reference=("me.png", png(), "image/png"), poll_interval_ms=300, **CLIP
            )
            again = await client.videos.remix(made.id, prompt="at night")
            return made, await client.videos.poll(again.id, poll_interval_ms=300)

    made, again = asyncio.run(go())
    assert (made.status, again.status, again.remixed_from_video_id) == ("completed", "completed", made.id)


def test_json_orders_too(world: World) -> None:
    address = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    with httpx2.Client(verify=world.server.context(), headers={"authorization": f"Bearer {world.key}"}) as plain:
        wish = {"prompt": "x", "size": "96x64", "seconds": 1, "input_reference": {"image_url": address}}
        made = plain.post(f"{world.stage.address}/v1/videos", json=wish)
        assert (made.status_code, made.json()["object"]) == (200, "video")
        wish["input_reference"] = {"image_url": "https://evil.test/a.png"}
        assert plain.post(f"{world.stage.address}/v1/videos", json=wish).status_code == 422


REFUSALS: list[tuple[dict[str, Any], type[openai.APIStatusError], str]] = [
    ({"model": "sora-nowhere"}, openai.NotFoundError, "model_not_found"),
    ({"model": IMAGE}, openai.NotFoundError, "model_not_found"),
    ({"size": "97x64"}, openai.UnprocessableEntityError, "unsupported_size"),
    ({"seconds": "99"}, openai.UnprocessableEntityError, "unsupported_size"),
    ({"seconds": "none"}, openai.UnprocessableEntityError, "bad_field"),
    ({"input_reference": ("a.png", b"no picture", "image/png")}, openai.BadRequestError, "content_type_mismatch"),
]


@pytest.mark.parametrize(("wish", "kind", "code"), REFUSALS)
def test_refusals_are_the_exceptions_that_users_handle(
    world: World, wish: dict[str, Any], kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as refused:
        world.client.videos.create(prompt="waves", **(CLIP | wish))
    assert refused.value.code == code


def test_links_give_parts_and_heads(world: World) -> None:
    made = world.client.images.generate(model=IMAGE, prompt="waves", size=SMALL, response_format="url")
    address = (made.data or [])[0].url or ""
    with httpx2.Client(verify=world.server.context()) as stranger:
        whole = stranger.get(address)
        part = stranger.get(address, headers={"range": "bytes=0-7"})
        assert (part.status_code, part.content) == (206, whole.content[:8])
        assert part.headers["content-range"] == f"bytes 0-7/{len(whole.content)}"
        head = stranger.head(address)
        assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "image/png")
        assert head.headers["content-length"] == str(len(whole.content))
        assert head.headers["content-disposition"].startswith("attachment; ")
        assert "sandbox" in head.headers["content-security-policy"]


def test_a_killed_server_takes_its_videos_up_again(world: World) -> None:
    ordered = world.client.videos.create(prompt="mountains", model=FILM, size="320x180", seconds="12")  # type: ignore[call-overload]
    assert world.client.videos.retrieve(ordered.id).status in ("queued", "in_progress")
    world.client.close()
    world.stop(signal.SIGKILL)
    world.start()
    world.client = world.server.openai(world.key)
    assert world.client.videos.poll(ordered.id, poll_interval_ms=500).status == "completed"
    assert world.trusts(world.client.videos.download_content(ordered.id).read(), "video/mp4")
