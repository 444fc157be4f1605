"""Edits an uploaded picture as a prompt says: real operations, each named in the answer."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from troth.gateway.studio import regions
from troth.gateway.studio.compose import MAX_SIDE, MIN_SIDE, check_size, compose, render
from troth.gateway.studio.cutout import Background, replaced
from troth.gateway.studio.enlarging import enlarged
from troth.gateway.studio.framing import Cut, around, best_cut, closer, cropped
from troth.gateway.studio.mending import hole, mended
from troth.gateway.studio.opening import upright
from troth.gateway.studio.placing import lettered
from troth.gateway.studio.reading import read
from troth.gateway.studio.subject import Subject, subject
from troth.gateway.studio.tracing import traced
from troth.gateway.studio.wishes import Crop, Wishes, not_understood, wished
from troth.kernel.errors import Invalid

_FOUND: Final = {
    "person": "the people, found by a small segmentation model",
    "front": "what stands in front, found by a small segmentation model",
    "colour": "what differs in colour from its surroundings",
}


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited picture, what was done to it in words, and its shapes when it was vectorised."""

    png: bytes
    operations: tuple[str, ...]
    svg: str | None = None
    rest: bool = False

    @property
    def description(self) -> str:
        """A sentence for the answer to the caller."""
        missing = " A part of the prompt was not understood and not done." if self.rest else ""
        return f"Edited by rules, without a generative model: {', '.join(self.operations)}.{missing}"


def apply(
    image: bytes, prompt: str, mask: bytes | None, size: tuple[int, int] | None = None, *, bare: bool = False
) -> Edited:
    """A cleaned picture changed as the prompt says, as PNG; of `size` (64 to 2048 a side) or as large as it comes out.

    `mask` is a picture whose transparent (or, without alpha, white) area may change. `bare`: without its background.
    Raises `Invalid` (`edit-not-understood`, `unsupported-size`, `broken-image`, `empty-mask`, `mask-needed`,
    `no-subject`, `too-detailed`), `Unavailable` (`studio-missing`, `extra-missing`, `model-weights`, `detector-down`).
    """
    if size:
        check_size(*size)
    wishes = wished(prompt)
    picture, opened = _opened(image), None
    if mask is not None:
        opened = _hole(mask, picture.size)
    elif wishes.remove and not _other(wishes):
        raise Invalid("Say with a mask what is to be removed: its transparent area.", code="mask-needed", field="mask")
    picture, done = _inside(picture, opened, wishes) if opened else _everywhere(picture, wishes, bare=bare)
    picture, framed = _framed(picture, wishes, size)
    done += framed
    if wishes.texts:
        picture = lettered(picture, wishes.texts, wishes.place, wishes.side)
        done.append("set the quoted words")
    svg = None
    if wishes.vector:
        svg = traced(picture)
        done.append("traced as shapes")
    if not done:
        raise not_understood()
    return Edited(render(svg) if svg else _png(picture), tuple(done), svg, wishes.rest)


def _other(wishes: Wishes) -> bool:
    return bool(wishes.tones or wishes.background or wishes.crop or wishes.texts or wishes.vector or wishes.factor > 1)


def _everywhere(picture: Image.Image, wishes: Wishes, *, bare: bool) -> tuple[Image.Image, list[str]]:
    """Tones, then the background."""
    done = []
    for name, change in wishes.tones:
        picture = change(picture, wishes.palette)
        done.append(name)
    background = wishes.background or (Background("transparent") if bare else None)
    if background is None:
        return picture, done
    seen = subject(picture)
    return replaced(picture, seen.alpha, background), [*done, _told(background, seen)]


def _told(background: Background, seen: Subject) -> str:
    what = {"transparent": "removed the background", "blurred": "blurred the background"}.get(
        background.kind, f"replaced the background by a {background.kind}"
    )
    return f"{what} and kept {_FOUND[seen.kind]}"


