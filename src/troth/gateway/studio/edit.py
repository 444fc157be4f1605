"""Edits an uploaded picture as a prompt says, by rules: real operations, each named in the answer."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from troth.gateway.studio import adjust, regions
from troth.gateway.studio.compose import check_size, compose
from troth.gateway.studio.reading import QUOTED, Brief, read
from troth.kernel.errors import Invalid

_Step = Callable[[Image.Image, Brief], Image.Image]


def _tone(change: adjust.Adjust) -> _Step:
    return lambda image, _: change(image)


_STEPS: Final[tuple[tuple[str, str, _Step], ...]] = (
    ("cropped to the part with most detail", r"crop\w*|zoom\w*|closer|close.?up|tighter", _tone(regions.closer)),
    ("mirrored", r"mirror\w*|flip\w*", _tone(ImageOps.mirror)),
    (
        "blurred away from the detail",
        r"blur\w*(?: \w+)? background|background(?: \w+)? blur\w*|bokeh|portrait mode|depth of field",
        _tone(regions.focused),
    ),
    ("blurred", r"blur\w*|out of focus|soft focus", _tone(adjust.blurred)),
    ("warmer", r"warm\w*", _tone(adjust.warmer)),
    ("cooler", r"cool\w*|cold\w*", _tone(adjust.cooler)),
    ("brighter", r"bright\w*|lighten\w*|lighter", _tone(adjust.brighter)),
    ("darker", r"dark\w*", _tone(adjust.darker)),
    ("more contrast", r"contrast\w*|punch\w*", _tone(adjust.contrasty)),
    ("more colour", r"vivid|vibran\w*|saturated?|colou?rful", _tone(adjust.vivid)),
    ("less colour", r"muted|desaturat\w*|faded|pale", _tone(adjust.muted)),
    ("sharper", r"sharp\w*|crisp\w*", _tone(adjust.sharper)),
    ("black and white", r"black.?(?:and|&).?white|b&w|gr[ea]y.?scale|monochrom\w*", _tone(adjust.grey)),
    ("vintage print", r"vintage|retro|old photo\w*|sepia|nostalgi\w*|analog\w*", _tone(adjust.vintage)),
    ("duotone", r"duo.?tone|two colou?rs", lambda image, brief: adjust.duotone(image, brief.palette)),
    (
        "screen print",
        r"poster\w*|screen.?print|pop.?art|risograph|stencil|illustration",
        lambda image, brief: adjust.poster(image, brief.palette),
    ),
    ("pencil sketch", r"sketch\w*|pencil|drawing", _tone(adjust.sketched)),
    ("large pixels", r"pixel\w*|mosaic|8.?bit", _tone(adjust.pixelated)),
    ("grain", r"grain\w*", _tone(adjust.grained)),
    ("vignette", r"vignett\w*", _tone(adjust.vignetted)),
    (
        "border",
        r"border|frame\w*|passe.?partout|margin",
        lambda image, brief: regions.bordered(image, brief.palette.paper),
    ),
)
_REMOVE: Final = re.compile(r"\b(?:remove|erase|delete|inpaint\w*|clean\w*|get rid|repair|mend|heal|fill\w*)\b", re.I)


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited picture and what was done to it, in words."""

    png: bytes
    operations: tuple[str, ...]

    @property
    def description(self) -> str:
        """A sentence for the answer to the caller."""
        return f"Edited by rules, not by a model: {', '.join(self.operations)}."


def edit(image: bytes, prompt: str, mask: bytes | None, width: int, height: int) -> bytes:
    """The PNG of `apply`."""
    return apply(image, prompt, mask, width, height).png


