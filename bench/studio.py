"""The local studio: enlarging beside bicubic, filling beside OpenCV's, cutting out, tracing, and what each costs.

    .venv/bin/python bench/studio.py [--pictures FOLDER] [--write]

Pictures: two portraits of the tests, and with `--pictures` up to ten photographs of a folder. `--write` replaces
bench/results/studio.md.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from troth.gateway.studio.compose import render
from troth.gateway.studio.edit import apply
from troth.gateway.studio.enlarging import enlarged
from troth.gateway.studio.mending import mended
from troth.gateway.studio.subject import subject
from troth.gateway.studio.tracing import traced

RESULTS = Path(__file__).parent / "results" / "studio.md"
PORTRAITS = Path(__file__).parents[1] / "tests" / "pictures"
EDITS = ("remove the background", "replace the background with a warm gradient", "crop to 1:1 around the subject",
         "upscale 2x", "vectorise", 'add the text "Open day" at the bottom')  # fmt: skip
MOST = 10


def pictures(folder: str | None) -> Iterator[tuple[str, Image.Image]]:
    paths = [*sorted(PORTRAITS.glob("*.jpg")), *(sorted(Path(folder).iterdir())[:MOST] if folder else [])]
    for path in paths:
        with Image.open(path) as image:
            plain = image.convert("RGB")
        plain.thumbnail((640, 640))
        yield path.stem, plain.crop((0, 0, plain.width // 2 * 2, plain.height // 2 * 2))


def psnr(one: Any, other: Any) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, ((np.asarray(one, float) - np.asarray(other, float)) ** 2).mean())))


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity of luminance (Wang et al. 2004), a Gaussian window of 11."""
    a, b = (np.asarray(image.convert("L"), float) for image in (one, other))

    def soft(values: Any) -> Any:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    ma, mb = soft(a), soft(b)
    va, vb, both = soft(a * a) - ma * ma, soft(b * b) - mb * mb, soft(a * b) - ma * mb
    return float(((2 * ma * mb + 6.5) * (2 * both + 58.5) / ((ma**2 + mb**2 + 6.5) * (va + vb + 58.5))).mean())


def smaller(image: Image.Image, jpeg: bool) -> Image.Image:
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    if not jpeg:
        return small
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85)
    return Image.open(out).convert("RGB")


def enlarging(found: list[tuple[str, Image.Image]]) -> Iterator[str]:
    for name, jpeg in (("averaged", False), ("averaged, then JPEG 85", True)):
        pairs = [(image, smaller(image, jpeg)) for _, image in found]
        rows = [(image, enlarged(small, image.size), small.resize(image.size, Image.Resampling.BICUBIC))
                for image, small in pairs]  # fmt: skip
        ours, plain = ([psnr(one[at], one[0]) for one in rows] for at in (1, 2))
        alike = [np.mean([ssim(one[at], one[0]) for one in rows]) for at in (1, 2)]
        won = sum(a > b for a, b in zip(ours, plain, strict=True))
        yield (f"| enlarge twice, {name} | {np.mean(ours):.2f} dB, SSIM {alike[0]:.3f} | "
               f"bicubic {np.mean(plain):.2f} dB, {alike[1]:.3f} | better on {won} of {len(rows)} |")  # fmt: skip