def _inside(picture: Image.Image, opened: Image.Image, wishes: Wishes) -> tuple[Image.Image, list[str]]:
    """Changes the masked area only: taken away, another ground, tones, or a drawn scene."""
    if wishes.remove:
        return mended(picture, opened), ["filled the masked area from its surroundings"]
    if wishes.background:
        name = "removed" if wishes.background.kind == "transparent" else f"replaced by a {wishes.background.kind}"
        return replaced(picture, _outside(opened), wishes.background), [f"{name}: what the mask opens"]
    if wishes.tones:
        changed = picture
        for _, change in wishes.tones:
            changed = change(changed, wishes.palette)
        names = ", ".join(name for name, _ in wishes.tones)
        if changed.size != picture.size:
            raise Invalid("What a mask opens cannot be turned; leave the mask out.", code="edit-not-understood",
                          field="prompt")  # fmt: skip
        return regions.placed(picture, changed, opened), [f"inside the mask: {names}"]
    brief = read(wishes.prompt, *picture.size, 0)
    if not brief.named:
        if wishes.texts or wishes.crop or wishes.vector or wishes.factor > 1:
            return picture, []
        raise not_understood()
    with Image.open(io.BytesIO(compose(wishes.prompt, *picture.size, 0).png)) as drawn:
        scene = drawn.convert("RGB")
    return regions.placed(picture, scene, opened), [f"a drawn {brief.motif} scene inside the mask"]


def _outside(opened: Image.Image) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    return 1 - np.asarray(opened, np.float32) / 255


def _framed(picture: Image.Image, wishes: Wishes, size: tuple[int, int] | None) -> tuple[Image.Image, list[str]]:
    """The cut that is wished, then the size."""
    done = []
    if wishes.crop:
        ratio = wishes.crop.ratio or (size[0] / size[1] if size else picture.width / picture.height)
        picture = picture.crop(_cut(picture, wishes.crop, ratio))
        near = " around the subject" if wishes.crop.around else ""
        done.append(f"cropped to {picture.width} x {picture.height}{near}")
    target = size or _grown(picture.size, wishes.factor)
    if max(target) > MAX_SIDE:
        raise Invalid(
            f"The result would be larger than {MAX_SIDE} pixels a side; enlarge less.",
            code="unsupported-size",
            field="size",
        )
    if target == picture.size:
        return picture, done
    larger = min(target[0] / picture.width, target[1] / picture.height) > 1
    done.append(f"{'enlarged' if larger else 'scaled'} to {target[0]} x {target[1]}")
    return _sized(picture, target[0], target[1]), done


def _grown(size: tuple[int, int], factor: int) -> tuple[int, int]:
    scale = max(factor, MIN_SIDE / min(size))
    return max(MIN_SIDE, round(size[0] * scale)), max(MIN_SIDE, round(size[1] * scale))


def _cut(picture: Image.Image, crop: Crop, ratio: float) -> Cut:
    if crop.around:
        return around(picture, ratio)
    return best_cut(picture, ratio) if crop.ratio else closer(picture)


def _sized(picture: Image.Image, width: int, height: int) -> Image.Image:
    if min(width / picture.width, height / picture.height) <= 1:
        return cropped(picture, width, height)
    if abs(width / height - picture.width / picture.height) > 0.01:
        picture = picture.crop(best_cut(picture, width / height))
    return enlarged(picture, (width, height))


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _opened(content: bytes) -> Image.Image:
    """The picture, of at most 2048 pixels a side: everything that follows costs by the pixel."""
    try:
        picture = upright(content, MAX_SIDE)
    except (OSError, ValueError, SyntaxError) as error:
        raise Invalid("The picture cannot be read: upload it again.", code="broken-image", field="image") from error
    if min(picture.size) < 16:
        raise Invalid("The picture is too small or too narrow to edit.", code="unsupported-size", field="image")
    return picture


def _hole(mask: bytes, size: tuple[int, int]) -> Image.Image:
    try:
        with Image.open(io.BytesIO(mask), formats=("PNG", "JPEG", "WEBP")) as image:
            covering = "A" in image.getbands() or "transparency" in image.info
            image.draft("L", size)
            opened = hole(image.convert("RGBA") if covering and "A" not in image.getbands() else image, size)
    except (OSError, ValueError, SyntaxError) as error:
        raise Invalid("The mask cannot be read: send a PNG.", code="broken-image", field="mask") from error
    if opened.getextrema() == (0, 0):
        raise Invalid("The mask opens nothing: make the area to change transparent.", code="empty-mask", field="mask")
    return opened
