"""Pictures and films of the local studio, whole and in stages."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any, Protocol

from PIL import Image

from troth.gateway.studio.collage import collage
from troth.gateway.studio.compose import Wish, check_size, render, stages
from troth.gateway.studio.film import MAX_SECONDS, animated, film
from troth.gateway.vendors.edit_room import EditRoom
from troth.gateway.vendors.film_room import FilmRoom, Told
from troth.gateway.vendors.port import Attachment, Partial, Produced, Unoffered, VideoProgress
from troth.kernel.errors import Invalid
from troth.kernel.scope import current

_TILE = 32  # pixels a side: what the studio counts as one token of a picture
_FRAME_MS = 120
_FILM_SIZE, _FILM_SECONDS = (720, 1280), 4
_SHEET = (1024, 1024)  # of several pictures, when no size is asked for


class Made(Protocol):
    """A picture (PNG) and one sentence that says how it was made."""

    @property
    def png(self) -> bytes: ...

    @property
    def description(self) -> str: ...


class Drawn(Made, Protocol):
    """A composition: also as SVG."""

    @property
    def svg(self) -> str: ...


class Composer(Protocol):
    """`studio.compose.compose`: the same prompt, size and seed give the same picture."""

    def __call__(self, prompt: str, width: int, height: int, seed: int, *, wish: Wish) -> Drawn: ...


class Changed(Made, Protocol):
    """An edit; its shapes too where it was vectorised."""

    @property
    def svg(self) -> str | None: ...


class Editor(Protocol):
    """`studio.edit.apply`: a clean picture changed; `mask` is a PNG or None, `size` None for what comes out."""

    def __call__(
        self, image: bytes, prompt: str, mask: bytes | None, size: tuple[int, int] | None, *, bare: bool
    ) -> Changed: ...


class LocalMedia(Unoffered):
    """The half of `port.Vendor` that makes pictures. `placeholders` of redaction are found by it and not drawn."""

    def __init__(self, compose: Composer, edit: Editor, placeholders: re.Pattern[str]) -> None:
        self._compose = compose
        self._edit = edit
        self._placeholders = placeholders
        self._films, self._edits = FilmRoom(), EditRoom()

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """Posters, patterns and layouts drawn from the prompt: the same prompt gives the same pictures.

        Raises `TooMany` (vendor-busy), as `edit` does.
        """
        count = payload.get("n", 1)
        made = [await self._made(payload, number) for number in range(count)]
        usage = _usage(payload, _size(payload.get("size")), count)
        return [Produced(made[0].content, made[0].revised_prompt, usage), *made[1:]]

    async def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:
        """The same; the stages are the sheet with ever more of its shapes."""
        count = payload.get("partial_images", 0)
        for number in range(payload.get("n", 1)):
            if count:
                drawn = await asyncio.to_thread(self._drawn, payload, number)
                for index, stage in enumerate(stages(drawn.svg, count)):
                    yield Partial(await asyncio.to_thread(render, stage), index)
            made = await self._made(payload, number)
            usage = _usage(payload, _size(payload.get("size")), payload.get("n", 1))
            yield Produced(made.content, made.revised_prompt, None if number else usage)

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """The picture changed as the prompt says; several pictures become one sheet first."""
        made = await self._edits.run(partial(self._edited, payload, images, mask), current().tenant)
        content = made.png
        if payload.get("output_format") == "svg":
            if made.svg is None:
                raise Invalid("Only a vectorised picture is a drawing: ask to vectorise it, or choose another format.",
                              code="format-not-supported", field="output_format")  # fmt: skip
            content = made.svg.encode()
        usage = _usage(payload, _sides(made.png), payload.get("n", 1), images)
        first = Produced(content, made.description, usage)
        return [first, *(Produced(content, made.description) for _ in range(payload.get("n", 1) - 1))]

    async def edit_stream(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> AsyncGenerator[Partial | Produced, None]:
        """The same; the stages are the result, coarse at first and finer each time."""
        produced, count = await self.edit(payload, images, mask), payload.get("partial_images", 0)
        for index in range(count):
            yield Partial(await asyncio.to_thread(_coarse, produced[0].content, 2 ** (count - index)), index)
        for one in produced:
            yield one

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:
        """A film of the composition, or of the picture that it begins with. Raises `Invalid`, `TooMany`."""
        size = _FILM_SIZE if payload.get("size") in (None, "auto") else _size(payload["size"])
        seconds = int(payload.get("seconds") or _FILM_SECONDS)
        check_size(*size)
        if size[0] % 2 or size[1] % 2 or seconds > MAX_SECONDS:
            raise Invalid(f"The studio makes films with even sides, of at most {MAX_SECONDS} seconds.",
                          code="unsupported-size", field="size")  # fmt: skip
        prompt = self._drawable(payload["prompt"])
        picture = attachments[0].content if attachments else None

        def work(told: Told) -> bytes:
            return film(prompt, size, seconds, seed=_seed(prompt, 0), picture=picture, told=told)

        return self._films.begin(work)

    async def video_poll(self, identifier: str) -> VideoProgress:
        """Where the film stands."""
        return self._films.look(identifier)

    async def video_content(self, identifier: str) -> bytes:
        """The finished film."""
        return self._films.content(identifier)

    async def video_cancel(self, identifier: str) -> None:
        """Stops the film, or drops it."""
        self._films.forget(identifier)

    async def _made(self, payload: dict[str, Any], number: int) -> Produced:
        """One picture. What moves costs as much as an edit, so it waits with those."""
        work = partial(self._picture, payload, number)
        if payload.get("output_format") == "gif":
            return await self._edits.run(work, current().tenant)
        return await asyncio.to_thread(work)

    def _drawn(self, payload: dict[str, Any], number: int) -> Drawn:
        prompt = self._drawable(payload["prompt"])
        wish = Wish(payload.get("background") == "transparent", payload.get("style"))
        return self._compose(prompt, *_size(payload.get("size")), _seed(prompt, number), wish=wish)

    def _picture(self, payload: dict[str, Any], number: int) -> Produced:
        wanted = payload.get("output_format")
        if wanted == "gif":
            prompt, size = self._drawable(payload["prompt"]), _size(payload.get("size"))
            frames, milliseconds = payload["frame_count"], payload.get("frame_duration_ms", _FRAME_MS)
            return Produced(*animated(prompt, size, _seed(prompt, number), frames=frames, milliseconds=milliseconds))
        drawn = self._drawn(payload, number)
        return Produced(drawn.svg.encode() if wanted == "svg" else drawn.png, drawn.description)

    def _edited(self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None) -> Changed:
        size = None if payload.get("size") in (None, "auto") else _size(payload["size"])
        picture = images[0].content
        if len(images) > 1:
            picture = collage([one.content for one in images], *(size or _SHEET))
        covered, bare = mask.content if mask else None, payload.get("background") == "transparent"
        return self._edit(picture, self._drawable(payload["prompt"]), covered, size, bare=bare)

    def _drawable(self, prompt: str) -> str:
        return " ".join(self._placeholders.sub(" ", prompt).split()) or "untitled"


def _size(text: str | None) -> tuple[int, int]:
    if text is None or text == "auto":
        return 1024, 1024
    width, height = (int(side) for side in text.split("x"))
    return width, height  # the studio refuses what it cannot draw


def _sides(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.size


def _coarse(png: bytes, factor: int) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.resize((max(1, picture.width // factor), max(1, picture.height // factor)))
        small.resize(picture.size, Image.Resampling.BICUBIC).save(out, "PNG", compress_level=4)
    return out.getvalue()


def _seed(prompt: str, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{number}:{prompt}".encode()).digest()[:4], "big")


def _usage(
    payload: dict[str, Any], size: tuple[int, int], count: int, images: Sequence[Attachment] = ()
) -> dict[str, Any]:
    words, read = len(payload["prompt"].split()), sum(_tiles(one.width, one.height) for one in images)
    written = _tiles(*size) * count
    details = {"text_tokens": words, "image_tokens": read}
    return {"input_tokens": words + read, "output_tokens": written, "total_tokens": words + read + written,
            "input_tokens_details": details}  # fmt: skip


def _tiles(width: int, height: int) -> int:
    return -(-width // _TILE) * -(-height // _TILE)