def filling(found: list[tuple[str, Image.Image]]) -> Iterator[str]:
    """The detail of the filling beside that of the truth: a blur has none, whatever its PSNR."""
    kept: dict[str, list[tuple[float, float]]] = {"ours": [], "Telea": [], "Navier-Stokes": []}
    left = 0
    for _, image in found:
        shares = zip((*image.size, *image.size), (0.1, 0.1, 0.32, 0.35), strict=True)
        box = tuple(round(side * share) for side, share in shares)
        mask = Image.new("L", image.size, 0)
        ImageDraw.Draw(mask).ellipse(box, fill=255)
        hole, truth = np.asarray(mask) > 0, np.asarray(image)
        holed = truth.copy()
        holed[hole] = (255, 0, 255)
        made = {"ours": np.asarray(mended(Image.fromarray(holed), mask))}
        left += int((np.abs(made["ours"].astype(int) - (255, 0, 255)).sum(2) < 40)[hole].sum())
        for name, way in (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)):
            made[name] = cv2.inpaint(holed, cv2.dilate(hole.astype(np.uint8), np.ones((5, 5))), 5, way)
        core = cv2.erode(hole.astype(np.uint8), np.ones((7, 7))) > 0
        detail = {name: _detail(one)[core].mean() / max(0.3, _detail(truth)[core].mean()) for name, one in made.items()}
        for name, one in made.items():
            kept[name].append((psnr(one[hole], truth[hole]), min(2.0, float(detail[name]))))
    means = {name: np.mean(values, axis=0) for name, values in kept.items()}
    told = "; ".join(f"{name} {means[name][0]:.1f} dB, {means[name][1]:.0%}" for name in ("Telea", "Navier-Stokes"))
    ours = f"{means['ours'][0]:.1f} dB, {means['ours'][1]:.0%}"
    yield (f"| fill a hole: PSNR, detail beside the truth | {ours} | {told} | "
           f"{left} pixels of the covered colour left |")  # fmt: skip


def _detail(pixels: Any) -> Any:
    return np.abs(cv2.Laplacian(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.CV_32F))


def cutting() -> Iterator[str]:
    """People pasted by their own cut on other grounds: does the same cut come back?"""
    overlaps = []
    for path in sorted(PORTRAITS.glob("*.jpg")):
        with Image.open(path) as image:
            portrait = image.convert("RGB")
        alpha = subject(portrait).alpha
        for seed, colour in enumerate(((70, 110, 140), (200, 190, 170), (40, 60, 40))):
            noise = np.random.default_rng(seed).normal(0, 12, (*alpha.shape, 3))
            ground = cv2.GaussianBlur(np.clip(np.array(colour) + noise, 0, 255).astype(np.float32), (0, 0), 2)
            pasted = np.asarray(portrait) * alpha[..., None] + ground * (1 - alpha[..., None])
            again = subject(Image.fromarray(pasted.astype(np.uint8))).alpha > 0.5
            overlaps.append(float((again & (alpha > 0.5)).sum() / (again | (alpha > 0.5)).sum()))
    yield (f"| cut-out of people on other grounds, overlap (IoU) | mean {np.mean(overlaps):.3f} | "
           f"worst {min(overlaps):.3f} | "
           f"{len(overlaps)} pictures; the truth is the cut on the first ground |")  # fmt: skip


def tracing(found: list[tuple[str, Image.Image]]) -> Iterator[str]:
    off, sizes = [], []
    for _, image in found:
        drawing = traced(image)
        with Image.open(io.BytesIO(render(drawing))) as drawn:
            off.append(psnr(drawn.convert("RGB"), image))
        sizes.append(len(drawing))
    size = np.mean(sizes) / 1e3
    yield f"| vectorise, drawn again | mean {np.mean(off):.1f} dB | worst {min(off):.1f} dB | {size:.0f} kB of SVG |"


def costs() -> Iterator[str]:
    with Image.open(PORTRAITS / "astronaut.jpg") as image:
        large = image.convert("RGB").resize((1024, 1024), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    large.save(out, "PNG")
    for prompt in EDITS:
        spent = _cpu(lambda prompt=prompt: apply(out.getvalue(), prompt, None))  # type: ignore[misc]
        yield f"| {prompt}, 1024 x 1024 | {spent:.0f} ms CPU | | |"


def _cpu(work: Callable[[], object]) -> float:
    work()
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--pictures")
    asked.add_argument("--write", action="store_true")
    options = asked.parse_args()
    found = list(pictures(options.pictures))
    load = os.getloadavg()[0]
    lines = [*enlarging(found), *filling(found), *cutting(), *tracing(found), *costs()]
    head = [
        "# The local studio", "", "`python bench/studio.py --pictures FOLDER --write`", "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; Python {platform.python_version()}; {os.cpu_count()} cores "
        f"({platform.machine()}), load {load:.1f} at the start, the machine is shared. {len(found)} pictures.", "",
        "| what | studio | beside | |", "|---|---|---|---|",
    ]  # fmt: skip
    text = "\n".join([*head, *lines, ""])
    print(text)
    if options.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