def apply(image: bytes, prompt: str, mask: bytes | None, width: int, height: int) -> Edited:
    """A PNG of `width` x `height` (64 to 2048) made of a cleaned picture.

    `mask` is a picture whose transparent (or, without alpha, white) area may change. A prompt that names no known
    operation gets balanced contrast, and is told so. Raises `Invalid` (`unsupported-size`, `broken-image`,
    `empty-mask`), `Unavailable` (`studio-missing`, when words or a composition are to be drawn).
    """
    check_size(width, height)
    original, turned = _opened(image)
    if turned and abs(width / height - original.height / original.width) < 0.01:
        width, height = height, width  # that size was read before the orientation tag was applied
    picture = regions.cropped(original, width, height)
    done = [] if original.size == picture.size else [f"scaled to {width} x {height}"]
    brief = read(prompt, width, height, 0)
    steps = _steps(prompt)
    if mask is not None:
        picture, operation = _inside(picture, _hole(mask, picture.size), brief, steps)
        done.append(operation)
    else:
        picture = _all(picture, brief, steps)
        done += [name for name, _ in steps]
    if brief.texts:
        picture = regions.lettered(picture, brief)
        done.append("set the quoted words")
    elif mask is None and not steps:
        picture = adjust.balanced(picture)
        done.append("balanced the contrast, because the prompt names no operation that the studio knows")
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=4)
    return Edited(out.getvalue(), tuple(done))


def _steps(prompt: str) -> list[tuple[str, _Step]]:
    """The operations that the prompt names outside its quotes, in the order in which they make sense."""
    plain, found = QUOTED.sub(" ", prompt).lower(), []
    for name, pattern, step in _STEPS:
        shorter = re.sub(rf"\b(?:{pattern})(?!\w)", " ", plain)
        if shorter != plain:
            found.append((name, step))
            plain = shorter  # words that are used up do not name a second operation
    return found


def _all(picture: Image.Image, brief: Brief, steps: list[tuple[str, _Step]]) -> Image.Image:
    for _, step in steps:
        picture = step(picture, brief)
    return picture


def _inside(
    picture: Image.Image, opened: Image.Image, brief: Brief, steps: list[tuple[str, _Step]]
) -> tuple[Image.Image, str]:
    """Changes the masked area only: tones, or a composition when the prompt names one, or its surroundings."""
    if steps and not _REMOVE.search(brief.prompt):
        names = ", ".join(name for name, _ in steps)
        return regions.placed(picture, _all(picture, brief, steps), opened), f"inside the mask: {names}"
    if brief.named and not _REMOVE.search(brief.prompt):
        drawn = compose(QUOTED.sub(" ", brief.prompt), picture.width, picture.height, 0).png
        with Image.open(io.BytesIO(drawn)) as other:
            scene = other.convert("RGB")
        return regions.placed(picture, scene, opened), f"a drawn {brief.motif} scene inside the mask"
    return regions.mended(picture, opened), "filled the masked area from its surroundings"


def _opened(content: bytes) -> tuple[Image.Image, bool]:
    """The picture upright as RGB (transparency on white), and whether it had to be turned by 90 degrees."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            size = image.size
            upright = ImageOps.exif_transpose(image)
            turned = upright.size != size
            if upright.mode not in {"RGB", "L"}:
                layer = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            plain = upright.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise Invalid("The picture cannot be read: upload it again.", code="broken-image", field="image") from error
    plain.info.clear()  # nothing of the upload's metadata is written again
    return plain, turned


def _hole(mask: bytes, size: tuple[int, int]) -> Image.Image:
    try:
        with Image.open(io.BytesIO(mask), formats=("PNG", "JPEG", "WEBP")) as image:
            upright = (
                image.convert("RGBA") if "A" in image.getbands() or "transparency" in image.info else image.convert("L")
            )
    except (OSError, ValueError, SyntaxError) as error:
        raise Invalid("The mask cannot be read: send a PNG.", code="broken-image", field="mask") from error
    opened = regions.hole(upright, size)
    if opened.getextrema() == (0, 0):
        raise Invalid("The mask opens nothing: make the area to change transparent.", code="empty-mask", field="mask")
    return opened
