"""The marks of outputs: what they survive, what they cost, how often they see what is not there.

    .venv/bin/python bench/watermark.py [--pictures FOLDER] [--unmarked 20] [--write]

Marked: posters of the local studio, the sample photograph and, with `--pictures`, pictures of a folder (7 in all), and
a film of the sample photograph. Not marked: some of those, of more posters, and of the whole folder. `--write` replaces
bench/results/watermark.md; nothing of it is written by hand.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product as pairs
from pathlib import Path

import av
import numpy as np
from PIL import Image
from samples import EDITS, PHOTO, PROMPTS, Cost, cost, cropped, photographs, posters, scaled

from troth.gateway.moderation.hashes import NEAR, of_look
from troth.gateway.provenance import Credentials, fingerprints
from troth.gateway.provenance import watermark as product
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.provenance.watermark import FALSE_ALARMS, Found, Watermark
from troth.gateway.videos.clips import clip
from troth.kernel.caller import Connection, anonymous
from troth.kernel.clock import SystemClock
from troth.kernel.errors import UnsupportedMedia
from troth.storage.database import Database, metadata
from troth.vault import prints

RESULTS = Path(__file__).parent / "results" / "watermark.md"
MARKED = tuple(PROMPTS[at] for at in (0, 8, 11, 12))
DEPLOYMENTS = 20
LOOSE = 1e-2
INDEXED = 100_000  # fingerprints in the table that is searched for its cost
GOAL = 29  # bits of 32


def decibels(one: Image.Image, other: Image.Image) -> float:
    apart = np.asarray(one, dtype=float) - np.asarray(other, dtype=float)
    return float(10 * np.log10(255**2 / (apart**2).mean()))


def numbers(image: Image.Image) -> list[int]:
    return [int(one, 16) for one in of_look(image.convert("RGB"))]


def nearest(asked: Sequence[int], kept: int) -> int:
    return min((one ^ kept).bit_count() for one in asked)


def survived(kept: list[Image.Image], ours: Watermark) -> tuple[list[str], int]:
    """Rows of both marks, and the fewest bits of all. Fingerprints are those of the picture as it was delivered."""
    lines, fewest = [], 32
    known = [[numbers(part)[0] for part in fingerprints._parts(one.copy()) if numbers(part)] for one in kept]
    for name, edit in EDITS.items():
        changed = [edit(one) for one in kept]
        found = [ours.find(one) for one in changed]
        bits = [one.bits_right for one in found]
        fewest = min(fewest, *bits)
        looks = [numbers(one) for one in changed]
        apart = [min(nearest(look, part) for part in parts)
                 for look, parts in zip(looks, known, strict=True) if look and parts]  # fmt: skip
        lines.append(f"| {name} | {sum(one.sure for one in found)} of {len(found)} | {min(bits)} |"
                     f" {statistics.median(bits):.0f} | {max(one.chance for one in found):.0e} |"
                     f" {sum(one <= NEAR for one in apart)} of {len(apart)} | {max(apart)} |")  # fmt: skip
        print(lines[-1], flush=True)
    return lines, fewest


def film(frames: Sequence[Image.Image], crf: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = frames[0].width & ~1, frames[0].height & ~1, "yuv420p"
        for one in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(one)))
        container.mux(stream.encode())
    return out.getvalue()


def frames_of(content: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(content), format="mp4") as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def films(ours: Watermark) -> Iterator[str]:
    """A moving crop of the photograph as a vendor's film, marked as films are, and packed again."""
    with Image.open(PHOTO) as photo:
        shown = photo.convert("RGB").resize((640, 750))
    plain = film([shown.crop((n * 2, n * 3, 480 + n * 2, 640 + n * 3)) for n in range(32)], 20)
    made = clip(plain, ours)
    kept = frames_of(made.content)
    gif = io.BytesIO()
    kept[0].save(gif, "GIF", save_all=True, append_images=kept[1:8], duration=40)
    with Image.open(io.BytesIO(gif.getvalue())) as moving:
        loop = []
        for number in range(moving.n_frames):
            moving.seek(number)
            loop.append(moving.convert("RGB"))
    copies = {
        "as delivered (x264, crf 20)": kept,
        "x264 again, crf 30": frames_of(film(kept, 30)),
        "half its size, x264 crf 28": frames_of(film([scaled(one, 0.5) for one in kept], 28)),
        "crop 10 %, x264 crf 28": frames_of(film([cropped(one, 0.1) for one in kept], 28)),
        "as a GIF": loop,
    }
    for name, frames in copies.items():
        found = ours.find_among(frames[: 2 * product.EVERY])
        yield told(name, found)
    yield told("the film before it was marked", ours.find_among(frames_of(plain)[: 2 * product.EVERY]))


