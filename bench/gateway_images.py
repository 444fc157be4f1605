"""Pictures: intake, composition, edits. Their marks and credentials: bench/watermark.py.

    .venv/bin/python bench/gateway_images.py [--rounds 5] [--write]

Prints one row per figure; `--write` replaces bench/results/gateway_images.md. CPU is that of this process, all threads.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from samples import PHOTO, PROMPTS, Cost, cost

from troth.gateway.intake import admit_image
from troth.gateway.studio.compose import compose
from troth.gateway.studio.edit import apply
from troth.kernel.errors import TooLarge

RESULTS = Path(__file__).parent / "results" / "gateway_images.md"
EDITS = (
    "black and white",
    "vintage",
    "poster",
    "blur the background",
    'add the text "Hello"',
)


class Row(NamedTuple):
    """One figure: medians in milliseconds, and a remark."""

    what: str
    cost: Cost
    remark: str


def measured(what: str, rounds: int, run: Callable[[], object], remark: str = "") -> Row:
    row = Row(what, cost(run, rounds), remark)
    print(f"{row.what:55} {row.cost} ms   {row.remark}")
    return row


def large_jpeg() -> bytes:
    """The sample at 12 million pixels, metadata included."""
    with Image.open(PHOTO) as image:
        big = image.resize((3200, 3750))
        out = io.BytesIO()
        big.save(out, "JPEG", quality=90, exif=image.getexif().tobytes())
    return out.getvalue()


def png_bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG", optimize=True)
    return out.getvalue()


def refused(content: bytes) -> None:
    try:
        admit_image(content, "image/png")
    except TooLarge:
        return
    raise SystemExit("the bomb was admitted")


def rows(rounds: int) -> list[Row]:
    photo, big, bomb = PHOTO.read_bytes(), large_jpeg(), png_bomb()
    clean = admit_image(photo, "image/jpeg").content
    found = [
        measured("intake, 0.3 Mpx JPEG", rounds * 4, lambda: admit_image(photo, "image/jpeg"), f"{len(photo):,} bytes"),
        measured("intake, 12 Mpx JPEG", rounds, lambda: admit_image(big, "image/jpeg"), f"{len(big):,} bytes"),
        measured("refusal of a 900 Mpx PNG", rounds * 4, lambda: refused(bomb), f"{len(bomb):,} bytes"),
    ]
    found += [
        measured(f"compose 1024x1024: {prompt}", rounds, lambda prompt=prompt: compose(prompt, 1024, 1024, 1))
        for prompt in PROMPTS
    ]
    return found + [
        measured(f"edit 512x600: {prompt}", rounds, lambda prompt=prompt: apply(clean, prompt, None, (512, 600)))
        for prompt in EDITS
    ]


def report(found: list[Row], rounds: int, load: float) -> str:
    lines = [
        "# Pictures",
        "",
        f"`python bench/gateway_images.py --rounds {rounds} --write`",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; Python {platform.python_version()}; {os.cpu_count()} cores "
        f"({platform.machine()}), 1-minute load {load:.1f} at the start. Medians; the machine is shared, so CPU is the "
        "firmer figure.",
        "",
        "| measure | wall ms | CPU ms | |",
        "|---|---|---|---|",
        *(f"| {row.what} | {row.cost} | {row.remark} |" for row in found),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    found = rows(chosen.rounds)
    if chosen.write:
        RESULTS.write_text(report(found, chosen.rounds, load))


if __name__ == "__main__":
    main()
