"""What the benchmarks of pictures share: posters, photographs, edits as strangers do them, and a stopwatch."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

import troth.gateway.samples
from troth.gateway.studio.compose import compose

PHOTO = Path(troth.gateway.samples.__file__).parent / "photo.jpg"
PROMPTS = (
    "sea at sunset with a boat",
    "mountains with a lake",
    "city skyline at night",
    "pine forest in mist",
    "a ringed planet in space",
    "desert dunes with cacti",
    "botanical leaves",
    "spring flowers",
    "bauhaus pattern",
    "abstract waves",
    "a cup of coffee",
    "retro sunburst",
    'poster "Private by design" of the sea',
)


class Cost(NamedTuple):
    """Medians in milliseconds; CPU is that of this process, all threads."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} | {self.cpu:.1f}"


def cost(run: Callable[[], object], rounds: int) -> Cost:
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return Cost(statistics.median(walls), statistics.median(cpus))


def posters(prompts: Iterable[str], seeds: Iterable[int], side: int) -> Iterator[Image.Image]:
    for seed in seeds:
        for prompt in prompts:
            yield Image.open(io.BytesIO(compose(prompt, side, side, seed).png)).convert("RGB")


def photographs(folder: Path | None, smallest: int) -> Iterator[Image.Image]:
    """The sample photograph, and pictures of a folder that have `smallest` pixels a side."""
    yield Image.open(PHOTO).convert("RGB")
    for path in sorted(folder.rglob("*")) if folder else ():
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"):
            with Image.open(path) as opened:
                if min(opened.size) >= smallest:
                    yield opened.convert("RGB")


def packed(image: Image.Image, kind: str, quality: int) -> Image.Image:
    kept = io.BytesIO()
    image.convert("RGB").save(kept, kind, quality=quality)
    return Image.open(io.BytesIO(kept.getvalue()))


def scaled(image: Image.Image, share: float) -> Image.Image:
    return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.BICUBIC)


def cropped(image: Image.Image, share: float, x: float = 0.5, y: float = 0.5) -> Image.Image:
    wide, high = round(image.width * share), round(image.height * share)
    left, top = round(wide * x), round(high * y)
    return image.crop((left, top, left + image.width - wide, top + image.height - high))


def screenshot(image: Image.Image) -> Image.Image:
    """Shown at 80 % in a bright window, cut by hand a little too wide, saved as PNG and sent as JPEG 85."""
    shown = ImageEnhance.Contrast(image.convert("RGB").resize(scaled(image, 0.8).size, Image.Resampling.BILINEAR))
    page = Image.new("RGB", (round(image.width * 0.8) + 8, round(image.height * 0.8) + 8), "white")
    page.paste(shown.enhance(0.95), (4, 4))
    return packed(page, "JPEG", 85)


def captioned(image: Image.Image) -> Image.Image:
    copy = image.convert("RGB")
    ImageDraw.Draw(copy).rectangle((0, copy.height * 7 // 8, copy.width, copy.height), fill="black")
    return copy


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "none": lambda one: one,
    "JPEG 70": lambda one: packed(one, "JPEG", 70),
    "JPEG 30": lambda one: packed(one, "JPEG", 30),
    "WebP 50": lambda one: packed(one, "WEBP", 50),
    "scale 50 %": lambda one: scaled(one, 0.5),
    "scale 50 %, JPEG 70": lambda one: packed(scaled(one, 0.5), "JPEG", 70),
    "crop 10 % (middle)": lambda one: cropped(one, 0.1),
    "crop 10 % (corner)": lambda one: cropped(one, 0.1, 0.0, 1.0),
    "crop 20 %": lambda one: cropped(one, 0.2, 0.3, 0.7),
    "brighter 25 %": lambda one: ImageEnhance.Brightness(one).enhance(1.25),
    "darker 25 %": lambda one: ImageEnhance.Brightness(one).enhance(0.75),
    "blur (radius 1.5)": lambda one: one.filter(ImageFilter.GaussianBlur(1.5)),
    "screenshot": screenshot,
    "mirrored": lambda one: one.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "256 colours (GIF)": lambda one: one.quantize(256),
    "a bar over an eighth": captioned,
    "turned by 3 degrees": lambda one: one.rotate(3, Image.Resampling.BICUBIC),
}