def told(name: str, found: Found) -> str:
    return f"| {name} | {'yes' if found.sure else 'no'} | {found.bits_right} | {found.chance:.0e} |"


def alarmed(plain: list[Image.Image]) -> str:
    words = [Watermark(bytes([n]) * 32) for n in range(DEPLOYMENTS)]
    sure = loose = 0
    for one in plain:
        views = [product._reads(one, share) for share, mirrored in product._VIEWS if not mirrored]
        views.append(product._reads(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 1.0))
        for word in words:
            found = min((word._judged(view) for view in views), key=lambda each: each.chance)
            chance = found.chance * len(views)
            sure += Found(found.bits_right, found.of, chance).sure
            loose += chance <= LOOSE
    tried = len(plain) * DEPLOYMENTS
    return (
        f"Watermark: {len(plain)} pictures without a mark, read for {DEPLOYMENTS} deployments: {sure} false alarms in "
        f"{tried} tries (promised: {FALSE_ALARMS:.0e} a try, computed over all words). At a threshold of {LOOSE:.0e}, "
        f"where there is something to count: {loose} ({loose / tried:.1e})."
    )


def alike(photos: list[Image.Image]) -> str:
    """Different pictures compared each with each, and posters of one prompt with each other."""
    known = [found for one in photos if (found := numbers(one))]
    apart = [nearest(one, other[0]) for at, one in enumerate(known) for other in known[at + 1 :]]
    drawn = [[numbers(one) for one in posters([prompt], range(60, 64), 384)] for prompt in PROMPTS]
    scenes = [(a, b) for at, one in enumerate(drawn) for two in drawn[at + 1 :] for a, b in pairs(one, two)]
    across = [nearest(a, b[0]) for a, b in scenes if a and b]
    within = [nearest(a, b[0]) for one in drawn for at, a in enumerate(one) for b in one[at + 1 :] if a and b]
    return (
        f"Fingerprint (at most {NEAR} of 256 bits apart): {len(known)} of {len(photos)} different photographs and "
        f"scans have one; of {len(apart)} pairs {near(apart)} count as alike, the nearest is {min(apart)} bits apart. "
        f"Posters of different prompts: {near(across)} of {len(across)} pairs. Posters of one prompt drawn anew: "
        f"{near(within)} of {len(within)} pairs, for some scenes always look the same: there likeness says that "
        "somebody asked for such a scene, and no more."
    )


def near(apart: list[int]) -> int:
    return sum(one <= NEAR for one in apart)


def searched(folder: str, image: Image.Image) -> Cost:
    """A table with many fingerprints, of nobody's pictures."""
    database = Database(f"sqlite:///{folder}/prints.db")
    metadata.create_all(database.engine)
    noise = np.random.default_rng(1)
    with database.write() as connection:
        for number in range(INDEXED):
            prints.add(connection, "ten_a", f"obj_{number:024}", [noise.bytes(prints.BYTES)])
    index = Fingerprints(database, b"f" * 32, SystemClock())
    found = cost(lambda: index.nearest([image], anonymous(Connection(None, "in-process"))), 3)
    database.close()
    return found


def costs(kept: Image.Image, plain: Image.Image, ours: Watermark) -> list[str]:
    content = io.BytesIO()
    kept.save(content, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        credentials = Credentials(Path(folder) / "credentials")
        sign = lambda: credentials.sign(content.getvalue(), "image/png", source="algorithmicMedia")  # noqa: E731
        edit = lambda: credentials.sign(  # noqa: E731
            content.getvalue(), "image/png", source="algorithmicMedia", parent=PHOTO.read_bytes()
        )
        signed = sign()
        more, parent = len(signed) - len(content.getvalue()), len(edit()) - len(content.getvalue())
        return [
            f"| mark, one picture {plain.width} x {plain.height} | {cost(lambda: ours.mark(plain), 3)} | |",
            f"| find, marked | {cost(lambda: ours.find(kept), 3)} | |",
            f"| find, not marked (all views) | {cost(lambda: ours.find(plain), 3)} | |",
            f"| fingerprint | {cost(lambda: of_look(plain.copy()), 5)} | |",
            f"| ask among {INDEXED:,} fingerprints | {searched(folder, plain)} | |",
            f"| sign (C2PA, ES256, no time stamp) | {cost(sign, 15)} | {more:,} bytes more |",
            f"| sign an edit with its parent | {cost(edit, 15)} | {parent:,} bytes more |",
            f"| read and verify credentials | {cost(lambda: credentials.read(signed, 'image/png'), 15)} | |",
        ]


def report(
    marked: tuple[list[Image.Image], list[float], int], rows: list[str], fewest: int, notes: list[str], rest: list[str]
) -> str:
    kept, quality, refused = marked
    n = len(kept)
    return "\n".join([
        "# The marks of outputs",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.python_implementation()} {platform.python_version()}, "
        f"{os.cpu_count()} cores shared with other work (load {os.getloadavg()[0]:.0f}): wall times are soft, CPU "
        "times hold. `bench/watermark.py --pictures FOLDER --write` (the folder: test pictures of scikit-image).",
        "",
        f"{n} pictures marked, {refused} refused as unmarkable. PSNR {min(quality):.1f} to {max(quality):.1f} dB, "
        f"median {statistics.median(quality):.1f} dB. Watermark found: chance at most {FALSE_ALARMS:.0e}. Alike: at "
        f"most {NEAR} of 256 bits of the fingerprint differ, whichever way the copy is turned.",
        "",
        "| edit | watermark found | fewest bits of 32 | median | largest chance | alike | most bits apart |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Three views are tried for the watermark: as it is, at 80 % (crops), mirrored. Free rotation is not searched "
        f"for. {n} of {n} leaves room for up to {100 * (1 - 0.025 ** (1 / n)):.0f} % of misses (95 %, Clopper and "
        "Pearson).",
        f"At least {GOAL} of 32 bits after every edit: {'met' if fewest >= GOAL else 'not met'} ({fewest}).",
        "",
        *rest,
        "",
        "## False alarms",
        "",
        *[line for note in notes for line in (note, "")],
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--unmarked", type=int, default=20, help="how many pictures without a mark are read")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    ours = Watermark(b"benchmark".ljust(32, b"."))
    found = list(photographs(given.pictures, product.SMALLEST_SIDE))
    drawn = list(posters(MARKED, [3], 1024))
    kept, quality, refused = [], [], 0
    for one in [*drawn, *found[:7]]:
        try:
            kept.append(ours.mark(one))
            quality.append(decibels(one, kept[-1]))
        except UnsupportedMedia:
            refused += 1
    rows, fewest = survived(kept, ours)
    moving = [
        "## Films (32 frames of 480 x 640; eight in a row are read)",
        "",
        "| copy | found | bits of 32 | chance |",
        "|---|---|---|---|",
        *films(ours),
    ]
    plain = [*found, *drawn, *posters(PROMPTS, range(50, 52), 512)]
    some = plain[:: max(1, len(plain) // given.unmarked)][: given.unmarked]
    notes = [alarmed(some), alike(found)]
    priced = [
        "## Cost (milliseconds, one thread)",
        "",
        "| | wall | CPU | |",
        "|---|---|---|---|",
        *costs(kept[0], drawn[0], ours),
    ]
    text = report((kept, quality, refused), rows, fewest, notes, [*moving, "", *priced])
    print(text)
    if given.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
